"""The HTTP side of carts: parse, one use-case, serialize."""

import uuid
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import ListAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from cart_service import merging, pricing, putting_together, services
from cart_service.filters import CartFilter
from cart_service.models import Cart
from cart_service.pricing import Priced
from cart_service.serializers import (
    AddItemSerializer,
    CartSerializer,
    MergedSerializer,
    MergeSerializer,
    NewCartSerializer,
    QuantitySerializer,
)
from shopkit.auth import caller
from shopkit.etag import IF_MATCH, etag, expected_version
from shopkit.permissions import IsKnown, IsService, visible
from shopkit.shapes import given, shown


class CartListView(ListAPIView[Cart]):
    """A customer's own carts; to staff, all."""

    queryset = Cart.objects.prefetch_related("lines")
    serializer_class = CartSerializer
    filterset_class = CartFilter
    ordering_fields = ["created_at", "updated_at"]
    ordering = ["-created_at"]

    def get_permissions(self) -> Any:
        return [AllowAny()] if self.request.method == "POST" else [IsKnown()]

    def get_queryset(self) -> QuerySet[Cart]:
        return visible(super().get_queryset(), caller(self.request), owner="owner")

    def list(self, request: Request, *_args: Any, **_more: Any) -> Response:
        page: Any = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        shown = CartSerializer(pricing.priced(page, caller(request)), many=True)
        return self.get_paginated_response(shown.data)

    @extend_schema(request=NewCartSerializer, responses={201: CartSerializer})
    def post(self, request: Request) -> Response:
        made = services.create_cart(identity=caller(request), **given(NewCartSerializer, request))
        return _answer(made, status.HTTP_201_CREATED)


class CartView(APIView):
    permission_classes = [AllowAny]

    @extend_schema(responses=CartSerializer)
    def get(self, request: Request, cart_id: uuid.UUID) -> Response:
        """With its items' present names, prices and stock."""
        cart = services.get_cart(cart_id=cart_id, identity=caller(request))
        return _answer(pricing.priced([cart], caller(request))[0])

    @extend_schema(parameters=[IF_MATCH], responses={204: None})
    def delete(self, request: Request, cart_id: uuid.UUID) -> Response:
        cart = services.get_cart(cart_id=cart_id, identity=caller(request))
        services.delete_cart(cart=cart, version=expected_version(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class CartItemsView(APIView):
    permission_classes = [AllowAny]

    @extend_schema(parameters=[IF_MATCH], request=AddItemSerializer, responses={201: CartSerializer})
    def post(self, request: Request, cart_id: uuid.UUID) -> Response:
        """Puts an item in; the same item again adds up. Answers with the whole cart."""
        cart = services.get_cart(cart_id=cart_id, identity=caller(request))
        wish, version = given(AddItemSerializer, request), expected_version(request)
        changed = services.add_item(cart=cart, identity=caller(request), version=version, **wish)
        return _answer(changed, status.HTTP_201_CREATED)


class CartItemView(APIView):
    permission_classes = [AllowAny]

    @extend_schema(parameters=[IF_MATCH], request=QuantitySerializer, responses=CartSerializer)
    def patch(self, request: Request, cart_id: uuid.UUID, line_id: uuid.UUID) -> Response:
        """Sets how many of a line's item there are. Answers with the whole cart."""
        cart = services.get_cart(cart_id=cart_id, identity=caller(request))
        who, wish, version = caller(request), given(QuantitySerializer, request), expected_version(request)
        return _answer(services.change_quantity(cart=cart, identity=who, line_id=line_id, version=version, **wish))

    @extend_schema(parameters=[IF_MATCH], responses={204: None})
    def delete(self, request: Request, cart_id: uuid.UUID, line_id: uuid.UUID) -> Response:
        cart = services.get_cart(cart_id=cart_id, identity=caller(request))
        changed = services.remove_line(cart=cart, line_id=line_id, version=expected_version(request))
        return Response(status=status.HTTP_204_NO_CONTENT, headers=etag(changed.version))


class CartMergeView(APIView):
    permission_classes = [AllowAny]

    @extend_schema(parameters=[IF_MATCH], request=MergeSerializer, responses=MergedSerializer)
    def post(self, request: Request, cart_id: uuid.UUID) -> Response:
        """Puts another cart of the caller's into this one, and says of each line what became of it.

        Of an item in both there are then as many as in both together (`sum`), as in the fuller one (`max`), as here
        (`keep`) or as there (`replace`); never more than there are to sell. With `dry_run`, nothing is changed.
        """
        cart = services.get_cart(cart_id=cart_id, identity=caller(request))
        wish = putting_together.Wish(**given(MergeSerializer, request))
        version = expected_version(request)
        merged = putting_together.merge(cart=cart, identity=caller(request), wish=wish, version=version)
        return Response(shown(MergedSerializer, merged), headers=etag(merged.cart.cart.version))


class CartPageView(APIView):
    permission_classes = [IsService]

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        """All carts, in pages `after` an id: for the auditor."""
        return Response({"rows": services.page_of_carts(after=request.query_params.get("after", ""))})


class CartOrderedView(APIView):
    permission_classes = [IsService]

    @extend_schema(exclude=True)
    def post(self, request: Request, cart_id: uuid.UUID) -> Response:
        merging.close(cart_id=cart_id)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _answer(priced: Priced, code: int = status.HTTP_200_OK) -> Response:
    return Response(shown(CartSerializer, priced), status=code, headers=etag(priced.cart.version))
