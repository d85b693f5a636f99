"""The shapes of a cart, of what is put into it, and of what becomes of one that is put into another."""

from typing import Any

from rest_framework import serializers

from cart_service.models import MAX_QUANTITY
from cart_service.putting_together import POLICIES
from shopkit.money import AskedCurrencyField, MoneyField


class CartLineSerializer(serializers.Serializer[Any]):
    """A line as its item is now. `problem` is a code for why it can't be bought; `available` is null when unknown."""

    id = serializers.UUIDField(source="line.id")
    item_id = serializers.CharField(source="line.item_id")
    item_type = serializers.CharField(source="line.item_type")
    name = serializers.CharField()
    unit_price = MoneyField()
    quantity = serializers.IntegerField(source="line.quantity")
    line_total = MoneyField()
    available = serializers.BooleanField(allow_null=True)
    problem = serializers.CharField(allow_null=True)
    stock = serializers.IntegerField(allow_null=True)
    price_changed = serializers.BooleanField()
    price_when_added = MoneyField(source="line.unit_price")
    weight_g = serializers.IntegerField(allow_null=True)
    live = serializers.BooleanField()


class DiscountSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    amount = MoneyField()


class CartSerializer(serializers.Serializer[Any]):
    """Nothing here can be written: a cart is made empty, and changes by its lines.

    `total_price` is `subtotal`, the lines that have a price, less the `discounts`. `live` is false when some of it is
    as last known, because who knows better did not answer.
    """

    id = serializers.UUIDField(source="cart.id", read_only=True)
    owner_id = serializers.CharField(source="cart.owner_id", read_only=True, allow_null=True)
    owner_type = serializers.CharField(source="cart.owner_type", read_only=True)
    items = CartLineSerializer(source="lines", many=True, read_only=True)
    subtotal = MoneyField(read_only=True)
    discounts = DiscountSerializer(many=True, read_only=True)
    total_price = MoneyField(read_only=True)
    currency = serializers.CharField(source="cart.currency", read_only=True)
    free_shipping = serializers.ListField(child=serializers.CharField(), read_only=True)
    live = serializers.BooleanField(read_only=True)
    version = serializers.IntegerField(source="cart.version", read_only=True)
    created_at = serializers.DateTimeField(source="cart.created_at", read_only=True)
    updated_at = serializers.DateTimeField(source="cart.updated_at", read_only=True)


class NewCartSerializer(serializers.Serializer[Any]):
    """`{currency?}`: to be told, rather than charged, if it is another."""

    currency = AskedCurrencyField()


class QuantitySerializer(serializers.Serializer[Any]):
    """`{quantity}`, 1 … 999."""

    quantity = serializers.IntegerField(min_value=1, max_value=MAX_QUANTITY)


class ItemIdField(serializers.RegexField):
    """An item's id; characters that mean something in a path are not in one."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(regex=r"^[A-Za-z0-9_-]+\Z", **{"max_length": 100, **kwargs})


class AddItemSerializer(QuantitySerializer):
    """`{item_id | product_id, quantity, currency?}`; gives `item_id`, `quantity` and `currency`."""

    item_id = ItemIdField(required=False)
    product_id = ItemIdField(required=False, help_text="The same as item_id.")
    currency = AskedCurrencyField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        given = {attrs[name] for name in ("item_id", "product_id") if name in attrs}
        if len(given) != 1:
            message = "Give item_id or product_id, not two different ones." if given else "This field is required."
            raise serializers.ValidationError({"item_id": [message]})
        return {"item_id": given.pop(), "quantity": attrs["quantity"], "currency": attrs.get("currency")}


class MergeSerializer(serializers.Serializer[Any]):
    """`{from_cart, policy, dry_run}`."""

    from_cart = serializers.UUIDField()
    policy = serializers.ChoiceField(choices=list(POLICIES), default="sum")
    dry_run = serializers.BooleanField(default=False)


class OutcomeSerializer(serializers.Serializer[Any]):
    """What became of an item that came; `limited_by` is the code for why it is not what the policy would have."""

    item_id = serializers.CharField()
    name = serializers.CharField()
    had = serializers.IntegerField()
    came = serializers.IntegerField()
    has = serializers.IntegerField()
    limited_by = serializers.CharField(allow_null=True)


class MergedSerializer(serializers.Serializer[Any]):
    cart = CartSerializer()
    report = OutcomeSerializer(many=True)
    policy = serializers.CharField()
    dry_run = serializers.BooleanField()
