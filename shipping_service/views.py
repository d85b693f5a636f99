"""The HTTP side of shipments: parse, one use-case, serialize."""

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

from shipping_service import rates, services, webhooks
from shipping_service.filters import ShipmentFilter
from shipping_service.models import Shipment
from shipping_service.serializers import (
    ChangeShipmentSerializer,
    CreateShipmentSerializer,
    RatesSerializer,
    RatesWishSerializer,
    ShipmentSerializer,
    ShipSerializer,
    TrackingSerializer,
)
from shopkit.auth import caller
from shopkit.etag import IF_MATCH, etag, expected_version
from shopkit.permissions import IsKnown, IsService, ReadOrStaff
from shopkit.shapes import given, shown


class ShipmentListView(ListAPIView[Shipment]):
    """A customer's own shipments; to staff, all."""

    permission_classes = [IsKnown, ReadOrStaff]
    queryset = Shipment.objects.all()
    serializer_class = ShipmentSerializer
    filterset_class = ShipmentFilter
    ordering_fields = ["created_at", "updated_at"]
    ordering = ["-created_at"]

    def get_queryset(self) -> QuerySet[Shipment]:
        return services.visible_shipments(identity=caller(self.request))

    @extend_schema(request=CreateShipmentSerializer, responses={201: ShipmentSerializer})
    def post(self, request: Request) -> Response:
        """Staff only: an order gets one shipment."""
        return _answer(services.create_shipment(**given(CreateShipmentSerializer, request)), status.HTTP_201_CREATED)


class ShipmentView(APIView):
    permission_classes = [IsKnown, ReadOrStaff]

    @extend_schema(responses=ShipmentSerializer)
    def get(self, request: Request, shipment_id: uuid.UUID) -> Response:
        return _answer(_shipment(request, shipment_id))

    @extend_schema(parameters=[IF_MATCH], request=ChangeShipmentSerializer, responses=ShipmentSerializer)
    def patch(self, request: Request, shipment_id: uuid.UUID) -> Response:
        """Staff only: moves a shipment on its way."""
        shipment = _shipment(request, shipment_id)
        to, version = given(ChangeShipmentSerializer, request)["status"], expected_version(request)
        return _answer(services.move(shipment=shipment, to=to, version=version))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, shipment_id: uuid.UUID) -> Response:
        """Staff only, and only until it is picked up."""
        services.delete_shipment(shipment=_shipment(request, shipment_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


class ShipView(APIView):
    permission_classes = [IsService]

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        """All shipments, in pages `after` an id: for the auditor."""
        return Response({"rows": services.page_of_shipments(after=request.query_params.get("after", ""))})

    @extend_schema(exclude=True)
    def post(self, request: Request) -> Response:
        return _answer(services.ship(**given(ShipSerializer, request)))


class OrderShipmentView(APIView):
    permission_classes = [IsService]

    @extend_schema(exclude=True)
    def get(self, request: Request, order_id: uuid.UUID) -> Response:
        """Whether the order has been handed to the carrier: its shipment, or 404."""
        return _answer(services.shipment_of(order_id=order_id))


class RatesView(APIView):
    permission_classes = [AllowAny]

    @extend_schema(request=RatesWishSerializer, responses=RatesSerializer)
    def post(self, request: Request) -> Response:
        """What each method costs to a place, by weight; an item that does not say what it weighs counts 500 g."""
        wish = given(RatesWishSerializer, request)
        pieces = [(piece["quantity"], piece["weight_g"]) for piece in wish.get("items", ())]
        weight_g = wish.get("weight_g") or rates.weight(pieces)
        found = rates.rates(country=wish["country"], region=wish["region"], weight_g=weight_g)
        return Response(shown(RatesSerializer, found))


class WebhookView(APIView):
    permission_classes = [AllowAny]
    authentication_classes = []

    @extend_schema(request=OpenApiTypes.OBJECT, responses={200: OpenApiTypes.OBJECT})
    def post(self, request: Request) -> Response:
        """From the simulated carrier: `{id, tracking_number, status}`, with `Simulated-Signature: t=…,v1=…` over it."""
        signature = request.headers.get("Simulated-Signature", "")
        return Response({"new": webhooks.take(body=request._request.body, signature=signature)})


class TrackingView(APIView):
    permission_classes = [AllowAny]

    @extend_schema(responses=TrackingSerializer)
    def get(self, request: Request, tracking_number: str) -> Response:
        """Where a parcel is, for anybody who has its number."""
        return Response(shown(TrackingSerializer, services.track(tracking_number=tracking_number)))


def _shipment(request: Request, shipment_id: uuid.UUID) -> Shipment:
    return services.get_shipment(shipment_id=shipment_id, identity=caller(request))


def _answer(shipment: Shipment, code: int = status.HTTP_200_OK) -> Response:
    return Response(shown(ShipmentSerializer, shipment), status=code, headers=etag(shipment.version))
