"""Routes of guest_customer."""

from guest_customer.models import Customer
from guest_customer.views import GuestViewSet
from shopkit.customers.internal import internal_urls
from shopkit.customers.urls import customer_urls

urlpatterns = [
    *customer_urls("guest-customer", GuestViewSet),
    *internal_urls("guest-customer", Customer.objects.all()),
]
