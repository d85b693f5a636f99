"""The shape of a laptop."""

from rest_framework import serializers

from shopkit.items.serializers import ItemSerializer, TextField


class LaptopSerializer(ItemSerializer):
    cpu = TextField()
    gpu = TextField()
    ram_gb = serializers.IntegerField(min_value=1, max_value=4096, allow_null=True, default=None)
    storage_gb = serializers.IntegerField(min_value=1, max_value=1_000_000, allow_null=True, default=None)
    screen_size = serializers.FloatField(min_value=5, max_value=25, allow_null=True, default=None)
    os = TextField()
    weight_g = serializers.IntegerField(min_value=1, max_value=20_000, allow_null=True, default=None)
