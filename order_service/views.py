"""The HTTP side of orders: parse, one use-case, serialize."""

import uuid
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from order_service import placing, saga, services
from order_service.filters import DailyReportFilter, OrderFilter
from order_service.models import DailyReport, Order, OrderEvent
from order_service.serializers import (
    ChangeOrderSerializer,
    DailyReportSerializer,
    OrderEventSerializer,
    OrderSerializer,
    PaymentNewsSerializer,
    PlaceOrderSerializer,
    ShipmentNewsSerializer,
    StaffChangeOrderSerializer,
)
from shopkit.auth import caller
from shopkit.etag import IF_MATCH, etag, expected_version
from shopkit.idempotency.views import idempotent, scope_of
from shopkit.permissions import IsKnown, IsService, IsStaff, visible
from shopkit.shapes import given, shown


class OrderListView(ListAPIView[Order]):
    """A customer's own orders; to staff, all."""

    permission_classes = [IsKnown]
    queryset = Order.objects.prefetch_related("lines")
    serializer_class = OrderSerializer
    filterset_class = OrderFilter
    ordering_fields = ["created_at", "updated_at", "total"]
    ordering = ["-created_at"]

    def get_queryset(self) -> QuerySet[Order]:
        return visible(super().get_queryset(), caller(self.request))

    @extend_schema(request=PlaceOrderSerializer, responses={201: OrderSerializer})
    @idempotent()
    def post(self, request: Request) -> Response:
        """Orders what is in a cart."""
        wish = placing.Wish(**given(PlaceOrderSerializer, request), placed_by=scope_of(request))
        return _answer(placing.place_order(identity=caller(request), wish=wish), status.HTTP_201_CREATED)


class OrderView(APIView):
    permission_classes = [IsKnown]

    def get_permissions(self) -> Any:
        return [IsStaff()] if self.request.method == "DELETE" else super().get_permissions()

    @extend_schema(responses=OrderSerializer)
    def get(self, request: Request, order_id: uuid.UUID) -> Response:
        return _answer(_order(request, order_id))

    @extend_schema(parameters=[IF_MATCH], request=StaffChangeOrderSerializer, responses=OrderSerializer)
    def patch(self, request: Request, order_id: uuid.UUID) -> Response:
        """Changes a pending order's email or address; only from staff does `status` take effect."""
        order, is_staff = _order(request, order_id), caller(request).is_staff
        given = (StaffChangeOrderSerializer if is_staff else ChangeOrderSerializer)(data=request.data)
        given.is_valid(raise_exception=True)
        version = expected_version(request)
        return _answer(services.update_order(order=order, values=given.validated_data, version=version))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, order_id: uuid.UUID) -> Response:
        """Staff only, and only while it is pending, cancelled or expired."""
        services.delete_order(order=_order(request, order_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


class CancelView(APIView):
    permission_classes = [IsKnown]

    @extend_schema(request=None, responses=OrderSerializer)
    def post(self, request: Request, order_id: uuid.UUID) -> Response:
        """Possible until money is taken: from pending, reserved and authorised. Whatever was begun is undone."""
        order = services.cancel_order(order=_order(request, order_id))
        saga.run(order.pk)
        return _answer(_order(request, order_id))


class TimelineView(ListAPIView[OrderEvent]):
    """What happened to an order, the first step first."""

    permission_classes = [IsKnown]
    queryset = OrderEvent.objects.all()
    serializer_class = OrderEventSerializer
    ordering_fields = ["at"]
    ordering = ["at"]

    def get_queryset(self) -> QuerySet[OrderEvent]:
        return super().get_queryset().filter(order=_order(self.request, self.kwargs["order_id"]))


class DailyReportView(ListAPIView[DailyReport]):
    """What was sold on each day, by UTC; the last day first. For staff."""

    permission_classes = [IsStaff]
    queryset = DailyReport.objects.all()
    serializer_class = DailyReportSerializer
    filterset_class = DailyReportFilter
    ordering_fields = ["day", "gross", "net"]
    ordering = ["-day", "currency"]


class PaymentNewsView(APIView):
    permission_classes = [IsService]

    @extend_schema(exclude=True)
    def post(self, request: Request) -> Response:
        services.take_payment_news(**given(PaymentNewsSerializer, request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class ShipmentNewsView(APIView):
    permission_classes = [IsService]

    @extend_schema(exclude=True)
    def post(self, request: Request) -> Response:
        services.take_shipment_news(**given(ShipmentNewsSerializer, request))
        return Response(status=status.HTTP_204_NO_CONTENT)


def _order(request: Request, order_id: uuid.UUID) -> Order:
    return services.get_order(order_id=order_id, identity=caller(request))


def _answer(order: Order, code: int = status.HTTP_200_OK) -> Response:
    return Response(shown(OrderSerializer, order), status=code, headers=etag(order.version))
