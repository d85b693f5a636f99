"""Routes of vip_customer."""

from typing import Any

from django.urls import URLPattern, path

from shopkit.customers.internal import internal_urls
from shopkit.customers.urls import MANY, ONE, customer_urls
from vip_customer.models import Customer
from vip_customer.moves import MOVES
from vip_customer.services import keep_order
from vip_customer.views import BenefitViewSet, PerksView, TierListView, VipAddressViewSet, VipViewSet


def _own(prefix: str, **more: Any) -> list[URLPattern]:
    one = f"api/{prefix}/<str:customer_id>/"
    return [
        path(f"api/{prefix}/tiers/", TierListView.as_view(**more)),
        path(f"api/{prefix}/benefits/", BenefitViewSet.as_view(MANY, **more)),
        path(f"api/{prefix}/benefits/<int:benefit_id>/", BenefitViewSet.as_view(ONE, **more)),
        path(f"{one}points/", VipViewSet.as_view({"get": "points", "post": "adjust"}, **more)),
        path(f"{one}tier-history/", VipViewSet.as_view({"get": "tier_history"}, **more)),
        path(f"{one}benefits/", VipViewSet.as_view({"get": "benefits"}, **more)),
        path(f"{one}benefits/<int:benefit_id>/redeem/", VipViewSet.as_view({"post": "redeem"}, **more)),
        path(f"{one}redemptions/", VipViewSet.as_view({"get": "redemptions"}, **more)),
    ]


urlpatterns = [
    *_own("vip-customer"),
    *_own("customers", schema=None),
    *customer_urls("vip-customer", VipViewSet, VipAddressViewSet),
    path("internal/customers/<str:customer_id>/perks/", PerksView.as_view()),
    *internal_urls("vip-customer", Customer.objects.all(), MOVES, keep=keep_order),
]
