"""The shapes of a payment, and of what staff ask for."""

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from paying_service.models import Method, Payment, Provider, Status
from shopkit.money import CurrencyField, MoneyField


class PaymentSerializer(serializers.ModelSerializer[Payment]):
    amount = MoneyField(read_only=True)
    captured = MoneyField(read_only=True)
    refunded = MoneyField(read_only=True)

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
            "captured",
            "refunded",
            "failure_code",
            "failure_message",
            "action_url",
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


class OpenPaymentSerializer(serializers.Serializer[Any]):
    """What the order service asks for; `amount` in minor units. The card goes no further than to the provider."""

    payment_id = serializers.UUIDField()
    order_id = serializers.UUIDField()
    customer_id = serializers.CharField(max_length=64, allow_null=True, default=None)
    customer_type = serializers.CharField(max_length=20)
    provider = serializers.CharField(max_length=20)
    method = serializers.ChoiceField(choices=Method.choices)
    token = serializers.CharField(max_length=200, default="", allow_blank=True, write_only=True)
    amount = serializers.IntegerField(min_value=1)
    currency = CurrencyField()


class DueSerializer(serializers.Serializer[Any]):
    order_id = serializers.UUIDField()
    customer_id = serializers.CharField(max_length=64, allow_null=True)
    customer_type = serializers.CharField(max_length=20)
    amount = serializers.IntegerField(min_value=1)
    currency = CurrencyField()


class BeginSerializer(serializers.Serializer[Any]):
    """What a customer wants to pay and by whom; the amount is the order's."""

    order_id = serializers.UUIDField()
    provider = serializers.CharField(max_length=20, default=Provider.SIMULATED)
    method = serializers.ChoiceField(choices=Method.choices, default=Method.CARD)


class OfferSerializer(serializers.Serializer[Any]):
    """What a customer pays with; without a token, on the provider's page. The amount is the order's."""

    order_id = serializers.UUIDField()
    provider = serializers.CharField(max_length=20)
    method = serializers.ChoiceField(choices=Method.choices)
    token = serializers.CharField(max_length=200, default="", allow_blank=True, write_only=True)


class SessionSerializer(serializers.Serializer[Any]):
    """A hosted page: send the customer to `url`."""

    payment = PaymentSerializer(read_only=True)
    url = serializers.CharField(read_only=True)


class IntentSerializer(serializers.Serializer[Any]):
    """What the provider's script in the shop's page needs: Stripe's `client_secret`, or Razorpay's order, `ref`."""

    payment = PaymentSerializer(read_only=True)
    ref = serializers.CharField(read_only=True)
    client_secret = serializers.CharField(read_only=True)
    key = serializers.CharField(read_only=True)


class VerifySerializer(serializers.Serializer[Any]):
    """`{payment_id}`; with Razorpay also what its script has brought."""

    payment_id = serializers.UUIDField()
    razorpay_payment_id = serializers.CharField(max_length=100, default="")
    razorpay_signature = serializers.CharField(max_length=200, default="")


class RefundAskedSerializer(serializers.Serializer[Any]):
    """`amount` in minor units, between services; without one, all that is left."""

    refund_id = serializers.UUIDField()
    amount = serializers.IntegerField(min_value=1, allow_null=True, default=None)


class RefundSerializer(serializers.Serializer[Any]):
    """`{amount?}`; without one, all that is left."""

    amount = MoneyField(min_value=Decimal("0.01"), required=False)


class SimulateSerializer(serializers.Serializer[Any]):
    """What the customer does on the simulated provider's page; or, for staff, that its refunds fail there later."""

    outcome = serializers.ChoiceField(choices=["confirm", "decline", "fail_refunds"])


class InternalPaymentSerializer(serializers.ModelSerializer[Payment]):
    """A payment between services; amounts in minor units."""

    class Meta:
        model = Payment
        fields = [
            "id",
            "order_id",
            "status",
            "amount",
            "captured",
            "refunded",
            "currency",
            "failure_code",
            "failure_message",
            "action_url",
            "version",
        ]
        read_only_fields = fields
