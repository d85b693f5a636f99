"""The shapes of what is said about accounts, by customers and by our own services."""

from typing import Any

from rest_framework import serializers

from registered_customer.models import Account, Registration
from shopkit.customers.serializers import EmailField

LONGEST = 128  # of a password: hashing takes longer the longer it is


class PasswordField(serializers.CharField):
    def __init__(self, **more: Any) -> None:
        super().__init__(max_length=LONGEST, trim_whitespace=False, **more)


class EmailSerializer(serializers.Serializer[Any]):
    email = EmailField(max_length=254)


class RegisterSerializer(EmailSerializer):
    password = PasswordField()
    first_name = serializers.CharField(max_length=100, required=False, allow_blank=True)
    last_name = serializers.CharField(max_length=100, required=False, allow_blank=True)


class RegistrationSerializer(EmailSerializer):
    message = serializers.CharField()


class MessageSerializer(serializers.Serializer[Any]):
    message = serializers.CharField()


class LoginSerializer(serializers.Serializer[Any]):
    """By `email`, or by `username`, which is the email too."""

    email = serializers.CharField(max_length=254, required=False)
    username = serializers.CharField(max_length=254, required=False)
    password = PasswordField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, str]:
        email = attrs.get("email") or attrs.get("username")
        if not email:
            raise serializers.ValidationError({"email": ["This field is required."]})
        return {"email": email, "password": attrs["password"]}


class SessionSerializer(serializers.Serializer[Any]):
    """`customer` is the profile; only id, type and email where another service has it."""

    access = serializers.CharField()
    refresh = serializers.CharField()
    customer = serializers.DictField()


class PairSerializer(serializers.Serializer[Any]):
    access = serializers.CharField()
    refresh = serializers.CharField()


class ChangeSerializer(serializers.Serializer[Any]):
    old_password = PasswordField()
    new_password = PasswordField()


class TokenSerializer(serializers.Serializer[Any]):
    token = serializers.CharField(max_length=200)


class ConfirmSerializer(TokenSerializer):
    new_password = PasswordField()


class AccountSerializer(serializers.ModelSerializer[Account]):
    class Meta:
        model = Account
        fields = ("id", "customer_type", "email")


class FoundSerializer(serializers.ModelSerializer[Registration]):
    registration_id = serializers.CharField(source="id")

    class Meta:
        model = Registration
        fields = ("registration_id", "guest_id", "email", "first_name", "last_name")


class CompleteSerializer(TokenSerializer):
    """`customer_id` is the id that a guest keeps."""

    customer_id = serializers.CharField(max_length=64, required=False, allow_null=True)


class CheckSerializer(LoginSerializer):
    """`address` is the client's, against whom a failure counts too."""

    address = serializers.CharField(max_length=100, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, str]:
        return {**super().validate(attrs), **({"address": attrs["address"]} if "address" in attrs else {})}
