"""The routes of an item service, made from its kind."""

from typing import Any

from django.urls import URLPattern, path
from drf_spectacular.utils import extend_schema, extend_schema_view, inline_serializer
from rest_framework import serializers

from shopkit.etag import IF_MATCH
from shopkit.items import internal, stock
from shopkit.items.kind import ItemKind
from shopkit.items.query import list_parameters
from shopkit.items.serializers import StockEntrySerializer
from shopkit.items.views import ItemListView, ItemView, KindView, StockLogView, StockView

_ROUTES: tuple[tuple[str, type[KindView]], ...] = (
    ("", ItemListView),
    ("<str:item_id>/", ItemView),
    ("<str:item_id>/stock/", StockView),
    ("<str:item_id>/stock/log/", StockLogView),
)
_ALIASES = ("items", "products")


def item_urls(kind: ItemKind) -> list[URLPattern]:
    """The kind's own path, described in the schema, and those that the items router passes on, which are the same."""
    views = [(rest, _of_kind(view, kind)) for rest, view in _ROUTES]
    typed = [path(f"api/{kind.path}/{rest}", view.as_view()) for rest, view in views]
    aliases = [path(f"api/{alias}/{rest}", view.as_view(schema=None)) for alias in _ALIASES for rest, view in views]
    reservations = internal.reservation_urls(
        reserve=internal.reserve, release=stock.release, commit=stock.commit, restock=stock.restock
    )
    page = path("internal/stocktaking/", internal.StockPageView.as_view(page=staticmethod(stock.page_of_stock)))
    facts = path("internal/facts/", internal.FactsView.as_view(look=staticmethod(internal.facts(kind))))
    changed = path("internal/changes/", internal.ChangesView.as_view(kind=kind))
    return [*typed, *aliases, *reservations, page, facts, changed]


def _of_kind(view: type[KindView], kind: ItemKind) -> type[KindView]:
    """The view for this kind, and with a schema that speaks of it."""
    copy = type(view.__name__, (view,), {"kind": kind})
    methods: dict[str, Any]
    if view is ItemListView:
        methods = {
            "get": _list_schema(kind),
            "post": extend_schema(request=kind.serializer, responses={201: kind.serializer}),
        }
    elif view is ItemView:
        change = extend_schema(parameters=[IF_MATCH], request=kind.serializer, responses=kind.serializer)
        delete = extend_schema(parameters=[IF_MATCH], responses={204: None})
        methods = {"get": extend_schema(responses=kind.serializer), "put": change, "patch": change, "delete": delete}
    elif view is StockView:
        methods = {"post": extend_schema(responses=kind.serializer)}
    else:
        page = _page(f"{kind.type.title()}StockLog", StockEntrySerializer(many=True))
        methods = {"get": extend_schema(responses=page)}
    return extend_schema_view(**methods)(copy)


def _list_schema(kind: ItemKind) -> Any:
    page = _page(f"{kind.type.title()}Page", kind.serializer(many=True))
    return extend_schema(parameters=list_parameters(kind.all_filters), responses=page, operation_id=f"{kind.path}_list")


def _page(name: str, results: Any) -> Any:
    return inline_serializer(
        name,
        {
            "count": serializers.IntegerField(),
            "next": serializers.URLField(allow_null=True),
            "previous": serializers.URLField(allow_null=True),
            "results": results,
        },
    )
