"""What the customer router is given, and what it answers."""

from typing import Any

from rest_framework import serializers

from shopkit import topology


class UpgradeSerializer(serializers.Serializer[Any]):
    """`to` is `vip`, or `registered` along with what registering takes."""

    to = serializers.ChoiceField(choices=["registered", "vip"])
    email = serializers.EmailField(required=False)
    password = serializers.CharField(required=False, write_only=True)
    first_name = serializers.CharField(required=False, max_length=100)
    last_name = serializers.CharField(required=False, max_length=100)


class PlaceSerializer(serializers.Serializer[Any]):
    """Where a customer is now. Their tokens say so once they are refreshed."""

    id = serializers.CharField()
    customer_type = serializers.CharField()
    location = serializers.CharField()


class LoginSerializer(serializers.Serializer[Any]):
    email = serializers.CharField(required=False)
    username = serializers.CharField(required=False, help_text="The same as email.")
    password = serializers.CharField(write_only=True)


class VerifySerializer(serializers.Serializer[Any]):
    token = serializers.CharField(max_length=200)


class OrderTakenSerializer(serializers.Serializer[Any]):
    """An order as the order service tells it, and whom it is of; the customer's service knows the rest of its shape."""

    customer_type = serializers.ChoiceField(choices=sorted(topology.by_customer_type()))
    order = serializers.DictField()
