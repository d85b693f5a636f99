"""What the OpenAPI schema says of an item service's routes: the same of each, in the words of its kind."""

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view, inline_serializer
from rest_framework import serializers

from shopkit.etag import IF_MATCH
from shopkit.items import images, opinion_views, reviews, views
from shopkit.items.kind import ItemKind
from shopkit.items.opinion_serializers import (
    ImageAddedSerializer,
    ImageShownSerializer,
    LikeSerializer,
    ReviewSerializer,
)
from shopkit.items.query import list_parameters
from shopkit.items.serializers import StockChangeSerializer, StockEntrySerializer
from shopkit.picture_api import PICTURE_RESPONSES
from shopkit.schema import PAGE_PARAMETERS, ordering_parameter

Methods = dict[str, Any]
GONE = {204: None}
WIDTH = OpenApiParameter(
    "width",
    int,
    OpenApiParameter.QUERY,
    enum=images.WIDTHS,
    description="A thumbnail's longer side in pixels, instead of the whole picture.",
)


def of_kind(view: type[views.KindView], kind: ItemKind) -> type[views.KindView]:
    """The view for this kind, and with a schema that speaks of it."""
    copy = type(view.__name__, (view,), {"kind": kind})
    return extend_schema_view(**_METHODS[view](kind))(copy)


def _item_list(kind: ItemKind) -> Methods:
    page = _page(f"{kind.type.title()}Page", kind.serializer(many=True))
    parameters = list_parameters(kind.all_filters)
    listed = extend_schema(parameters=parameters, responses=page, operation_id=f"{kind.path}_list")
    return {"get": listed, "post": extend_schema(request=kind.serializer, responses={201: kind.serializer})}


def _item(kind: ItemKind) -> Methods:
    change = extend_schema(parameters=[IF_MATCH], request=kind.serializer, responses=kind.serializer)
    delete = extend_schema(parameters=[IF_MATCH], responses=GONE)
    return {"get": extend_schema(responses=kind.serializer), "put": change, "patch": change, "delete": delete}


def _stock(kind: ItemKind) -> Methods:
    return {"post": extend_schema(request=StockChangeSerializer, responses=kind.serializer)}


def _stock_log(kind: ItemKind) -> Methods:
    page = _page(f"{kind.type.title()}StockLog", StockEntrySerializer(many=True))
    return {"get": extend_schema(parameters=PAGE_PARAMETERS, responses=page)}


def _reviews(kind: ItemKind) -> Methods:
    parameters = [ordering_parameter(reviews.ORDERING), *PAGE_PARAMETERS]
    page = _page(f"{kind.type.title()}Reviews", ReviewSerializer(many=True))
    listed = extend_schema(parameters=parameters, responses=page, operation_id=f"{kind.path}_reviews_list")
    return {"get": listed, "post": extend_schema(request=ReviewSerializer, responses={201: ReviewSerializer})}


def _my_review(kind: ItemKind) -> Methods:
    change = extend_schema(request=ReviewSerializer, responses=ReviewSerializer)
    return {"get": extend_schema(responses=ReviewSerializer), "put": change, "patch": change, "delete": _deletes(kind)}


def _like(kind: ItemKind) -> Methods:
    told = extend_schema(request=None, responses=LikeSerializer)
    return {"get": told, "post": told, "delete": _deletes(kind)}


def _image_list(kind: ItemKind) -> Methods:
    page = _page(f"{kind.type.title()}Images", ImageShownSerializer(many=True))
    listed = extend_schema(parameters=PAGE_PARAMETERS, responses=page, operation_id=f"{kind.path}_images_list")
    return {"get": listed, "post": extend_schema(request=ImageAddedSerializer, responses={201: ImageShownSerializer})}


def _image(kind: ItemKind) -> Methods:
    return {"get": extend_schema(parameters=[WIDTH], responses=PICTURE_RESPONSES), "delete": _deletes(kind)}


def _deletes(_kind: ItemKind) -> Any:
    return extend_schema(responses=GONE)


_METHODS: dict[type[views.KindView], Callable[[ItemKind], Methods]] = {
    views.ItemListView: _item_list,
    views.ItemView: _item,
    views.StockView: _stock,
    views.StockLogView: _stock_log,
    opinion_views.ReviewListView: _reviews,
    opinion_views.MyReviewView: _my_review,
    opinion_views.ReviewView: lambda kind: {"delete": _deletes(kind)},
    opinion_views.LikeView: _like,
    opinion_views.ImageListView: _image_list,
    opinion_views.ImageView: _image,
}


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
