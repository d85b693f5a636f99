"""The shape of a guest."""

from guest_customer.models import Customer
from shopkit.customers.serializers import PROFILE, CustomerSerializer


class GuestSerializer(CustomerSerializer):
    class Meta:
        model = Customer
        fields = (*PROFILE[:2], "email", *PROFILE[2:])
        read_only_fields = ("created_at", "updated_at")
