"""The shapes of a payment, and of what staff ask for."""

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from paying_service.models import Method, Payment, Provider, Status
from shopkit.money import CurrencyField, MoneyField


class PaymentSerializer(serializers.ModelSerializer[Payment]):
    amount = MoneyField(read_only=True)

    class Meta:
        model = Payment
        fields = [
            "id",
            "order_id",
            "customer_id",
            "provider",
            "method",
            "amount",
            "currency",
            "status",
            "version",
            "created_at",
            "updated_at",
        ]
        read_only_fields = fields


class CreatePaymentSerializer(serializers.Serializer[Any]):
    """`{order_id, customer_id?, provider, method, amount, currency?}`; a card that is sent along is dropped."""

    order_id = serializers.UUIDField()
    customer_id = serializers.CharField(max_length=64, allow_null=True, default=None)
    provider = serializers.ChoiceField(choices=Provider.choices)
    method = serializers.ChoiceField(choices=Method.choices)
    amount = MoneyField(min_value=Decimal("0.01"))
    currency = CurrencyField()


class ChangePaymentSerializer(serializers.Serializer[Any]):
    """`{status}`."""

    status = serializers.ChoiceField(choices=Status.choices)


class PaymentStatusSerializer(serializers.ModelSerializer[Payment]):
    payment_id = serializers.UUIDField(source="id", read_only=True)

    class Meta:
        model = Payment
        fields = ["order_id", "payment_id", "status"]
        read_only_fields = fields
