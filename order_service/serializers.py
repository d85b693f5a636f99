"""The shapes of an order, its history, and of what is asked for."""

from typing import Any

from rest_framework import serializers

from order_service.models import DailyReport, Order, OrderEvent, OrderLine, ShippingMethod, Status
from shopkit.addresses import AddressSerializer
from shopkit.money import AskedCurrencyField, MoneyField


class OrderLineSerializer(serializers.ModelSerializer[OrderLine]):
    unit_price = MoneyField(read_only=True)
    line_total = MoneyField(read_only=True)

    class Meta:
        model = OrderLine
        fields = ["item_id", "item_type", "name", "unit_price", "quantity", "line_total"]
        read_only_fields = fields


class ChargeSerializer(serializers.Serializer[Any]):
    """A line beside the goods: `kind` is `discount`, `shipping` or `tax`; `amount` is below zero for a discount."""

    kind = serializers.CharField()
    code = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    amount = MoneyField(min_value=None)


class OrderSerializer(serializers.ModelSerializer[Order]):
    email = serializers.CharField(read_only=True)  # empty when none was given, which is no email address
    items = OrderLineSerializer(source="lines", many=True, read_only=True)
    subtotal = MoneyField(read_only=True)
    discount = MoneyField(read_only=True)
    charges = ChargeSerializer(many=True, read_only=True)
    shipping = MoneyField(read_only=True)
    tax = MoneyField(read_only=True)
    total = MoneyField(read_only=True)
    refunded = MoneyField(read_only=True)
    shipping_address = AddressSerializer(read_only=True)

    class Meta:
        model = Order
        fields = [
            "id",
            "customer_id",
            "customer_type",
            "email",
            "status",
            "items",
            "subtotal",
            "discount",
            "shipping",
            "tax",
            "total",
            "charges",
            "currency",
            "shipping_address",
            "shipping_method",
            "cart_id",
            "payment_id",
            "refunded",
            "tracking_number",
            "version",
            "created_at",
            "updated_at",
        ]
        read_only_fields = fields


class OrderEventSerializer(serializers.ModelSerializer[OrderEvent]):
    class Meta:
        model = OrderEvent
        fields = ["at", "name", "outcome", "from_status", "to_status"]
        read_only_fields = fields


class SoldSerializer(serializers.Serializer[Any]):
    """How many of something were sold, for how much."""

    items = serializers.IntegerField()
    gross = MoneyField()


class TopItemSerializer(SoldSerializer):
    item_id = serializers.CharField()
    name = serializers.CharField()


class DailyReportSerializer(serializers.ModelSerializer[DailyReport]):
    gross = MoneyField()
    refunds = MoneyField()
    net = MoneyField(min_value=None)  # more may be given back than was sold
    by_type = serializers.DictField(child=SoldSerializer())
    top_items = TopItemSerializer(many=True)

    class Meta:
        model = DailyReport
        fields = ["day", "currency", "orders", "items", "gross", "refunds", "net", "by_type", "top_items", "made_at"]
        read_only_fields = fields


class PaymentWishSerializer(serializers.Serializer[Any]):
    """`{provider, method, token?}`; what the token may be is the provider's to say."""

    provider = serializers.CharField(max_length=20)
    method = serializers.CharField(max_length=20)
    token = serializers.CharField(max_length=200, required=False, write_only=True)


class PlaceOrderSerializer(serializers.Serializer[Any]):
    """`{cart_id, email?, shipping_address, shipping_method, payment?, expected_total?, currency?}`, and no prices."""

    cart_id = serializers.UUIDField()
    email = serializers.EmailField(max_length=254, allow_blank=True, default="")
    shipping_address = AddressSerializer()
    shipping_method = serializers.ChoiceField(choices=ShippingMethod.choices)
    payment = PaymentWishSerializer(required=False)
    expected_total = MoneyField(allow_null=True, default=None)
    currency = AskedCurrencyField()


class ChangeOrderSerializer(serializers.Serializer[Any]):
    """`{email?, shipping_address?}`; an address is given whole."""

    email = serializers.EmailField(max_length=254, allow_blank=True, required=False)
    shipping_address = AddressSerializer(required=False)


class StaffChangeOrderSerializer(ChangeOrderSerializer):
    """`{email?, shipping_address?, status?}`."""

    status = serializers.ChoiceField(choices=Status.choices, required=False)


class PaymentNewsSerializer(serializers.Serializer[Any]):
    """What paying_service tells of a payment; amounts in minor units."""

    payment_id = serializers.UUIDField()
    order_id = serializers.UUIDField()
    status = serializers.CharField(max_length=30)
    refunded = serializers.IntegerField(min_value=0)


class ShipmentNewsSerializer(serializers.Serializer[Any]):
    """What shipping_service tells of a shipment."""

    order_id = serializers.UUIDField()
    status = serializers.CharField(max_length=30)
