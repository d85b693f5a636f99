"""The HTTP side of guests."""

from guest_customer.models import Customer
from guest_customer.serializers import GuestSerializer
from shopkit.customers.views import CustomerViewSet


class GuestViewSet(CustomerViewSet):
    queryset = Customer.objects.all()
    serializer_class = GuestSerializer
