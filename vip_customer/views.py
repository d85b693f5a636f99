"""The HTTP side of VIPs, tiers, points and benefits."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView
from rest_framework.viewsets import ModelViewSet

from shopkit.customers.views import AddressViewSet, CustomerViewSet, at_home
from shopkit.errors import found
from shopkit.idempotency.views import idempotent
from shopkit.permissions import IsRouter, ReadOrStaff
from shopkit.shapes import given, shown
from vip_customer import benefits, services
from vip_customer.models import Address, Benefit, Customer
from vip_customer.serializers import (
    AdjustmentSerializer,
    BenefitSerializer,
    NewVipSerializer,
    OwnBenefitSerializer,
    PointsEntrySerializer,
    RedemptionSerializer,
    TierChangeSerializer,
    TierSerializer,
    VipProfileSerializer,
    VipSerializer,
)
from vip_customer.tiers import POINTS


class VipViewSet(CustomerViewSet):
    queryset = Customer.objects.all()
    serializer_class = VipProfileSerializer
    serializer_classes = {"list": VipSerializer, "create": NewVipSerializer}
    staff_actions = CustomerViewSet.staff_actions | {"adjust"}
    filterset_fields = ["tier"]
    ordering_fields = [*CustomerViewSet.ordering_fields, "points"]
    search_fields = [*CustomerViewSet.search_fields, "email"]

    def perform_destroy(self, instance: Any) -> None:
        services.forget(customer=instance)

    @extend_schema(responses=PointsEntrySerializer(many=True))
    def points(self, request: Request, customer_id: str) -> Response:
        """The ledger, the latest first."""
        return self._page(self.get_object().points_entries.all(), PointsEntrySerializer)

    @extend_schema(request=AdjustmentSerializer, responses={201: PointsEntrySerializer})
    @idempotent(in_transaction=True)
    def adjust(self, request: Request, customer_id: str) -> Response:
        """Staff give or take points."""
        wish = given(AdjustmentSerializer, request)
        change, reason = wish["points"], wish["reason"]
        entry = services.adjust_points(customer=self.get_object(), change=change, reason=reason)
        return Response(shown(PointsEntrySerializer, entry), status=status.HTTP_201_CREATED)

    @extend_schema(responses=TierChangeSerializer(many=True))
    def tier_history(self, request: Request, customer_id: str) -> Response:
        """The customer's steps from tier to tier, the latest first."""
        return self._page(self.get_object().tier_changes.all(), TierChangeSerializer)

    @extend_schema(responses=OwnBenefitSerializer(many=True), operation_id="vip_customer_own_benefits_list")
    def benefits(self, request: Request, customer_id: str) -> Response:
        """What the customer's tier gives, and how they stand with it."""
        customer = self.get_object()
        page: Any = self.paginate_queryset(Benefit.objects.filter(tier=customer.tier, active=True).order_by("id"))
        standings = services.standings(customer=customer, benefits=page, now=timezone.now())
        shown = OwnBenefitSerializer(page, many=True, context={"standings": standings})
        return self.get_paginated_response(shown.data)

    @extend_schema(request=None, responses={201: RedemptionSerializer})
    @idempotent(in_transaction=True)
    def redeem(self, request: Request, customer_id: str, benefit_id: int) -> Response:
        """Takes a benefit of the customer's tier, for its points."""
        taken = services.redeem(customer=self.get_object(), benefit_id=benefit_id)
        return Response(shown(RedemptionSerializer, taken), status=status.HTTP_201_CREATED)

    @extend_schema(responses=RedemptionSerializer(many=True))
    def redemptions(self, request: Request, customer_id: str) -> Response:
        """What the customer redeemed, the latest first."""
        return self._page(self.get_object().redemptions.all(), RedemptionSerializer)

    def _page(self, rows: "QuerySet[Any]", shape: type[BaseSerializer[Any]]) -> Response:
        return self.get_paginated_response(shape(self.paginate_queryset(rows), many=True).data)


class VipAddressViewSet(AddressViewSet):
    queryset = Address.objects.all()
    customers = Customer.objects.all()


class BenefitViewSet(ModelViewSet[Benefit]):
    """The benefits of all tiers; anyone reads, staff write."""

    permission_classes = [ReadOrStaff]
    queryset = Benefit.objects.all()
    serializer_class = BenefitSerializer
    filterset_fields = ["tier", "kind", "active"]
    ordering_fields = ["tier", "kind", "name"]
    lookup_url_kwarg = "benefit_id"


class PerksView(APIView):
    permission_classes = [IsRouter]

    @extend_schema(exclude=True)
    def get(self, request: Request, customer_id: str) -> Response:
        """What the VIP's carts and orders get by themselves; see `standing_perks`. `Moved` when they are no VIP now."""
        customer = found(Customer.objects.filter(pk=customer_id, anonymised_at=None).first())
        return Response(benefits.standing_perks(customer=at_home(customer, request), now=timezone.now()))


class TierListView(APIView):
    permission_classes = [ReadOrStaff]

    @extend_schema(responses=TierSerializer(many=True))
    def get(self, request: Request) -> Response:
        return Response([{"tier": str(tier), "points": points} for tier, points in POINTS.items()])
