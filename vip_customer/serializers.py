"""The shapes of VIPs, tiers, points and benefits."""

from typing import Any

from rest_framework import serializers
from rest_framework.validators import UniqueValidator

from shopkit.customers.serializers import ACCOUNT, CustomerSerializer, EmailField
from vip_customer.models import Benefit, Customer, PointsEntry


class VipSerializer(CustomerSerializer):
    email = EmailField(validators=[UniqueValidator(Customer.objects.all())])

    class Meta:
        model = Customer
        fields = (*ACCOUNT, "tier", "points")
        read_only_fields = ("tier", "points", "created_at", "updated_at")


class PointsEntrySerializer(serializers.ModelSerializer[PointsEntry]):
    class Meta:
        model = PointsEntry
        fields = ("source", "points", "created_at")


class BenefitSerializer(serializers.ModelSerializer[Benefit]):
    class Meta:
        model = Benefit
        fields = ("id", "tier", "kind", "name", "description", "value", "active")


class TierSerializer(serializers.Serializer[Any]):
    """A tier and the points from which it begins."""

    tier = serializers.CharField()
    points = serializers.IntegerField()
