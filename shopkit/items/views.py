"""The HTTP side of an item service: parse, one use-case, serialize."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from shopkit.auth import caller
from shopkit.errors import Invalid, NotFound
from shopkit.etag import etag, expected_version, unchanged
from shopkit.items import services, stock_log
from shopkit.items.kind import ItemKind
from shopkit.items.query import ItemQuery
from shopkit.items.serializers import StockChangeSerializer, StockEntrySerializer
from shopkit.mongo import Document
from shopkit.pagination import Pages
from shopkit.permissions import IsStaff, ReadOrStaff


class KindView(APIView):
    """Any view of one kind of item."""

    kind: ClassVar[ItemKind]
    permission_classes = [ReadOrStaff]
    pagination_class = Pages

    def shown(self, item: Document) -> dict[str, Any]:
        return dict(self.kind.reader.to_representation(item))

    def answer(self, item: Document, code: int = status.HTTP_200_OK) -> Response:
        return Response(self.shown(item), status=code, headers=etag(item["version"]))

    def valid(self, **kwargs: Any) -> Document:
        serializer = self.kind.serializer(data=self.request.data, context={"kind": self.kind}, **kwargs)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)


class ItemListView(KindView):
    def get(self, request: Request) -> Response:
        asked = request.query_params.get("type")
        if asked is not None and asked != self.kind.type:
            raise Invalid(f"This service keeps items of type {self.kind.type}.", code="unknown_item_type")
        pages = self.pagination_class()
        page: Any = pages.paginate_queryset(ItemQuery(self.kind, request.query_params), request, self)
        return pages.get_paginated_response([self.shown(item) for item in page])

    def post(self, request: Request) -> Response:
        item = services.create(kind=self.kind, values=self.valid())
        answer = self.answer(item, status.HTTP_201_CREATED)
        answer["Location"] = f"/api/{self.kind.path}/{item['_id']}/"
        return answer


class ItemView(KindView):
    def get(self, request: Request, item_id: str) -> Response:
        item = services.get(item_id=item_id)
        return unchanged(request, etag(item["version"])["ETag"]) or self.answer(item)

    def put(self, request: Request, item_id: str) -> Response:
        return self._update(item_id, partial=False)

    def patch(self, request: Request, item_id: str) -> Response:
        return self._update(item_id, partial=True)

    def delete(self, request: Request, item_id: str) -> Response:
        services.delete(item_id=item_id, version=expected_version(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _update(self, item_id: str, *, partial: bool) -> Response:
        if not item_id.startswith(f"{self.kind.type}_"):
            raise NotFound
        values = self.valid(partial=partial)
        return self.answer(
            services.update(kind=self.kind, item_id=item_id, values=values, version=expected_version(self.request))
        )


class StockView(KindView):
    @extend_schema(request=StockChangeSerializer)
    def post(self, request: Request, item_id: str) -> Response:
        """Staff only: adds to what is free to sell, or takes from it."""
        change = StockChangeSerializer(data=request.data)
        change.is_valid(raise_exception=True)
        by = caller(request).customer_id
        return self.answer(services.adjust_stock(item_id=item_id, by=by, **change.validated_data))


class StockLogView(KindView):
    """Staff only: every change of an item's stock, the latest first."""

    permission_classes = [IsStaff]

    def get(self, request: Request, item_id: str) -> Response:
        pages = self.pagination_class()
        page: Any = pages.paginate_queryset(stock_log.history(item_id=item_id), request, self)
        return pages.get_paginated_response(StockEntrySerializer(page, many=True).data)
