"""Routes of registered_customer."""

from registered_customer.views import RegisteredAddressViewSet, RegisteredViewSet
from shopkit.customers.urls import customer_urls

urlpatterns = customer_urls("registered-customer", RegisteredViewSet, RegisteredAddressViewSet)
