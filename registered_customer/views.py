"""The HTTP side of registered customers."""

from typing import Any

from django.db import transaction
from django.db.models import Model
from rest_framework.serializers import BaseSerializer

from registered_customer import accounts
from registered_customer.models import Address, Customer
from registered_customer.serializers import NewRegisteredSerializer, RegisteredSerializer
from shopkit.customers.views import AddressViewSet, CustomerViewSet


class RegisteredViewSet(CustomerViewSet):
    queryset = Customer.objects.all()
    serializer_class = RegisteredSerializer
    serializer_classes = {"create": NewRegisteredSerializer}
    search_fields = [*CustomerViewSet.search_fields, "email"]

    @transaction.atomic
    def perform_create(self, serializer: BaseSerializer[Any]) -> None:
        accounts.check_free(customer=serializer.save())

    def perform_destroy(self, instance: Model) -> None:
        accounts.forget(customer=instance)


class RegisteredAddressViewSet(AddressViewSet):
    queryset = Address.objects.all()
    customers = Customer.objects.all()
