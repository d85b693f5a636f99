"""The shapes of a cart, and of what is put into it."""

from typing import Any

from rest_framework import serializers

from cart_service.models import MAX_QUANTITY, Cart, CartLine
from shopkit.money import MoneyField


class CartLineSerializer(serializers.ModelSerializer[CartLine]):
    unit_price = MoneyField(read_only=True)
    line_total = MoneyField(read_only=True)

    class Meta:
        model = CartLine
        fields = ["id", "item_id", "item_type", "name", "unit_price", "quantity", "line_total"]
        read_only_fields = fields


class CartSerializer(serializers.ModelSerializer[Cart]):
    """Nothing here can be written: a cart is made empty, and changes by its lines."""

    items = CartLineSerializer(source="lines", many=True, read_only=True)
    total_price = MoneyField(read_only=True)

    class Meta:
        model = Cart
        fields = [
            "id",
            "owner_id",
            "owner_type",
            "items",
            "total_price",
            "currency",
            "version",
            "created_at",
            "updated_at",
        ]
        read_only_fields = fields


class QuantitySerializer(serializers.Serializer[Any]):
    """`{quantity}`, 1 … 999."""

    quantity = serializers.IntegerField(min_value=1, max_value=MAX_QUANTITY)


class ItemIdField(serializers.RegexField):
    """An item's id; characters that mean something in a path are not in one."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(regex=r"^[A-Za-z0-9_-]+\Z", **{"max_length": 100, **kwargs})


class AddItemSerializer(QuantitySerializer):
    """`{item_id | product_id, quantity}`; gives `item_id` and `quantity`."""

    item_id = ItemIdField(required=False)
    product_id = ItemIdField(required=False, help_text="The same as item_id.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        given = {attrs[name] for name in ("item_id", "product_id") if name in attrs}
        if len(given) != 1:
            message = "Give item_id or product_id, not two different ones." if given else "This field is required."
            raise serializers.ValidationError({"item_id": [message]})
        return {"item_id": given.pop(), "quantity": attrs["quantity"]}
