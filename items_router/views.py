"""What the items router answers itself: the combined list and the collections."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param
from rest_framework.views import APIView

from items_router import combined, services
from items_router.documents import collections
from items_router.serializers import (
    CollectionSerializer,
    CollectionUpdateSerializer,
    CollectionWithCountSerializer,
    CombinedItemsSerializer,
)
from shopkit.filters import check_ordering
from shopkit.items.filters import COMMON
from shopkit.items.query import ordering_parameter
from shopkit.items.views import expected_version
from shopkit.mongo import Document
from shopkit.pagination import Pages, check_page_exists, page_bounds
from shopkit.permissions import ReadOrStaff

_FILTERS = (*COMMON, "ordering")


def _parameters() -> list[OpenApiParameter]:
    filters = {**{name: dict(each.schema) for name, each in COMMON.items()}, "ordering": ordering_parameter()}
    query = [OpenApiParameter(name, schema, OpenApiParameter.QUERY) for name, schema in filters.items()]
    numbers = [OpenApiParameter(name, OpenApiTypes.INT, OpenApiParameter.QUERY) for name in ("page", "page_size")]
    return [*query, *numbers, OpenApiParameter("strict", OpenApiTypes.BOOL, OpenApiParameter.QUERY)]


class CombinedItemsView(APIView):
    permission_classes = [ReadOrStaff]

    @extend_schema(parameters=_parameters(), responses=CombinedItemsSerializer)
    def get(self, request: Request) -> Response:
        page, size = page_bounds(request.query_params)
        params = {name: request.query_params[name] for name in _FILTERS if name in request.query_params}
        strict = request.query_params.get("strict", "").lower() in ("true", "1")
        found = combined.list_items(params=params, page=page, size=size, strict=strict)
        check_page_exists(page, size, found.count)
        url = request.build_absolute_uri()
        body = {
            "count": found.count,
            "next": replace_query_param(url, "page", page + 1) if page * size < found.count else None,
            "previous": _previous(url, page),
            "results": found.items,
            "sources": found.sources,
        }
        return Response(body)


def _previous(url: str, page: int) -> str | None:
    if page == 1:
        return None
    return remove_query_param(url, "page") if page == 2 else replace_query_param(url, "page", page - 1)


class StoredCollections:
    """All collections in order, for the paginator."""

    ordered = True
    FIELDS = ["title", "created_at"]

    def __init__(self, ordering: str) -> None:
        fields = check_ordering(ordering, self.FIELDS)
        self._sort = [(field.removeprefix("-"), -1 if field.startswith("-") else 1) for field in [*fields, "_id"]]

    def count(self) -> int:
        return collections().count_documents({})

    def __len__(self) -> int:
        return self.count()

    def __getitem__(self, page: slice) -> list[Document]:
        found = collections().find({}).sort(self._sort)
        return list(found.skip(page.start).limit(page.stop - page.start))


_COLLECTION_ORDERING = OpenApiParameter(
    "ordering",
    OpenApiTypes.STR,
    OpenApiParameter.QUERY,
    description=f"{', '.join(StoredCollections.FIELDS)}; a leading - for descending",
)


class CollectionListView(APIView):
    permission_classes = [ReadOrStaff]

    @extend_schema(parameters=[_COLLECTION_ORDERING], responses=CollectionSerializer(many=True))
    def get(self, request: Request) -> Response:
        pages = Pages()
        stored = StoredCollections(request.query_params.get("ordering") or "title")
        page: Any = pages.paginate_queryset(stored, request, self)
        return pages.get_paginated_response(CollectionSerializer(page, many=True).data)

    @extend_schema(request=CollectionSerializer, responses={201: CollectionSerializer})
    def post(self, request: Request) -> Response:
        given = CollectionSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        return _answer(services.create(values=given.validated_data), status.HTTP_201_CREATED)


class CollectionView(APIView):
    permission_classes = [ReadOrStaff]

    @extend_schema(responses=CollectionWithCountSerializer)
    def get(self, request: Request, slug: str) -> Response:
        found = services.get(slug=slug)
        shown = CollectionWithCountSerializer({**found, "item_count": services.count_items(slug=slug)})
        return Response(shown.data, headers=_etag(found))

    @extend_schema(request=CollectionUpdateSerializer, responses=CollectionSerializer)
    def put(self, request: Request, slug: str) -> Response:
        return self._update(slug, partial=False)

    @extend_schema(request=CollectionUpdateSerializer, responses=CollectionSerializer)
    def patch(self, request: Request, slug: str) -> Response:
        return self._update(slug, partial=True)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, slug: str) -> Response:
        services.delete(slug=slug)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _update(self, slug: str, *, partial: bool) -> Response:
        given = CollectionUpdateSerializer(data=self.request.data, partial=partial)
        given.is_valid(raise_exception=True)
        updated = services.update(slug=slug, values=given.validated_data, version=expected_version(self.request))
        return _answer(updated)


def _answer(collection: Document, code: int = status.HTTP_200_OK) -> Response:
    return Response(CollectionSerializer(collection).data, status=code, headers=_etag(collection))


def _etag(collection: Document) -> dict[str, str]:
    return {"ETag": f'"{collection["version"]}"'}
