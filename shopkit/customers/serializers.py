"""The shapes of customers, addresses and histories; each service binds them to its own tables."""

from typing import Any, ClassVar

from django.conf import settings
from rest_framework import serializers

from shopkit.addresses import AddressSerializer
from shopkit.customers.emails import normal
from shopkit.money import MAX_MINOR, MoneyField
from shopkit.topology import Service

PROFILE = ("id", "customer_type", "first_name", "last_name", "phone", "preferences", "created_at", "updated_at")
ACCOUNT = (*PROFILE[:2], "email", *PROFILE[2:6], "birth_date", *PROFILE[6:])
MAX_PREFERENCES = 50


class CustomerSerializer(serializers.ModelSerializer[Any]):
    """A profile. `preferences` is a flat map of up to 50 short values, for the shop front to use as it likes."""

    id = serializers.CharField(read_only=True)
    customer_type = serializers.SerializerMethodField()
    preferences = serializers.DictField(child=serializers.CharField(max_length=200, allow_blank=True), required=False)

    def get_customer_type(self, _customer: object) -> str:
        service: Service = settings.SERVICE
        return service.customer_type or ""

    def validate_preferences(self, value: dict[str, str]) -> dict[str, str]:
        if len(value) > MAX_PREFERENCES or any(len(key) > 60 for key in value):
            raise serializers.ValidationError(
                f"At most {MAX_PREFERENCES} preferences, with names of at most 60 characters."
            )
        return value


class EmailField(serializers.EmailField):
    """An email address in its normal form, so that one address is one account."""

    def to_internal_value(self, data: Any) -> str:
        email = normal(str(super().to_internal_value(data)))
        if not email.isascii():  # Django lets a ı pass for an i
            self.fail("invalid")
        return email


class CustomerAddressSerializer(AddressSerializer):
    """An address as a customer keeps it."""

    id = serializers.IntegerField(read_only=True)
    default_shipping = serializers.BooleanField(default=False)
    default_billing = serializers.BooleanField(default=False)


class ViewedItemSerializer(serializers.Serializer[Any]):
    item_id = serializers.CharField(max_length=100)
    viewed_at = serializers.DateTimeField(read_only=True)


class PurchaseSerializer(serializers.Serializer[Any]):
    """An order, as the order service last told of it."""

    order_id = serializers.CharField()
    status = serializers.CharField()
    total = MoneyField()
    currency = serializers.CharField()
    placed_at = serializers.DateTimeField()


class OrderToldSerializer(serializers.Serializer[Any]):
    """An order as the order service tells of it; money in minor units, `version` rising with each change."""

    order_id = serializers.CharField(max_length=64)
    version = serializers.IntegerField(min_value=1, max_value=2**31 - 1)
    status = serializers.CharField(max_length=20)
    total = serializers.IntegerField(min_value=0, max_value=MAX_MINOR)
    goods = serializers.IntegerField(min_value=0, max_value=MAX_MINOR)
    refunded = serializers.IntegerField(min_value=0, max_value=MAX_MINOR)
    currency = serializers.CharField(max_length=3)
    placed_at = serializers.DateTimeField()


class HistorySerializer(serializers.Serializer[Any]):
    """What a customer looked at and ordered, the latest first; at most `LATEST` of each."""

    LATEST: ClassVar[int] = 100
    viewed_items = ViewedItemSerializer(many=True)
    orders = PurchaseSerializer(many=True)
