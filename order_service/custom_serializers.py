"""The shapes of a custom order, its history, and of what is asked for."""

from decimal import Decimal
from typing import Any
from urllib.parse import quote

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from order_service.custom_models import CustomEvent, CustomOrder, CustomStatus
from order_service.models import Order, ShippingMethod
from shopkit.addresses import AddressSerializer
from shopkit.money import MoneyField
from shopkit.picture_api import PictureField

MOST_IMAGES = 5


class AskSerializer(serializers.Serializer[Any]):
    """`{description, name, email, images?, shipping_address?, shipping_method?}`."""

    description = serializers.CharField(max_length=5000)
    name = serializers.CharField(max_length=200)
    email = serializers.EmailField(max_length=254)
    images = serializers.ListField(child=PictureField(), max_length=MOST_IMAGES, required=False)
    shipping_address = AddressSerializer(required=False, allow_null=True, default=None)
    shipping_method = serializers.ChoiceField(choices=ShippingMethod.choices, default=ShippingMethod.STANDARD)


class ChangeSerializer(serializers.Serializer[Any]):
    """`{shipping_address?, shipping_method?}`; an address is given whole."""

    shipping_address = AddressSerializer(required=False)
    shipping_method = serializers.ChoiceField(choices=ShippingMethod.choices, required=False)


class QuoteSerializer(serializers.Serializer[Any]):
    """`{price, note?}`; before shipping and tax."""

    price = MoneyField(min_value=Decimal("0.01"))
    note = serializers.CharField(max_length=2000, allow_blank=True, default="")


class ApproveSerializer(serializers.Serializer[Any]):
    """`{provider?, method?}`: on whose page it is paid."""

    provider = serializers.CharField(max_length=20, default="simulated")
    method = serializers.CharField(max_length=20, default="card")


class RejectSerializer(serializers.Serializer[Any]):
    """`{note?}`."""

    note = serializers.CharField(max_length=2000, allow_blank=True, default="")


class MadeOrderSerializer(serializers.ModelSerializer[Order]):
    """The order that it became."""

    total = MoneyField(read_only=True)
    shipping = MoneyField(read_only=True)
    tax = MoneyField(read_only=True)

    class Meta:
        model = Order
        fields = ["id", "status", "shipping", "tax", "total", "payment_id", "tracking_number"]
        read_only_fields = fields


class CustomOrderSerializer(serializers.ModelSerializer[CustomOrder]):
    """`images` and `payment_url` are URLs at the host that was called; who came with the secret finds it in them."""

    price = MoneyField(read_only=True, allow_null=True)
    shipping_address = AddressSerializer(read_only=True, allow_null=True)
    images = serializers.SerializerMethodField()
    order = MadeOrderSerializer(read_only=True, allow_null=True)
    payment_url = serializers.SerializerMethodField()

    class Meta:
        model = CustomOrder
        fields = [
            "id",
            "customer_id",
            "customer_type",
            "status",
            "name",
            "email",
            "description",
            "images",
            "shipping_address",
            "shipping_method",
            "price",
            "currency",
            "note",
            "valid_until",
            "payment_url",
            "order",
            "version",
            "created_at",
            "updated_at",
        ]
        read_only_fields = fields

    @extend_schema_field({"type": "array", "items": {"type": "string", "format": "uri"}})
    def get_images(self, custom: CustomOrder) -> list[str]:
        secret = self.context.get("secret")
        query = f"?secret={quote(secret)}" if secret else ""
        path = f"/api/custom-orders/{custom.pk}/images/"
        return [self._here(f"{path}{image.pk}/{query}") for image in custom.images.all()]

    @extend_schema_field({"type": "string", "format": "uri", "nullable": True})
    def get_payment_url(self, custom: CustomOrder) -> str | None:
        """None unless it waits to be paid."""
        waits = custom.status == CustomStatus.APPROVED and custom.payment_url
        return self._here(custom.payment_url) if waits else None

    def _here(self, url: str) -> str:
        return str(self.context["request"].build_absolute_uri(url))


class AskedSerializer(CustomOrderSerializer):
    """What who asked gets: with the `secret` that opens it without signing in, as `?secret=`."""

    secret = serializers.CharField(read_only=True)

    class Meta(CustomOrderSerializer.Meta):
        fields = [*CustomOrderSerializer.Meta.fields, "secret"]
        read_only_fields = fields


class CustomEventSerializer(serializers.ModelSerializer[CustomEvent]):
    class Meta:
        model = CustomEvent
        fields = ["at", "name", "note", "from_status", "to_status"]
        read_only_fields = fields
