"""The HTTP side of payments: parse, one use-case, serialize."""

import uuid

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import ListAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from paying_service import checkout, services, sessions, webhooks
from paying_service.filters import PaymentFilter
from paying_service.models import Payment
from paying_service.providers import simulated
from paying_service.serializers import (
    BeginSerializer,
    ChangePaymentSerializer,
    CreatePaymentSerializer,
    IntentSerializer,
    OfferSerializer,
    PaymentSerializer,
    PaymentStatusSerializer,
    RefundSerializer,
    SessionSerializer,
    SimulateSerializer,
    VerifySerializer,
)
from shopkit.auth import caller
from shopkit.errors import Forbidden
from shopkit.etag import IF_MATCH, etag, expected_version
from shopkit.idempotency.views import KEY, idempotent, key_of
from shopkit.permissions import IsKnown, IsStaff, ReadOrStaff
from shopkit.shapes import given, shown


class PaymentListView(ListAPIView[Payment]):
    """A customer's own payments; to staff, all."""

    permission_classes = [IsKnown]
    queryset = Payment.objects.all()
    serializer_class = PaymentSerializer
    filterset_class = PaymentFilter
    ordering_fields = ["created_at", "updated_at", "amount"]
    ordering = ["-created_at"]

    def get_queryset(self) -> QuerySet[Payment]:
        return services.visible_payments(identity=caller(self.request))

    @extend_schema(request=OfferSerializer, responses={202: PaymentSerializer})
    @idempotent(in_transaction=True)
    def post(self, request: Request) -> Response:
        """Pays for an order of one's own that waits for it; what comes of it shows later.

        Staff give `amount` too, and record a payment that came in another way.
        """
        user = caller(request)
        if user.is_staff and isinstance(request.data, dict) and "amount" in request.data:
            return _answer(services.create_payment(**given(CreatePaymentSerializer, request)), status.HTTP_202_ACCEPTED)
        offered = checkout.offer(identity=user, **given(OfferSerializer, request))
        return _answer(offered, status.HTTP_202_ACCEPTED)


class PaymentView(APIView):
    permission_classes = [IsKnown, ReadOrStaff]

    @extend_schema(responses=PaymentSerializer)
    def get(self, request: Request, payment_id: uuid.UUID) -> Response:
        return _answer(_payment(request, payment_id))

    @extend_schema(parameters=[IF_MATCH], request=ChangePaymentSerializer, responses=PaymentSerializer)
    def patch(self, request: Request, payment_id: uuid.UUID) -> Response:
        """Staff only: moves a payment forward."""
        payment = _payment(request, payment_id)
        to, version = given(ChangePaymentSerializer, request)["status"], expected_version(request)
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
        return Response(shown(PaymentStatusSerializer, payment))


class RefundView(APIView):
    permission_classes = [IsStaff]

    @extend_schema(request=RefundSerializer, responses=PaymentSerializer)
    @idempotent()
    def post(self, request: Request, payment_id: uuid.UUID) -> Response:
        """Staff only: gives back so much, or all that is left."""
        payment, key = _payment(request, payment_id), key_of(request)
        wish = given(RefundSerializer, request)
        refund_id = (
            uuid.uuid5(payment.pk, f"asked {key}") if key else uuid.uuid4()
        )  # asked again, it is the same refund
        amount = wish.get("amount")
        return _answer(checkout.refund(payment_id=payment.pk, refund_id=refund_id, amount=amount))


class SimulateView(APIView):
    permission_classes = [IsKnown]

    @extend_schema(request=SimulateSerializer, responses=PaymentSerializer)
    def post(self, request: Request, payment_id: uuid.UUID) -> Response:
        """What the customer would do on the provider's page: confirms the payment, or declines it.

        For staff also `fail_refunds`: what was given back does not arrive.
        """
        payment, outcome = _payment(request, payment_id), given(SimulateSerializer, request)["outcome"]
        services.check_simulated(payment)
        if outcome != "fail_refunds":
            simulated.confirm(payment, accepted=outcome == "confirm")
        elif caller(request).is_staff:
            simulated.fail_refunds(payment)
        else:
            raise Forbidden
        return _answer(checkout.look(payment_id=payment.pk))


class CheckoutSessionView(APIView):
    permission_classes = [IsKnown]

    @extend_schema(request=BeginSerializer, responses={201: SessionSerializer})
    @idempotent()
    def post(self, request: Request) -> Response:
        """A page of the provider's where the customer pays for an order of theirs that waits; asked again, the same."""
        session = _begun(request, Payment.HOSTED)
        page = {"payment": session.payment, "url": request.build_absolute_uri(session.begun.url)}
        return Response(shown(SessionSerializer, page), status=status.HTTP_201_CREATED)


class PaymentIntentView(APIView):
    permission_classes = [IsKnown]

    @extend_schema(parameters=[KEY], request=BeginSerializer, responses={201: IntentSerializer})
    def post(self, request: Request) -> Response:
        """What the provider's script needs to take the payment in the shop's own page; asked again, the same."""
        answer = self._begin(request)
        if status.is_success(answer.status_code):
            payment = _payment(request, answer.data["payment"]["id"])
            answer.data = {**answer.data, "client_secret": sessions.secret_of(payment)}
        return answer

    @idempotent()
    def _begin(self, request: Request) -> Response:
        """The answer that may be kept: without the secret."""
        session = _begun(request, Payment.INTENT)
        intent = {"payment": session.payment, "ref": session.begun.ref, "client_secret": "", "key": session.key}
        return Response(shown(IntentSerializer, intent), status=status.HTTP_201_CREATED)


def _begun(request: Request, way: str) -> sessions.Session:
    return sessions.begin(identity=caller(request), way=way, **given(BeginSerializer, request))


class VerifyView(APIView):
    permission_classes = [IsKnown]

    @extend_schema(request=VerifySerializer, responses=PaymentSerializer)
    def post(self, request: Request) -> Response:
        """The payment as its provider has it, once its customer has come back from there."""
        proof = given(VerifySerializer, request)
        return _answer(sessions.verify(payment=_payment(request, proof.pop("payment_id")), proof=proof))


class WebhookView(APIView):
    permission_classes = [AllowAny]
    authentication_classes = []
    provider = ""

    @extend_schema(request=OpenApiTypes.OBJECT, responses={200: OpenApiTypes.OBJECT})
    def post(self, request: Request) -> Response:
        """From a provider, signed by its own scheme over the body as it is: `{new}`, false when it was here before."""
        new = webhooks.take(provider=self.provider, body=request._request.body, headers=request.headers)
        return Response({"new": new})


def _payment(request: Request, payment_id: uuid.UUID) -> Payment:
    return services.get_payment(payment_id=payment_id, identity=caller(request))


def _answer(payment: Payment, code: int = status.HTTP_200_OK) -> Response:
    return Response(shown(PaymentSerializer, payment), status=code, headers=etag(payment.version))
