"""Routes of guest_customer."""

from guest_customer.views import GuestViewSet
from shopkit.customers.urls import customer_urls

urlpatterns = customer_urls("guest-customer", GuestViewSet)
