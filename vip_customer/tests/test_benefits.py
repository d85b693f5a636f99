"""Benefits: who may redeem what, how often, and for how many points."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from shopkit.testing import Caller, at_once, caller
from vip_customer.benefits import birthday
from vip_customer.models import Benefit, Customer
from vip_customer.tests.conftest import Tells

pytestmark = pytest.mark.django_db
MINE = "/api/customers/me/benefits/"


@pytest.fixture
def gold(vip: Customer, tell: Tells) -> Customer:
    """456 with 5,000 points."""
    tell("earned-gold", goods=5_000_00)
    return vip


def benefit(kind: str = "free_shipping", tier: str = "gold", **more: Any) -> Benefit:
    return Benefit.objects.create(kind=kind, tier=tier, name=kind, **more)


def redeem(which: Benefit, who: Caller | None = None, **headers: str) -> Any:
    return (who or caller("456", "vip")).post(f"{MINE}{which.pk}/redeem/", headers=headers)


def refused(which: Benefit) -> tuple[int, str]:
    answer = redeem(which)
    return answer.status_code, answer.json().get("code", "")


def shown(me: Caller) -> dict[str, Any]:
    (each,) = me.get(MINE).json()["results"]
    return {name: each[name] for name in ("redeemed_this_year", "left_this_year", "redeemable")}


def days_from_now(days: int) -> date:
    """A birth date whose birthday is so many days from today."""
    return birthday(timezone.now().date() + timedelta(days=days), 2000)


def test_redeeming_gives_a_code_and_takes_the_points(gold: Customer, me: Caller) -> None:
    ten_off = benefit("discount", value=10, cost=300)
    taken = redeem(ten_off).json()
    assert (taken["benefit"], taken["kind"], taken["value"], taken["points_spent"]) == (ten_off.pk, "discount", 10, 300)
    assert set(taken) == {"id", "benefit", "kind", "value", "code", "points_spent", "redeemed_at", "expires_at"}
    assert len(taken["code"]) == 12
    assert taken["redeemed_at"] < taken["expires_at"]
    assert me.get("/api/customers/me/").json()["points"] == 4700
    assert me.get("/api/customers/me/points/").json()["results"][0]["source"] == f"redemption:{taken['id']}"
    assert me.get("/api/customers/me/redemptions/").json()["results"] == [taken]


def test_what_costs_nothing_leaves_no_trace_in_the_ledger(gold: Customer) -> None:
    assert redeem(benefit("early_access")).status_code == 201
    assert gold.points_entries.count() == 1


def test_a_limit_is_for_the_year(gold: Customer, me: Caller) -> None:
    twice = benefit(limit_per_year=2)
    assert shown(me) == {"redeemed_this_year": 0, "left_this_year": 2, "redeemable": True}
    assert [redeem(twice).status_code for _ in range(2)] == [201, 201]
    assert shown(me) == {"redeemed_this_year": 2, "left_this_year": 0, "redeemable": False}
    assert refused(twice) == (409, "limit_reached")
    gold.redemptions.update(redeemed_at=timezone.now() - timedelta(days=366))
    assert redeem(twice).status_code == 201


def test_without_a_limit_there_is_no_end(gold: Customer, me: Caller) -> None:
    free = benefit()
    assert [redeem(free).status_code for _ in range(3)] == [201] * 3
    assert shown(me) == {"redeemed_this_year": 3, "left_this_year": None, "redeemable": True}


def test_another_tier_does_not_start_the_count_anew(gold: Customer, tell: Tells) -> None:
    redeem(benefit(limit_per_year=1))
    tell("more", goods=5_000_00)
    assert refused(benefit(tier="platinum", limit_per_year=1)) == (409, "limit_reached")


def test_points_that_are_not_there_are_not_spent(gold: Customer, me: Caller) -> None:
    dear = benefit(cost=5001)
    assert refused(dear) == (409, "not_enough_points")
    assert shown(me)["redeemable"] is False
    assert me.get("/api/customers/me/").json()["points"] == 5000


def test_another_tiers_benefit_is_not_to_be_had(gold: Customer) -> None:
    assert refused(benefit(tier="platinum")) == (403, "not_your_tier")
    assert refused(benefit(tier="silver")) == (403, "not_your_tier")


def test_what_is_not_offered_is_not_found(gold: Customer, me: Caller) -> None:
    assert refused(benefit(active=False)) == (404, "not_found")
    assert me.post(f"{MINE}999/redeem/").status_code == 404


def test_nobody_redeems_for_another(gold: Customer) -> None:
    path = f"/api/customers/456/benefits/{benefit().pk}/redeem/"
    assert caller("9", "vip").post(path).status_code == 404
    assert gold.redemptions.count() == 0


def test_nothing_is_redeemed_while_moving(gold: Customer) -> None:
    Customer.objects.update(moving_to="registered")
    assert refused(benefit()) == (409, "moving")


@pytest.mark.parametrize("days", [-30, 0, 30])
def test_the_birthday_gift_is_there_around_the_birthday(gold: Customer, days: int) -> None:
    Customer.objects.update(birth_date=days_from_now(days))
    assert redeem(benefit("birthday_gift")).status_code == 201


@pytest.mark.parametrize("days", [-31, 31, 180])
def test_the_birthday_gift_is_not_there_at_other_times(gold: Customer, days: int) -> None:
    Customer.objects.update(birth_date=days_from_now(days))
    assert refused(benefit("birthday_gift")) == (409, "not_birthday")


def test_the_birthday_gift_needs_a_birth_date(gold: Customer, me: Caller) -> None:
    gift = benefit("birthday_gift")
    assert refused(gift) == (409, "no_birth_date")
    assert shown(me) == {"redeemed_this_year": 0, "left_this_year": 1, "redeemable": False}


def test_a_birthday_has_one_gift_even_if_it_moves(gold: Customer, me: Caller) -> None:
    gift = benefit("birthday_gift", limit_per_year=5)
    me.patch("/api/customers/me/", {"birth_date": days_from_now(-20).isoformat()})
    assert redeem(gift).status_code == 201
    assert refused(gift) == (409, "limit_reached")
    gold.redemptions.update(redeemed_at=timezone.now() - timedelta(days=300))
    me.patch("/api/customers/me/", {"birth_date": days_from_now(10).isoformat()})
    assert refused(gift) == (409, "limit_reached")


def test_last_years_late_gift_does_not_bar_this_years_early_one(gold: Customer) -> None:
    Customer.objects.update(birth_date=days_from_now(20))
    gift = benefit("birthday_gift")
    redeem(gift)
    gold.redemptions.update(redeemed_at=timezone.now() - timedelta(days=320))
    assert redeem(gift).status_code == 201


def test_those_born_on_a_leap_day_have_a_birthday_each_year() -> None:
    assert [birthday(date(2000, 2, 29), year) for year in (2027, 2028)] == [date(2027, 2, 28), date(2028, 2, 29)]


def test_a_benefit_that_is_gone_leaves_its_redemptions(gold: Customer, me: Caller, staff: Caller) -> None:
    gone = benefit()
    redeem(gone)
    assert staff.delete(f"/api/vip-customer/benefits/{gone.pk}/").status_code == 204
    (left,) = me.get("/api/customers/me/redemptions/").json()["results"]
    assert (left["benefit"], left["kind"]) == (None, "free_shipping")


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_no_more_redeem_than_the_limit_lets(gold: Customer) -> None:
    limited = benefit(limit_per_year=3)
    assert sorted(at_once(lambda _: redeem(limited).status_code, 16)) == [201] * 3 + [409] * 13
    assert gold.redemptions.count() == 3


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_no_more_is_spent_than_there_is(gold: Customer) -> None:
    dear = benefit(cost=1600)
    assert sorted(at_once(lambda _: redeem(dear).status_code, 16)) == [201] * 3 + [409] * 13
    gold.refresh_from_db()
    assert (gold.points, gold.tier) == (200, "gold")
