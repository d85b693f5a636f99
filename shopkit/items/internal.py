"""What carts, orders and the items router ask of an item service; never reached from outside."""

import uuid
from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from shopkit.items import feed, purchases, stock
from shopkit.items.changes import items
from shopkit.items.kind import ItemKind
from shopkit.items.serializers import ChangesAskedSerializer, ItemIdsSerializer, LinesSerializer
from shopkit.permissions import IsRouter, IsService
from shopkit.shapes import given


class ReservationView(APIView):
    """One step of an order's stock; `act` does it."""

    permission_classes = [IsService]
    act: Callable[..., Any] | None = None

    @extend_schema(exclude=True)
    def post(self, request: Request, order_id: uuid.UUID) -> Response:
        wish = given(LinesSerializer, request)
        assert self.act is not None
        return Response(self.act(order_id=str(order_id), **wish) or {})


def reservation_urls(**steps: Callable[..., Any]) -> list[URLPattern]:
    order = "internal/reservations/<uuid:order_id>/"
    return [path(f"{order}{name}/", ReservationView.as_view(act=staticmethod(act))) for name, act in steps.items()]


def reserve(*, order_id: str, lines: stock.Lines) -> dict[str, Any]:
    """`{items: {id: {price}}}`, prices in minor units as they are now; null for one that lost its since it was held."""
    return {"items": {item["_id"]: {"price": item["price"]} for item in stock.reserve(order_id=order_id, lines=lines)}}


def commit(*, order_id: str, lines: stock.Lines, customer_id: str | None = None) -> None:
    """What the order holds is sold, and its customer has bought it. Errors as of `stock.commit`."""
    stock.commit(order_id=order_id, lines=lines)
    if customer_id:
        purchases.note(order_id=order_id, lines=lines, customer_id=customer_id)


def restock(*, order_id: str, lines: stock.Lines, key: str) -> None:
    """What the order was sold comes back, and its customer has not bought it after all."""
    sold = stock.restock(order_id=order_id, lines=lines, key=key)
    purchases.give_back(order_id=order_id, lines=sold, key=key)


def facts(kind: ItemKind) -> Callable[..., dict[str, Any]]:
    """`{id: {type, name, price, currency, stock, weight_g}}` of those ids that are items of this kind.

    Prices in minor units, null while it is not for sale; the weight null where the type has none.
    """

    def look(*, ids: list[str]) -> dict[str, Any]:
        found = items().find({"_id": {"$in": ids}}, dict.fromkeys(_FACTS, 1)) if ids else ()
        return {item["_id"]: _fact(kind, item) for item in found}

    return look


_FACTS = ("name", "price", "currency", "available", "weight_g")


def _fact(kind: ItemKind, item: dict[str, Any]) -> dict[str, Any]:
    shown = {name: item.get(name) for name in ("name", "price", "weight_g")}
    return {"type": kind.type, **shown, "currency": item.get("currency", "USD"), "stock": item["available"]}


class FactsView(APIView):
    """What carts show of items: one call for as many as there are; `look` finds them."""

    permission_classes = [IsService]
    look: Callable[..., Any] | None = None

    @extend_schema(exclude=True)
    def post(self, request: Request) -> Response:
        ids = given(ItemIdsSerializer, request)["ids"]
        assert self.look is not None
        return Response({"items": self.look(ids=list(dict.fromkeys(ids)))})


class StockPageView(APIView):
    """The stock of all items, in pages `after` an id: for the auditor."""

    permission_classes = [IsService]
    page: Callable[..., Any] | None = None

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        assert self.page is not None
        return Response({"rows": self.page(after=request.query_params.get("after", ""))})


class ChangesView(APIView):
    """What the router's catalogue asks: what has changed `since` a time, or how things stand with some `ids`."""

    permission_classes = [IsRouter]
    kind: ItemKind | None = None

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        asked = ChangesAskedSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        assert self.kind is not None
        if (moment := given.get("since")) is None:
            return Response(feed.of(kind=self.kind, ids=[each for each in given["ids"].split(",") if each]))
        return Response(feed.since(kind=self.kind, moment=moment, after=given["after"], limit=given["limit"]))
