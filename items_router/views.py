"""What the items router answers itself: what is in its catalogue, and the collections."""

from typing import Any
from urllib.parse import urlsplit

from django.http import QueryDict
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param
from rest_framework.views import APIView

from items_router import services
from items_router.catalogue import applying, facets, reading, sources
from items_router.catalogue.change import Change
from items_router.documents import collections
from items_router.recommending import signals
from items_router.serializers import (
    CollectionSerializer,
    CollectionUpdateSerializer,
    CollectionWithCountSerializer,
    CombinedItemsSerializer,
    FacetsSerializer,
    ToldSerializer,
)
from shopkit import topology
from shopkit.auth import caller
from shopkit.documents import Documents, sorting
from shopkit.errors import Invalid, NotFound, Unavailable
from shopkit.etag import IF_MATCH, etag, expected_version, unchanged
from shopkit.items.filters import COMMON
from shopkit.items.query import list_parameters
from shopkit.mongo import Document
from shopkit.pagination import Pages, check_page_exists, page_bounds
from shopkit.permissions import ReadOrStaff, TellsUs
from shopkit.schema import ordering_parameter

_SEVERAL = OpenApiParameter("type", str, OpenApiParameter.QUERY, description="one type, or several with commas between")
_STRICT = OpenApiParameter("strict", bool, OpenApiParameter.QUERY, description="503 unless every service answers")
_AS_OF = OpenApiParameter("as_of", int, OpenApiParameter.QUERY, description="as `next` has it: no items made since")
_FILTERS = [_SEVERAL, *list_parameters(COMMON), _STRICT]
_RETRY = {"Retry-After": "1"}
_COLLECTION_ORDERING = {"title": "title", "created_at": "created_at"}


_OF_LISTS = ("ordering", "page", "page_size")


class CombinedItemsView(APIView):
    permission_classes = [ReadOrStaff]

    @extend_schema(operation_id="items_list", parameters=[*_FILTERS, _AS_OF], responses=CombinedItemsSerializer)
    def get(self, request: Request) -> Response:
        """All types as one list. Without `ordering`: by name or, of a search, the best match first."""
        tag = _etag()
        if same := unchanged(request, tag):
            return same
        page, size = page_bounds(request.query_params)
        states = _sources(request)
        found = reading.page(params=request.query_params.dict(), page=page, size=size)
        check_page_exists(page, size, found.count)
        url = request.build_absolute_uri()
        body = {
            "count": found.count,
            "next": _next(url, page, found.as_of) if page * size < found.count else None,
            "previous": _previous(url, page),
            "results": found.items,
            "sources": states,
        }
        return Response(body, headers={"ETag": tag})


class FacetsView(APIView):
    permission_classes = [ReadOrStaff]

    @extend_schema(
        operation_id="items_facets",
        parameters=[each for each in _FILTERS if each.name not in _OF_LISTS],
        responses=FacetsSerializer,
    )
    def get(self, request: Request) -> Response:
        """What a list with these filters could be narrowed by, and to how many items."""
        tag = _etag()
        if same := unchanged(request, tag):
            return same
        states = _sources(request)
        return Response({**facets.facets(params=request.query_params.dict()), "sources": states}, headers={"ETag": tag})


def _etag() -> str:
    """Of whatever is read from the catalogue after this: while it is the same, so is each answer."""
    return f'"{reading.generation()}"'


class SnapshotView(APIView):
    """What comes here is asked for while its service can't be reached: the rest is passed on."""

    permission_classes = [ReadOrStaff]

    @extend_schema(operation_id="items_retrieve", responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, item_id: str) -> Response:
        """One item, with its type's own fields; with `"source": "snapshot"` while its service can't be reached."""
        if item := reading.item(item_id=item_id):
            return Response({**item, "source": "snapshot"}, headers={"X-Source": "snapshot"})
        if reading.is_gone(item_id=item_id) or not _is_of_a_type(item_id):
            raise NotFound
        raise Unavailable(headers=_RETRY)


class ToldView(APIView):
    """What item services tell of their items, and of who has bought them."""

    permission_classes = [TellsUs]

    @extend_schema(exclude=True)
    def post(self, request: Request) -> Response:
        given = ToldSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        try:
            changes = [Change.read(each) for each in given.validated_data["changes"]]
            purchases = [signals.Purchase.read(each) for each in given.validated_data["purchases"]]
        except (LookupError, TypeError, ValueError, ArithmeticError):
            raise Invalid("That is no change of an item, or no purchase.") from None
        _check_own(request, {*(each.id for each in changes), *(each.item for each in purchases)})
        applying.apply(changes)
        signals.take(purchases)
        return Response({})


def _check_own(request: Request, ids: set[str]) -> None:
    """An item service tells of its own items."""
    teller = topology.service(caller(request).service or "")
    if ids.difference(topology.of_items(ids).get(teller, ())):
        raise Invalid("That is not an item of yours.", code="not_yours")


def _sources(request: Request) -> dict[str, str]:
    """`Unavailable` with `strict`, when a service does not answer."""
    live = sources.live()
    missing = ", ".join(sorted(kind for kind, answers in live.items() if not answers))
    if missing and request.query_params.get("strict", "").lower() in ("true", "1"):
        raise Unavailable(f"No answer from the services of: {missing}.", headers=_RETRY)
    return {kind: "live" if answers else "snapshot" for kind, answers in live.items()}


def _is_of_a_type(item_id: str) -> bool:
    return item_id.partition("_")[0] in topology.by_item_type()


def _next(url: str, page: int, as_of: int) -> str:
    url = replace_query_param(url, "page", page + 1)
    return url if "as_of" in QueryDict(urlsplit(url).query) else replace_query_param(url, "as_of", as_of)


def _previous(url: str, page: int) -> str | None:
    if page == 1:
        return None
    return remove_query_param(url, "page") if page == 2 else replace_query_param(url, "page", page - 1)


class CollectionListView(APIView):
    permission_classes = [ReadOrStaff]

    @extend_schema(
        parameters=[ordering_parameter(_COLLECTION_ORDERING)], responses=CollectionWithCountSerializer(many=True)
    )
    def get(self, request: Request) -> Response:
        pages = Pages()
        sort = sorting(request.query_params.get("ordering") or "title", _COLLECTION_ORDERING)
        page: Any = pages.paginate_queryset(Documents(collections(), sort=sort), request, self)
        return pages.get_paginated_response(CollectionWithCountSerializer(_counted(page), many=True).data)

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
        counted = _counted([found])[0]
        headers = etag(found["version"], also=counted["item_count"])
        return Response(CollectionWithCountSerializer(counted).data, headers=headers)

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


def _counted(found: list[Document]) -> list[Document]:
    counts = reading.counts_of_collections(collection["_id"] for collection in found)
    return [{**collection, "item_count": counts[collection["_id"]]} for collection in found]


def _answer(collection: Document, code: int = status.HTTP_200_OK) -> Response:
    return Response(CollectionSerializer(collection).data, status=code, headers=etag(collection["version"]))
