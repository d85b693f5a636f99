"""Points: what orders earn, what refunds take back, what staff give."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import Sum
from django.test import Client

from shopkit.testing import Caller, at_once, caller
from vip_customer.models import AppendOnly, Customer, PointsEntry
from vip_customer.points import earned
from vip_customer.tests.conftest import Tells

pytestmark = pytest.mark.django_db


def balance(vip: Customer) -> int:
    """The balance, which is the sum of the ledger."""
    vip.refresh_from_db()
    assert vip.points == (vip.points_entries.aggregate(sum=Sum("points"))["sum"] or 0)
    return vip.points


def ledger(vip: Customer) -> dict[str, int]:
    return dict(vip.points_entries.values_list("source", "points"))


@pytest.mark.parametrize(
    ("goods", "refunded", "points"), [(29_99, 0, 29), (99, 0, 0), (29_99, 10_00, 19), (10_00, 15_00, 0)]
)
def test_the_rule(goods: int, refunded: int, points: int) -> None:
    assert earned(goods=goods, refunded=refunded) == points


def test_a_paid_order_earns_by_its_goods_alone(vip: Customer, tell: Tells) -> None:
    tell(goods=29_99, total=44_99)
    assert (balance(vip), ledger(vip)) == (29, {"order:o1": 29})


@pytest.mark.parametrize("status", ["pending", "reserved", "authorised", "cancelled", "expired", "payment_failed"])
def test_an_order_that_is_not_paid_earns_nothing(vip: Customer, tell: Tells, status: str) -> None:
    tell(goods=29_99, status=status)
    assert ledger(vip) == {}


def test_an_order_earns_once_on_its_whole_way(vip: Customer, tell: Tells) -> None:
    for version, status in enumerate(("pending", "paid", "fulfilling", "shipped", "delivered"), 1):
        tell(goods=50_00, version=version, status=status)
        tell(goods=50_00, version=version, status=status)
    assert (balance(vip), ledger(vip)) == (50, {"order:o1": 50})


def test_refunds_take_back_so_that_the_rule_holds_for_what_is_left(vip: Customer, tell: Tells) -> None:
    tell(goods=29_99)
    for version, refunded, left in ((5, 50, 29), (6, 10_00, 19), (7, 34_99, 0)):
        tell(goods=29_99, version=version, refunded=refunded, status="refunded")
        assert balance(vip) == left
    assert ledger(vip) == {"order:o1": 29, "refund:o1:1000": -10, "refund:o1:3499": -19}


def test_news_that_come_late_or_out_of_order_change_nothing(vip: Customer, tell: Tells) -> None:
    tell(goods=29_99, version=7, refunded=10_00, status="refunded")
    tell(goods=29_99, version=4)
    assert (balance(vip), ledger(vip)) == (19, {"order:o1": 29, "refund:o1:1000": -10})


def test_orders_whose_ids_begin_alike_are_told_apart(vip: Customer, tell: Tells) -> None:
    tell("o", goods=10_00)
    tell("o:1", goods=20_00, refunded=5_00)
    assert (balance(vip), ledger(vip)["refund:o:1:500"]) == (25, -5)


def test_points_and_purchase_are_kept_together_or_not_at_all(
    vip: Customer, tell: Tells, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(**_: Any) -> None:
        raise RuntimeError

    with monkeypatch.context() as broken:
        broken.setattr("vip_customer.rating.rate", breaks)
        assert tell(goods=29_99).status_code == 500
    assert (balance(vip), vip.purchases.count()) == (0, 0)
    tell(goods=29_99)
    assert (balance(vip), vip.purchases.count()) == (29, 1)


@pytest.mark.django_db(transaction=True)
def test_of_news_that_arrive_at_once_the_newest_counts(vip: Customer, tell: Tells) -> None:
    answers = at_once(lambda number: tell(goods=100_00, version=number + 1, refunded=number * 100).status_code, 16)
    assert set(answers) == {200}
    assert balance(vip) == 85


@pytest.mark.django_db(transaction=True)
def test_orders_that_arrive_at_once_all_count(vip: Customer, tell: Tells) -> None:
    at_once(lambda number: tell(f"o{number}", goods=100_00), 16)
    assert balance(vip) == 1600
    assert vip.tier_changes.count() == 1


def test_staff_adjust_points_and_say_why(vip: Customer, staff: Caller, me: Caller) -> None:
    answer = staff.post("/api/customers/456/points/", {"points": 1200, "reason": "Sorry for the delay"})
    assert (answer.status_code, answer.json()["points"], answer.json()["reason"]) == (201, 1200, "Sorry for the delay")
    staff.post("/api/customers/456/points/", {"points": -100, "reason": "Twice"})
    assert balance(vip) == 1100
    shown = me.get("/api/customers/me/points/").json()["results"]
    assert [each["points"] for each in shown] == [-100, 1200]
    assert shown[0]["source"].startswith("adjustment:")


@pytest.mark.parametrize("body", [{"points": 0, "reason": "x"}, {"points": 5}, {"points": 10**7, "reason": "x"}])
def test_an_adjustment_is_of_some_points_for_some_reason(vip: Customer, staff: Caller, body: dict[str, Any]) -> None:
    assert staff.post("/api/customers/456/points/", body).status_code == 400


def test_nobody_adjusts_their_own_points(vip: Customer, me: Caller) -> None:
    assert me.post("/api/customers/me/points/", {"points": 5, "reason": "x"}).status_code == 403


def test_the_ledger_is_only_added_to(vip: Customer, tell: Tells) -> None:
    tell(goods=29_99)
    entry = vip.points_entries.get()
    for attempt in (
        entry.save,
        entry.delete,
        vip.points_entries.all().delete,
        PointsEntry.objects.all().delete,
        lambda: PointsEntry.objects.update(points=5),
    ):
        with pytest.raises(AppendOnly):
            attempt()
    assert balance(vip) == 29


def test_the_admin_shows_the_ledger_and_changes_nothing_of_it(client: Client, vip: Customer, tell: Tells) -> None:
    client.force_login(User.objects.create_superuser("root"))
    tell(goods=29_99)
    page = client.get("/admin/vip_customer/customer/456/change/").content.decode()
    assert "29" in page
    assert "order:o1" in page
    for rows in ("points_entries-0-points", "points_entries-0-DELETE", "purchases-0-goods"):
        assert f'name="{rows}"' not in page
    assert client.post("/admin/vip_customer/customer/456/delete/", {"post": "yes"}).status_code == 403


def test_a_strangers_points_are_not_there(vip: Customer) -> None:
    assert caller("9", "vip").get("/api/customers/456/points/").status_code == 404
