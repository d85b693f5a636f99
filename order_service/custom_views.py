"""The HTTP side of custom orders: parse, one use-case, serialize."""

import uuid
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.generics import ListAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from order_service import custom_orders, saga
from order_service.custom_models import CustomEvent, CustomOrder
from order_service.custom_serializers import (
    ApproveSerializer,
    AskedSerializer,
    AskSerializer,
    ChangeSerializer,
    CustomEventSerializer,
    CustomOrderSerializer,
    QuoteSerializer,
    RejectSerializer,
)
from order_service.filters import CustomOrderFilter
from shopkit import pictures
from shopkit.auth import caller
from shopkit.errors import found
from shopkit.etag import IF_MATCH, etag, expected_version
from shopkit.idempotency.views import KEY, idempotent
from shopkit.parsers import StrictJSONParser, StrictMultiPartParser
from shopkit.permissions import IsKnown, IsStaff, visible
from shopkit.picture_api import PICTURE_RESPONSES, AnyKind, picture_answer
from shopkit.shapes import given

SECRET = OpenApiParameter(
    "secret", str, OpenApiParameter.QUERY, description="For who does not sign in: the secret of the link they got."
)


class CustomOrderListView(ListAPIView[CustomOrder]):
    """A customer's own custom orders; to staff, all."""

    permission_classes = [IsKnown]
    parser_classes = [StrictJSONParser, StrictMultiPartParser]
    queryset = CustomOrder.objects.select_related("order").prefetch_related("images")
    serializer_class = CustomOrderSerializer
    filterset_class = CustomOrderFilter
    ordering_fields = ["created_at", "updated_at", "valid_until"]
    ordering = ["-created_at"]

    def get_permissions(self) -> Any:
        return [AllowAny()] if self.request.method == "POST" else super().get_permissions()

    def get_queryset(self) -> QuerySet[CustomOrder]:
        return visible(super().get_queryset(), caller(self.request))

    @extend_schema(parameters=[KEY], request=AskSerializer, responses={201: AskedSerializer})
    def post(self, request: Request) -> Response:
        """Asks for a piece to be made, with up to five pictures: as files of a form, or as base64 in JSON."""
        _ = request.body  # kept for the key's sake: a form could be read but once
        wish = given(AskSerializer, request)
        raw = wish.pop("images", [])
        images = [pictures.cleaned(each, place=f"images.{number}") for number, each in enumerate(raw)]
        return self._ask(request, wish, images)

    @idempotent(in_transaction=True)  # and pictures are decoded before it, which takes a while
    def _ask(self, request: Request, wish: dict[str, Any], images: list[pictures.Picture]) -> Response:
        custom = custom_orders.ask(identity=caller(request), images=images, **wish)
        context = {"request": request, "secret": custom.secret}
        body = AskedSerializer(custom, context=context).data
        return Response(body, status=status.HTTP_201_CREATED, headers=etag(custom.version))


class CustomOrderView(APIView):
    permission_classes = [AllowAny]

    @extend_schema(parameters=[SECRET], responses=CustomOrderSerializer)
    def get(self, request: Request, custom_id: uuid.UUID) -> Response:
        return _answer(request, _custom(request, custom_id))

    @extend_schema(parameters=[SECRET, IF_MATCH], request=ChangeSerializer, responses=CustomOrderSerializer)
    def patch(self, request: Request, custom_id: uuid.UUID) -> Response:
        """Says where it shall go, and how, until it is approved."""
        _custom(request, custom_id)
        wish, version = given(ChangeSerializer, request), expected_version(request)
        return _answer(request, custom_orders.change(custom_id=custom_id, version=version, **wish))


class QuoteView(APIView):
    permission_classes = [IsStaff]

    @extend_schema(request=QuoteSerializer, responses=CustomOrderSerializer)
    def post(self, request: Request, custom_id: uuid.UUID) -> Response:
        """Staff only: what it costs; may be quoted anew until it is approved."""
        wish = given(QuoteSerializer, request)
        return _answer(request, custom_orders.quote(custom_id=custom_id, by=_staff(request), **wish))


class ApproveView(APIView):
    permission_classes = [IsStaff]

    @extend_schema(request=ApproveSerializer, responses=CustomOrderSerializer)
    @idempotent()
    def post(self, request: Request, custom_id: uuid.UUID) -> Response:
        """Staff only: makes it an order that waits for its payment; its customer is mailed where to pay.

        `payment_url` is null for the moment if the provider could not be asked.
        """
        custom = custom_orders.approve(custom_id=custom_id, by=_staff(request), **given(ApproveSerializer, request))
        saga.run(custom.order_id)
        custom_orders.try_to_link(custom_id=custom_id)
        return _answer(request, _custom(request, custom_id))


class RejectView(APIView):
    permission_classes = [IsStaff]

    @extend_schema(request=RejectSerializer, responses=CustomOrderSerializer)
    def post(self, request: Request, custom_id: uuid.UUID) -> Response:
        """Staff only: until it is paid; an order that waits for its payment is cancelled."""
        custom = custom_orders.reject(custom_id=custom_id, by=_staff(request), **given(RejectSerializer, request))
        if custom.order_id:
            saga.run(custom.order_id)
        return _answer(request, _custom(request, custom_id))


class CustomTimelineView(ListAPIView[CustomEvent]):
    """What happened to a custom order, the first step first."""

    permission_classes = [AllowAny]
    queryset = CustomEvent.objects.all()
    serializer_class = CustomEventSerializer
    ordering_fields = ["at"]
    ordering = ["at"]

    @extend_schema(parameters=[SECRET])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[CustomEvent]:
        return super().get_queryset().filter(custom=_custom(self.request, self.kwargs["custom_id"]))


class ImageView(APIView):
    permission_classes = [AllowAny]
    content_negotiation_class = AnyKind

    @extend_schema(parameters=[SECRET], responses=PICTURE_RESPONSES)
    def get(self, request: Request, custom_id: uuid.UUID, image_id: uuid.UUID) -> HttpResponse:
        """A picture, as it was made anew; for who may see the custom order."""
        image = found(next((each for each in _custom(request, custom_id).images.all() if each.pk == image_id), None))
        return picture_answer(pictures.content_of(image.file), image.kind, cache="private, max-age=3600")


def _custom(request: Request, custom_id: uuid.UUID) -> CustomOrder:
    return custom_orders.get(custom_id=custom_id, identity=caller(request), secret=request.query_params.get("secret"))


def _staff(request: Request) -> str:
    return caller(request).customer_id or ""


def _answer(request: Request, custom: CustomOrder) -> Response:
    context = {"request": request, "secret": request.query_params.get("secret")}
    return Response(CustomOrderSerializer(custom, context=context).data, headers=etag(custom.version))
