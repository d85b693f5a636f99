"""What other services tell a customer service; never reached from outside."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.urls import URLPattern, path
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from shopkit.customers import purchases
from shopkit.customers.serializers import OrderToldSerializer
from shopkit.customers.views import at_home
from shopkit.errors import found
from shopkit.permissions import IsService


class OrdersToldView(APIView):
    """Takes an order as it now is; `keep` is the service's use-case for it."""

    permission_classes = [IsService]
    customers: "QuerySet[Any] | None" = None
    keep = staticmethod(purchases.keep)

    @extend_schema(exclude=True)
    @transaction.atomic
    def post(self, request: Request, customer_id: str) -> Response:
        """`{"applied": bool}`; somebody who forgot themselves still has their orders counted."""
        told = OrderToldSerializer(data=request.data)
        told.is_valid(raise_exception=True)
        assert self.customers is not None
        customer = found(self.customers.select_for_update().filter(pk=customer_id).first())
        return Response({"applied": self.keep(customer=at_home(customer, request), **told.validated_data)})


def internal_urls(typed_path: str, customers: "QuerySet[Any]", **more: Any) -> list[URLPattern]:
    """By the typed path too: that is where someone who moved is said to be."""
    view = OrdersToldView.as_view(customers=customers, **more)
    return [path(f"internal/{prefix}/<str:customer_id>/orders/", view) for prefix in (typed_path, "customers")]
