"""Recommendations over HTTP: for the caller, and for an item."""

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from items_router.recommending import choosing
from items_router.serializers import RecommendedSerializer, SimilarSerializer
from shopkit.auth import caller
from shopkit.pagination import Pages
from shopkit.permissions import ReadOrStaff
from shopkit.schema import PAGE_PARAMETERS


class RecommendationsView(APIView):
    """For the caller, from what they bought and looked at; newcomers get what sells."""

    permission_classes = [ReadOrStaff]

    @extend_schema(parameters=PAGE_PARAMETERS, responses=RecommendedSerializer)
    def get(self, request: Request) -> Response:
        recommended = choosing.for_customer(customer_id=caller(request).customer_id)
        return _paged(request, self, recommended.items, basis=recommended.basis)


class SimilarView(APIView):
    """What others bought who bought this item, then what is like it."""

    permission_classes = [ReadOrStaff]

    @extend_schema(parameters=PAGE_PARAMETERS, responses=SimilarSerializer)
    def get(self, request: Request, item_id: str) -> Response:
        items = choosing.similar(item_id=item_id, customer_id=caller(request).customer_id)
        return _paged(request, self, items)


def _paged(request: Request, view: APIView, items: Sequence[dict[str, Any]], **more: str) -> Response:
    pages = Pages()
    answer = pages.get_paginated_response(pages.paginate_queryset(items, request, view))
    answer.data |= more
    answer["Cache-Control"] = "private, no-cache"  # it is about who asks
    return answer
