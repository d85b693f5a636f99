"""The shape of a mobile."""

from rest_framework import serializers

from shopkit.items.serializers import ItemSerializer, TextField


class MobileSerializer(ItemSerializer):
    screen_size = serializers.FloatField(min_value=1, max_value=15, allow_null=True, default=None)
    camera_mp = serializers.FloatField(min_value=0, max_value=1000, allow_null=True, default=None)
    battery_mah = serializers.IntegerField(min_value=1, max_value=100_000, allow_null=True, default=None)
    storage_gb = serializers.IntegerField(min_value=1, max_value=100_000, allow_null=True, default=None)
    ram_gb = serializers.IntegerField(min_value=1, max_value=1024, allow_null=True, default=None)
    os = TextField()
    network = TextField(max_length=20)
