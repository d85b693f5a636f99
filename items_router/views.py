"""What the items router answers itself: the combined list and the collections."""

from typing import Any

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
from shopkit.documents import Documents, sorting
from shopkit.etag import IF_MATCH, etag, expected_version
from shopkit.items.filters import COMMON
from shopkit.items.query import list_parameters
from shopkit.mongo import Document
from shopkit.pagination import Pages, check_page_exists, page_bounds
from shopkit.permissions import ReadOrStaff
from shopkit.schema import ordering_parameter

_FILTERS = (*COMMON, "ordering")
_STRICT = OpenApiParameter("strict", bool, OpenApiParameter.QUERY, description="503 unless every service answers")
_COLLECTION_ORDERING = {"title": "title", "created_at": "created_at"}


class CombinedItemsView(APIView):
    permission_classes = [ReadOrStaff]

    @extend_schema(parameters=[*list_parameters(COMMON), _STRICT], responses=CombinedItemsSerializer)
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


class CollectionListView(APIView):
    permission_classes = [ReadOrStaff]

    @extend_schema(parameters=[ordering_parameter(_COLLECTION_ORDERING)], responses=CollectionSerializer(many=True))
    def get(self, request: Request) -> Response:
        pages = Pages()
        sort = sorting(request.query_params.get("ordering") or "title", _COLLECTION_ORDERING)
        page: Any = pages.paginate_queryset(Documents(collections(), sort=sort), request, self)
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
        return Response(shown.data, headers=etag(found["version"]))

    @extend_schema(parameters=[IF_MATCH], request=CollectionUpdateSerializer, responses=CollectionSerializer)
    def put(self, request: Request, slug: str) -> Response:
        return self._update(slug, partial=False)

    @extend_schema(parameters=[IF_MATCH], request=CollectionUpdateSerializer, responses=CollectionSerializer)
    def patch(self, request: Request, slug: str) -> Response:
        return self._update(slug, partial=True)

    @extend_schema(parameters=[IF_MATCH], responses={204: None})
    def delete(self, request: Request, slug: str) -> Response:
        services.delete(slug=slug, version=expected_version(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _update(self, slug: str, *, partial: bool) -> Response:
        given = CollectionUpdateSerializer(data=self.request.data, partial=partial)
        given.is_valid(raise_exception=True)
        updated = services.update(slug=slug, values=given.validated_data, version=expected_version(self.request))
        return _answer(updated)


def _answer(collection: Document, code: int = status.HTTP_200_OK) -> Response:
    return Response(CollectionSerializer(collection).data, status=code, headers=etag(collection["version"]))
