"""Routes of registered_customer."""

from registered_customer.models import Customer
from registered_customer.moves import MOVES
from registered_customer.views import RegisteredAddressViewSet, RegisteredViewSet
from shopkit.customers.internal import internal_urls
from shopkit.customers.urls import customer_urls

urlpatterns = [
    *customer_urls("registered-customer", RegisteredViewSet, RegisteredAddressViewSet),
    *internal_urls("registered-customer", Customer.objects.all(), MOVES),
]
