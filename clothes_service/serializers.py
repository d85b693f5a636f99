"""The shape of a piece of clothing."""

from rest_framework import serializers

from shopkit.items.serializers import ItemSerializer, TextField


class ClothesSerializer(ItemSerializer):
    size = serializers.CharField(max_length=20)
    color = TextField(max_length=40)
    material = TextField(max_length=100)
    style = TextField(max_length=60)  # type: ignore[assignment]  # a field, which the metaclass takes off the class
    gender = serializers.ChoiceField(["women", "men", "unisex", "girls", "boys", ""], default="")
