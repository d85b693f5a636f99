"""The shape of a registered customer."""

from typing import Any

from rest_framework.validators import UniqueValidator

from registered_customer.models import Customer
from shopkit.auth import caller
from shopkit.customers.serializers import ACCOUNT, CustomerSerializer, EmailField


class RegisteredSerializer(CustomerSerializer):
    email = EmailField(validators=[UniqueValidator(Customer.objects.all())])

    class Meta:
        model = Customer
        fields = (*ACCOUNT, "email_verified")
        read_only_fields = ("email_verified", "created_at", "updated_at")

    def get_fields(self) -> dict[str, Any]:
        """The email is what a customer has shown to be theirs; another would have to be shown first."""
        fields = super().get_fields()
        if (request := self.context.get("request")) and not caller(request).is_staff:
            fields["email"].read_only = True
        return fields
