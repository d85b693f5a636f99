"""The HTTP side of a customer service: parse, one use-case, serialize."""

from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Model, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet, ModelViewSet

from shopkit import topology
from shopkit.auth import caller
from shopkit.customers import moves, services
from shopkit.customers.serializers import CustomerAddressSerializer, HistorySerializer, ViewedItemSerializer
from shopkit.errors import Moved, NotFound, found
from shopkit.permissions import IsKnown, IsStaff, check_opens, opens
from shopkit.shapes import given, shown

TICKET = "moved"


def find(customers: "QuerySet[Any]", request: Request, customer_id: str) -> Any:
    """The customer, `me` being the caller; `Moved` to where they are now, `NotFound` for none and for another's.

    `Unauthenticated("login_required")` for a guest's token where there are accounts; to change somebody who is about
    to leave is `Conflict("moving")`.
    """
    user = caller(request)
    if customer_id == "me":
        customer_id = user.customer_id or ""
    if not user.may_see(customer_id):
        raise NotFound
    check_opens(user, settings.SERVICE.customer_type)
    customer = at_home(found(customers.filter(pk=customer_id, anonymised_at=None).first()), request)
    if request.method not in SAFE_METHODS:
        services.check_settled(customer)
    return customer


def at_home(customer: Any, request: Request) -> Any:
    """The customer, if they are here; else `Moved` to the same path where they are now."""
    if customer.moved_to and not moves.has_come(customer, request.query_params.get(TICKET, "")):
        raise Moved(_path_now(request, customer))
    return customer


def _path_now(request: Request, customer: Any) -> str:
    here, there = settings.SERVICE.paths[0], topology.by_customer_type()[customer.moved_to].paths[0]
    root, _prefix, _id, rest = request.get_full_path().lstrip("/").split("/", 3)
    assert here != there
    query = f"{'&' if '?' in rest else '?'}{TICKET}={customer.leave_ticket}" if customer.leave_ticket else ""
    return f"/{root}/{there}/{customer.pk}/{rest}{query}"


class CustomerViewSet(ModelViewSet[Any]):
    """Staff see all; a customer sees themselves. Those who moved on are found, but listed where they are now."""

    permission_classes = [IsKnown]
    lookup_url_kwarg = "customer_id"
    ordering = ["created_at"]
    ordering_fields = ["created_at", "updated_at", "last_name"]
    search_fields = ["first_name", "last_name"]
    staff_actions = frozenset({"create"})
    serializer_classes: dict[str, type[BaseSerializer[Any]]] = {}
    """The serializers of the actions that have one of their own."""

    def get_permissions(self) -> Any:
        return [IsStaff()] if self.action in self.staff_actions else super().get_permissions()

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        return self.serializer_classes.get(self.action) or super().get_serializer_class()

    def get_queryset(self) -> "QuerySet[Any]":
        here = super().get_queryset().filter(moved_to="", anonymised_at=None)
        user = caller(self.request)
        if user.is_staff:
            return here
        return here.filter(pk=user.customer_id) if opens(user, settings.SERVICE.customer_type) else here.none()

    def get_object(self) -> Any:
        customers = super().get_queryset()
        if self.request.method not in SAFE_METHODS:
            customers = customers.select_for_update()  # or what was read could be written over a change in between
        return find(customers, self.request, self.kwargs["customer_id"])

    @transaction.atomic
    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().update(request, *args, **kwargs)

    @transaction.atomic
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().destroy(request, *args, **kwargs)

    def perform_destroy(self, instance: Model) -> None:
        services.anonymise(customer=instance)

    @extend_schema(responses=HistorySerializer)
    @action(detail=True)
    def history(self, request: Request, customer_id: str) -> Response:
        customer, latest = self.get_object(), HistorySerializer.LATEST
        history = {"viewed_items": customer.viewed_items.all()[:latest], "orders": customer.purchases.all()[:latest]}
        return Response(shown(HistorySerializer, history))

    @extend_schema(request=ViewedItemSerializer, responses={201: ViewedItemSerializer})
    @transaction.atomic
    def view_item(self, request: Request, customer_id: str) -> Response:
        """Says that the customer looked at an item."""
        wish = given(ViewedItemSerializer, request)
        viewed = services.record_view(customer=self.get_object(), **wish)
        return Response(shown(ViewedItemSerializer, viewed), status=status.HTTP_201_CREATED)


class AddressViewSet(GenericViewSet[Any]):
    """A customer's addresses; `queryset` and `customers` are the service's own."""

    permission_classes = [IsKnown]
    serializer_class = CustomerAddressSerializer
    filter_backends = []
    customers: "QuerySet[Any]"

    def customer(self) -> Any:
        return find(self.customers.all(), self.request, self.kwargs["customer_id"])

    def get_queryset(self) -> "QuerySet[Any]":
        if getattr(self, "swagger_fake_view", False):  # the schema is made without a customer
            return super().get_queryset()
        return super().get_queryset().filter(customer=self.customer()).order_by("id")

    def list(self, request: Request, customer_id: str) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def create(self, request: Request, customer_id: str) -> Response:
        customer = self.customer()
        address = customer.addresses.model(customer=customer)
        return self._keep(address, self.get_serializer(data=request.data), status.HTTP_201_CREATED)

    def retrieve(self, request: Request, customer_id: str, address_id: int) -> Response:
        return Response(self.get_serializer(self._address(address_id)).data)

    def update(self, request: Request, customer_id: str, address_id: int, *, partial: bool = False) -> Response:
        return self._keep(self._address(address_id), self.get_serializer(data=request.data, partial=partial))

    def partial_update(self, request: Request, customer_id: str, address_id: int) -> Response:
        return self.update(request, customer_id, address_id, partial=True)

    def destroy(self, request: Request, customer_id: str, address_id: int) -> Response:
        services.drop_address(address=self._address(address_id))
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _address(self, address_id: int) -> Any:
        return found(self.get_queryset().filter(pk=address_id).first())

    def _keep(self, address: Any, given: BaseSerializer[Any], code: int = status.HTTP_200_OK) -> Response:
        given.is_valid(raise_exception=True)
        for field, value in given.validated_data.items():
            setattr(address, field, value)
        return Response(self.get_serializer(services.keep_address(address=address)).data, status=code)
