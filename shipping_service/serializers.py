"""The shapes of a shipment: whole, as the public may track it, as staff ask for it; and of what one costs."""

from typing import Any

from rest_framework import serializers

from shipping_service.models import MAX_WEIGHT_G, Method, Shipment, ShipmentEvent, Status
from shopkit.addresses import AddressSerializer, CountryField
from shopkit.money import MoneyField


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
    customer_type = serializers.CharField(max_length=20)


class PieceSerializer(serializers.Serializer[Any]):
    """`{quantity, weight_g?}`; other fields of an item, such as its id, are not looked at."""

    quantity = serializers.IntegerField(min_value=1, max_value=10**6)
    weight_g = serializers.IntegerField(min_value=1, max_value=10**7, allow_null=True, default=None)


class RatesWishSerializer(serializers.Serializer[Any]):
    """`{country, region?, postal_code?, weight_g | items}`; within a zone a postal code makes no difference."""

    country = CountryField()
    region = serializers.CharField(max_length=100, allow_blank=True, default="")
    postal_code = serializers.CharField(max_length=20, allow_blank=True, default="")
    weight_g = serializers.IntegerField(min_value=1, max_value=10**9, required=False)
    items = PieceSerializer(many=True, required=False, allow_empty=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("weight_g" in attrs) == ("items" in attrs):
            raise serializers.ValidationError({"weight_g": ["Give weight_g or items, one of them."]})
        return attrs


class DaysSerializer(serializers.Serializer[Any]):
    least = serializers.IntegerField()
    most = serializers.IntegerField()


class RateSerializer(serializers.Serializer[Any]):
    method = serializers.CharField()
    price = MoneyField()
    currency = serializers.CharField()
    days = DaysSerializer()


class RatesSerializer(serializers.Serializer[Any]):
    zone = serializers.CharField()
    weight_g = serializers.IntegerField()
    rates = RateSerializer(many=True)
