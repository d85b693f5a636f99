"""The shape of a registered customer."""

from rest_framework.validators import UniqueValidator

from registered_customer.models import Customer
from shopkit.customers.serializers import ACCOUNT, CustomerSerializer, EmailField


class RegisteredSerializer(CustomerSerializer):
    class Meta:
        model = Customer
        fields = (*ACCOUNT, "email_verified")
        read_only_fields = ("email", "email_verified", "created_at", "updated_at")


class NewRegisteredSerializer(RegisteredSerializer):
    """One that is being made: the only time that the email is taken as given."""

    email = EmailField(validators=[UniqueValidator(Customer.objects.all())])
