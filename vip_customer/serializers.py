"""The shapes of VIPs, tiers, points and benefits."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.validators import UniqueValidator

from shopkit.customers.serializers import ACCOUNT, CustomerSerializer, EmailField
from vip_customer import rating
from vip_customer.benefits import Standing
from vip_customer.models import Benefit, Customer, PointsEntry, Redemption

MAX_ADJUSTMENT = 1_000_000


class VipSerializer(CustomerSerializer):
    """As lists show a VIP. `points` is the balance; the tier follows from the points earned over the last year."""

    class Meta:
        model = Customer
        fields = (*ACCOUNT, "tier", "points")
        read_only_fields = ("email", "tier", "points", "created_at", "updated_at")


class ProgressSerializer(serializers.Serializer[Any]):
    """Where a VIP stands; at the top, `next_tier` and `points_to_next` are null."""

    tier = serializers.CharField()
    points_last_year = serializers.IntegerField()
    next_tier = serializers.CharField(allow_null=True)
    points_to_next = serializers.IntegerField(allow_null=True)


class VipProfileSerializer(VipSerializer):
    progress = serializers.SerializerMethodField()

    class Meta(VipSerializer.Meta):
        fields = (*VipSerializer.Meta.fields, "progress")  # type: ignore[assignment]

    @extend_schema_field(ProgressSerializer)
    def get_progress(self, customer: Customer) -> rating.Progress:
        return rating.progress(customer)


class NewVipSerializer(VipProfileSerializer):
    """One that is being made: the only time that the email is taken as given."""

    email = EmailField(validators=[UniqueValidator(Customer.objects.all())])


class PointsEntrySerializer(serializers.ModelSerializer[PointsEntry]):
    class Meta:
        model = PointsEntry
        fields = ("source", "points", "reason", "earned_at", "created_at")


class AdjustmentSerializer(serializers.Serializer[Any]):
    """Points that staff give, or with a minus take, and why."""

    points = serializers.IntegerField(min_value=-MAX_ADJUSTMENT, max_value=MAX_ADJUSTMENT)
    reason = serializers.CharField(max_length=200)

    def validate_points(self, value: int) -> int:
        if value == 0:
            raise serializers.ValidationError("No points are no adjustment.")
        return value


class TierChangeSerializer(serializers.Serializer[Any]):
    """A step from tier to tier: the points of the year before it, and the source that brought it, or `review`."""

    to = serializers.CharField(source="to_tier")
    at = serializers.DateTimeField()
    points = serializers.IntegerField()
    reason = serializers.CharField()

    def get_fields(self) -> Any:
        return {"from": serializers.CharField(source="from_tier"), **super().get_fields()}


class BenefitSerializer(serializers.ModelSerializer[Benefit]):
    class Meta:
        model = Benefit
        fields = ("id", "tier", "kind", "name", "description", "value", "cost", "limit_per_year", "active")


class OwnBenefitSerializer(BenefitSerializer):
    """A benefit, and how the customer stands with it; `left_this_year` is null without a limit."""

    redeemed_this_year = serializers.SerializerMethodField()
    left_this_year = serializers.SerializerMethodField()
    redeemable = serializers.SerializerMethodField()

    class Meta(BenefitSerializer.Meta):
        fields = (*BenefitSerializer.Meta.fields, "redeemed_this_year", "left_this_year", "redeemable")  # type: ignore[assignment]

    def get_redeemed_this_year(self, benefit: Benefit) -> int:
        return self._standing(benefit).redeemed

    def get_left_this_year(self, benefit: Benefit) -> int | None:
        return self._standing(benefit).left

    def get_redeemable(self, benefit: Benefit) -> bool:
        return self._standing(benefit).refusal is None

    def _standing(self, benefit: Benefit) -> Standing:
        standings: dict[int, Standing] = self.context["standings"]
        return standings[benefit.pk]


class RedemptionSerializer(serializers.ModelSerializer[Redemption]):
    class Meta:
        model = Redemption
        fields = ("id", "benefit", "kind", "value", "code", "points_spent", "redeemed_at", "expires_at")


class TierSerializer(serializers.Serializer[Any]):
    """A tier and the points from which it begins."""

    tier = serializers.CharField()
    points = serializers.IntegerField()
