"""The HTTP side of VIPs, tiers, points and benefits."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import ModelViewSet

from shopkit.customers.views import AddressViewSet, CustomerViewSet
from shopkit.permissions import ReadOrStaff
from vip_customer.models import Address, Benefit, Customer
from vip_customer.serializers import BenefitSerializer, PointsEntrySerializer, TierSerializer, VipSerializer
from vip_customer.tiers import POINTS


class VipViewSet(CustomerViewSet):
    queryset = Customer.objects.all()
    serializer_class = VipSerializer
    filterset_fields = ["tier"]
    ordering_fields = [*CustomerViewSet.ordering_fields, "points"]
    search_fields = [*CustomerViewSet.search_fields, "email"]

    @extend_schema(responses=PointsEntrySerializer(many=True))
    def points(self, request: Request, customer_id: str) -> Response:
        """The ledger, the latest first."""
        page: Any = self.paginate_queryset(self.get_object().points_entries.all())
        return self.get_paginated_response(PointsEntrySerializer(page, many=True).data)

    @extend_schema(responses=BenefitSerializer(many=True), operation_id="vip_customer_own_benefits_list")
    def benefits(self, request: Request, customer_id: str) -> Response:
        """What the customer's tier gives."""
        page: Any = self.paginate_queryset(
            Benefit.objects.filter(tier=self.get_object().tier, active=True).order_by("id")
        )
        return self.get_paginated_response(BenefitSerializer(page, many=True).data)


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


class TierListView(APIView):
    permission_classes = [ReadOrStaff]

    @extend_schema(responses=TierSerializer(many=True))
    def get(self, request: Request) -> Response:
        return Response([{"tier": str(tier), "points": points} for tier, points in POINTS.items()])
