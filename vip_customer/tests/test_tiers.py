"""Tiers by the points of the last year: changes, progress, and the review."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from shopkit.testing import Caller
from vip_customer import services
from vip_customer.models import Customer, Redemption
from vip_customer.tests.conftest import Tells

pytestmark = pytest.mark.django_db
HISTORY = "/api/customers/me/tier-history/"


def reviewed() -> int:
    out = StringIO()
    call_command("review_tiers", stdout=out)
    return int(out.getvalue().split()[0])


def pass_time(**by: float) -> None:
    """Makes the whole ledger older."""
    for entry in Customer.objects.get().points_entries.all():
        type(entry)._base_manager.filter(pk=entry.pk).update(earned_at=entry.earned_at - timedelta(**by))


def test_points_raise_the_tier_and_a_refund_takes_it_back(vip: Customer, me: Caller, tell: Tells) -> None:
    tell(goods=5_500_00)
    tell(goods=5_500_00, version=5, refunded=5_000_00, status="refunded")
    changes = me.get(HISTORY).json()["results"]
    assert all(each.pop("at") for each in changes)
    assert changes == [
        {"from": "gold", "to": "bronze", "points": 500, "reason": "refund:o1:500000"},
        {"from": "bronze", "to": "gold", "points": 5500, "reason": "order:o1"},
    ]
    assert me.get("/api/customers/me/").json()["tier"] == "bronze"


def test_progress_tells_what_is_missing_to_the_next_tier(vip: Customer, me: Caller, tell: Tells) -> None:
    tell(goods=1_250_00)
    assert me.get("/api/customers/me/").json()["progress"] == {
        "tier": "silver",
        "points_last_year": 1250,
        "next_tier": "gold",
        "points_to_next": 3750,
    }


def test_at_the_top_there_is_no_next_tier(vip: Customer, me: Caller, tell: Tells) -> None:
    tell(goods=20_000_00)
    progress = me.get("/api/customers/me/").json()["progress"]
    assert (progress["tier"], progress["next_tier"], progress["points_to_next"]) == ("platinum", None, None)


def test_whoever_has_less_than_nothing_is_bronze(vip: Customer, me: Caller, staff: Caller) -> None:
    staff.post("/api/customers/456/points/", {"points": -50, "reason": "Error"})
    progress = me.get("/api/customers/me/").json()["progress"]
    assert (progress["tier"], progress["next_tier"], progress["points_to_next"]) == ("bronze", "silver", 1050)


def test_an_order_of_long_ago_gives_points_but_no_tier(vip: Customer, me: Caller, tell: Tells) -> None:
    tell(goods=2_000_00, days=366)
    shown = me.get("/api/customers/me/").json()
    assert (shown["points"], shown["tier"], shown["progress"]["points_last_year"]) == (2000, "bronze", 0)


def test_a_late_refund_leaves_the_year_together_with_its_order(vip: Customer, me: Caller, tell: Tells) -> None:
    tell(goods=2_000_00, days=360)
    tell(goods=2_000_00, days=360, version=5, refunded=1_500_00, status="refunded")
    pass_time(days=10)
    assert me.get("/api/customers/me/").json()["progress"]["points_last_year"] == 0


def test_points_that_fall_out_of_the_year_cost_the_tier_at_the_review(vip: Customer, me: Caller, tell: Tells) -> None:
    tell(goods=2_000_00, days=300)
    pass_time(days=64)
    assert reviewed() == 0
    pass_time(days=2)
    assert (reviewed(), reviewed()) == (1, 0)
    shown = me.get("/api/customers/me/").json()
    assert (shown["tier"], shown["points"]) == ("bronze", 2000)
    assert me.get(HISTORY).json()["results"][0]["reason"] == "review"


def test_what_was_redeemed_costs_no_tier(vip: Customer, me: Caller, tell: Tells) -> None:
    tell(goods=1_000_00)
    vip.refresh_from_db()
    now = timezone.now()
    taken = Redemption(customer=vip, kind="discount", value=2, points_spent=500, code="X", expires_at=now)
    taken.save()
    services.points.add(customer=vip, source=f"redemption:{taken.pk}", points=-500)
    assert reviewed() == 0
    assert me.get("/api/customers/me/").json()["progress"]["points_last_year"] == 1000


def test_the_review_goes_through_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "BATCH", 3)
    for number in range(10):
        Customer.objects.create(
            id=f"c{number}", email=f"c{number}@example.com", tier="gold" if number % 2 else "bronze"
        )
    assert (reviewed(), reviewed()) == (5, 0)
    assert not Customer.objects.exclude(tier="bronze").exists()


def test_the_review_leaves_alone_who_moved_or_is_moving(vip: Customer) -> None:
    for place in ("moved_to", "moving_to"):
        Customer.objects.update(**{"tier": "gold", "moved_to": "", "moving_to": "", place: "registered"})
        assert reviewed() == 0


def test_a_list_shows_no_progress(vip: Customer, staff: Caller) -> None:
    assert "progress" not in staff.get("/api/vip-customer/").json()["results"][0]


def test_an_email_is_not_changed_with_the_profile(vip: Customer, me: Caller, staff: Caller) -> None:
    for who in (me, staff):
        answer = who.patch("/api/customers/456/", {"email": "new@example.com"})
        assert (answer.status_code, answer.json()["email"]) == (200, "vip@example.com")
    made = staff.post("/api/customers/", {"email": "New@Example.com"})
    assert (made.status_code, made.json()["email"]) == (201, "new@example.com")
