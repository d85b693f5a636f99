"""The shapes of a shipment: whole, as the public may track it, and as staff ask for it."""

from typing import Any

from rest_framework import serializers

from shipping_service.models import MAX_WEIGHT_G, Method, Shipment, ShipmentEvent, Status
from shopkit.addresses import AddressSerializer


class ShipmentSerializer(serializers.ModelSerializer[Shipment]):
    address = AddressSerializer(read_only=True)

    class Meta:
        model = Shipment
        fields = [
            "id",
            "order_id",
            "customer_id",
            "tracking_number",
            "method",
            "address",
            "weight_g",
            "status",
            "version",
            "created_at",
            "updated_at",
        ]
        read_only_fields = fields


class ShipmentEventSerializer(serializers.ModelSerializer[ShipmentEvent]):
    class Meta:
        model = ShipmentEvent
        fields = ["at", "status"]
        read_only_fields = fields


class TrackingSerializer(serializers.ModelSerializer[Shipment]):
    """What anybody with the number may know: nothing of the customer, the order or the address."""

    events = ShipmentEventSerializer(many=True, read_only=True)

    class Meta:
        model = Shipment
        fields = ["tracking_number", "status", "events"]
        read_only_fields = fields


class CreateShipmentSerializer(serializers.Serializer[Any]):
    """`{order_id, customer_id?, method, address, weight_g}`."""

    order_id = serializers.UUIDField()
    customer_id = serializers.CharField(max_length=64, allow_null=True, default=None)
    method = serializers.ChoiceField(choices=Method.choices)
    address = AddressSerializer()
    weight_g = serializers.IntegerField(min_value=1, max_value=MAX_WEIGHT_G)


class ChangeShipmentSerializer(serializers.Serializer[Any]):
    """`{status}`."""

    status = serializers.ChoiceField(choices=Status.choices)


class ShipSerializer(CreateShipmentSerializer):
    """What the order service asks for, under an id that it chose."""

    shipment_id = serializers.UUIDField()
