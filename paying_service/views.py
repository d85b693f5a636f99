"""The HTTP side of payments: parse, one use-case, serialize."""

import uuid

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from paying_service import services
from paying_service.filters import PaymentFilter
from paying_service.models import Payment
from paying_service.serializers import (
    ChangePaymentSerializer,
    CreatePaymentSerializer,
    PaymentSerializer,
    PaymentStatusSerializer,
)
from shopkit.auth import caller
from shopkit.etag import IF_MATCH, etag, expected_version
from shopkit.permissions import IsKnown, ReadOrStaff


class PaymentListView(ListAPIView[Payment]):
    """A customer's own payments; to staff, all."""

    permission_classes = [IsKnown, ReadOrStaff]
    queryset = Payment.objects.all()
    serializer_class = PaymentSerializer
    filterset_class = PaymentFilter
    ordering_fields = ["created_at", "updated_at", "amount"]
    ordering = ["-created_at"]

    def get_queryset(self) -> QuerySet[Payment]:
        return services.visible_payments(identity=caller(self.request))

    @extend_schema(request=CreatePaymentSerializer, responses={202: PaymentSerializer})
    def post(self, request: Request) -> Response:
        """Staff only: asks for an amount for an order."""
        given = CreatePaymentSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        return _answer(services.create_payment(**given.validated_data), status.HTTP_202_ACCEPTED)


class PaymentView(APIView):
    permission_classes = [IsKnown, ReadOrStaff]

    @extend_schema(responses=PaymentSerializer)
    def get(self, request: Request, payment_id: uuid.UUID) -> Response:
        return _answer(_payment(request, payment_id))

    @extend_schema(parameters=[IF_MATCH], request=ChangePaymentSerializer, responses=PaymentSerializer)
    def patch(self, request: Request, payment_id: uuid.UUID) -> Response:
        """Staff only: moves a payment forward."""
        payment = _payment(request, payment_id)
        given = ChangePaymentSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        to, version = given.validated_data["status"], expected_version(request)
        return _answer(services.move(payment=payment, to=to, version=version))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, payment_id: uuid.UUID) -> Response:
        """Staff only, and only while it is pending or failed."""
        services.delete_payment(payment=_payment(request, payment_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


class OrderPaymentView(APIView):
    permission_classes = [IsKnown]

    @extend_schema(responses=PaymentStatusSerializer)
    def get(self, request: Request, order_id: uuid.UUID) -> Response:
        """The status of the order's latest payment."""
        payment = services.latest_payment(order_id=order_id, identity=caller(request))
        return Response(PaymentStatusSerializer(payment).data)


def _payment(request: Request, payment_id: uuid.UUID) -> Payment:
    return services.get_payment(payment_id=payment_id, identity=caller(request))


def _answer(payment: Payment, code: int = status.HTTP_200_OK) -> Response:
    return Response(PaymentSerializer(payment).data, status=code, headers=etag(payment.version))
