"""What other services tell and ask a customer service; never reached from outside."""

import uuid
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.urls import URLPattern, path
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from shopkit.customers import purchases
from shopkit.customers.moves import Moves
from shopkit.customers.serializers import OrderToldSerializer
from shopkit.customers.views import at_home
from shopkit.errors import found
from shopkit.permissions import IsRouter
from shopkit.shapes import given

YEAR = timedelta(days=365)


class OrdersToldView(APIView):
    """Takes an order as it now is; `keep` is the service's use-case for it."""

    permission_classes = [IsRouter]
    customers: "QuerySet[Any] | None" = None
    keep = staticmethod(purchases.keep)

    @extend_schema(exclude=True)
    @transaction.atomic
    def post(self, request: Request, customer_id: str) -> Response:
        """`{"applied": bool, "email"?}`; somebody who forgot themselves still has their orders counted."""
        told = given(OrderToldSerializer, request)
        assert self.customers is not None
        customer = found(self.customers.select_for_update().filter(pk=customer_id).first())
        applied = self.keep(customer=at_home(customer, request), **told)
        email = getattr(customer, "email", None)
        return Response({"applied": applied, **({"email": email} if email else {})})


class PlaceView(APIView):
    permission_classes = [IsRouter]
    customers: "QuerySet[Any] | None" = None

    @extend_schema(exclude=True)
    def get(self, request: Request, customer_id: str) -> Response:
        """`{here, moved_to, moving_to, spent}`; what was spent in the last year, in minor units. `NotFound`."""
        assert self.customers is not None
        customer = found(self.customers.filter(pk=customer_id, anonymised_at=None).first())
        spent = purchases.spent(customer=customer, since=timezone.now() - YEAR)
        place = {"here": not customer.moved_to, "moved_to": customer.moved_to, "moving_to": customer.moving_to}
        return Response({**place, "spent": spent})


class StepSerializer(serializers.Serializer[Any]):
    """What the journal says with a step: which fields, the step knows."""

    to = serializers.CharField(required=False)
    origin = serializers.CharField(required=False)
    ticket = serializers.CharField(required=False)
    customer = serializers.DictField(required=False)
    registration_id = serializers.UUIDField(required=False)


class MoveStepView(APIView):
    """One step of a move: see `Moves`."""

    permission_classes = [IsRouter]
    moves: Moves | None = None

    @extend_schema(exclude=True)
    def post(self, request: Request, customer_id: str, move_id: uuid.UUID, step: str) -> Response:
        taken = getattr(self.moves, step)(customer_id=customer_id, move_id=move_id, **given(StepSerializer, request))
        return Response(taken or {})


STEPS = ("hold", "arrive", "leave", "settle", "release", "refuse")


def internal_urls(typed_path: str, customers: "QuerySet[Any]", moves: Moves, **more: Any) -> list[URLPattern]:
    """Orders are told by the typed path too: that is where someone who moved is said to be."""
    told, one = OrdersToldView.as_view(customers=customers, **more), "internal/customers/<str:customer_id>/"
    return [
        *(path(f"internal/{prefix}/<str:customer_id>/orders/", told) for prefix in (typed_path, "customers")),
        path(one, PlaceView.as_view(customers=customers)),
        *(
            path(f"{one}moves/<uuid:move_id>/{step}/", MoveStepView.as_view(moves=moves), {"step": step})
            for step in STEPS
        ),
    ]
