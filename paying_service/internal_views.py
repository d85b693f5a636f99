"""The HTTP side of payments for the order service."""

import uuid

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from paying_service import checkout, services
from paying_service.models import Payment
from paying_service.serializers import (
    DueSerializer,
    InternalPaymentSerializer,
    OpenPaymentSerializer,
    RefundAskedSerializer,
)
from shopkit.permissions import IsService
from shopkit.shapes import given, shown


class InternalView(APIView):
    permission_classes = [IsService]
    schema = None


class OpenView(InternalView):
    def get(self, request: Request) -> Response:
        """All payments, in pages `after` an id: for the auditor."""
        return Response({"rows": services.page_of_payments(after=request.query_params.get("after", ""))})

    def post(self, request: Request) -> Response:
        return _answer(checkout.open_payment(**given(OpenPaymentSerializer, request)), status.HTTP_201_CREATED)


class DueView(InternalView):
    def post(self, request: Request) -> Response:
        checkout.note_due(**given(DueSerializer, request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class OneView(InternalView):
    def get(self, request: Request, payment_id: uuid.UUID) -> Response:
        return _answer(checkout.look(payment_id=payment_id))


class AuthoriseView(InternalView):
    def post(self, request: Request, payment_id: uuid.UUID) -> Response:
        return _answer(checkout.authorise(payment_id=payment_id))


class CaptureView(InternalView):
    def post(self, request: Request, payment_id: uuid.UUID) -> Response:
        return _answer(checkout.capture(payment_id=payment_id))


class VoidView(InternalView):
    def post(self, request: Request, payment_id: uuid.UUID) -> Response:
        return _answer(checkout.void(payment_id=payment_id))


class RefundsView(InternalView):
    def post(self, request: Request, payment_id: uuid.UUID) -> Response:
        return _answer(checkout.refund(payment_id=payment_id, **given(RefundAskedSerializer, request)))


def _answer(payment: Payment, code: int = status.HTTP_200_OK) -> Response:
    return Response(shown(InternalPaymentSerializer, payment), status=code)
