"""Moves from and to VIPs, step by step, and what becomes of their points."""

import pytest

from shopkit.customers.testing import MovesTests
from shopkit.customers.testing.steps import TOLD, made, ok, refused, router, step
from shopkit.customers.testing.stories import SECOND, THIRD
from shopkit.testing import Caller
from vip_customer.models import Benefit, Customer

pytestmark = pytest.mark.django_db
POINTS = "/api/vip-customer/c1/points/"


class TestVipMoves(MovesTests):
    kind, path = "vip", "vip-customer"
    other, other_path = "registered", "registered-customer"


def leave() -> dict[str, object]:
    held = ok(step("hold", to="registered"))
    ok(step("leave"))
    return dict(held["customer"])


def come_back(customer: dict[str, object]) -> None:
    for _ in range(2):
        ok(step("arrive", SECOND, origin="registered", ticket="t", customer=customer))
    for _ in range(2):
        ok(step("settle", SECOND))


def give(staff: Caller, points: int, key: str = "k") -> object:
    return staff.post(POINTS, {"points": points, "reason": "gift"}, HTTP_IDEMPOTENCY_KEY=key)


def test_what_was_bought_before_earns_points_at_arrival_and_once() -> None:
    purchase = {**{k: v for k, v in TOLD.items() if k != "version"}, "order_version": 4}
    rows = {"purchases": [purchase, {**purchase, "order_id": "o2", "status": "pending"}]}
    customer = {"profile": {"email": "ada@example.com"}, "rows": rows}
    come_back(customer)
    vip = Customer.objects.get()
    assert [(entry.source, entry.points) for entry in vip.points_entries.all()] == [("order:o1", 29)]
    assert vip.points == 29
    told = router().post("/internal/customers/c1/orders/", {**TOLD, "version": 5, "status": "shipped"})
    assert ok(told) == {"applied": True, "email": "ada@example.com"}
    assert Customer.objects.get().points == 29


def test_the_ledger_waits_for_who_leaves_and_is_theirs_when_they_are_back(staff: Caller) -> None:
    made()
    give(staff, 1_500)
    before = ok(staff.get(POINTS))["results"]
    customer = leave()
    assert staff.get(POINTS).status_code == 307
    come_back(customer)
    assert ok(staff.get(POINTS))["results"] == before
    vip = ok(staff.get("/api/vip-customer/c1/"))
    assert (vip["points"], vip["tier"]) == (1_529, "silver")


def test_what_was_refunded_elsewhere_is_taken_back_on_return() -> None:
    made()
    customer = leave()
    customer["rows"]["purchases"][0] |= {"refunded": TOLD["goods"], "status": "refunded", "order_version": 5}  # type: ignore[index]
    come_back(customer)
    assert Customer.objects.get().points == 0


def test_who_is_refused_on_return_keeps_their_ledger() -> None:
    made()
    customer = leave()
    ok(step("arrive", SECOND, origin="registered", ticket="t", customer=customer))
    ok(step("refuse", SECOND, origin="registered"))
    assert Customer.objects.get().points == 29
    ok(step("arrive", THIRD, origin="registered", ticket="t", customer=customer))
    ok(step("settle", THIRD))
    assert Customer.objects.get().points == 29


def test_points_are_neither_given_nor_redeemed_while_they_leave(staff: Caller) -> None:
    made()
    benefit = Benefit.objects.filter(tier="bronze", active=True).first() or Benefit.objects.create(
        tier="bronze", kind="free_shipping", name="Free"
    )
    ok(step("hold", to="registered"))
    redeem = f"/api/vip-customer/c1/benefits/{benefit.pk}/redeem/"
    for answer in (give(staff, 5), staff.post(redeem, HTTP_IDEMPOTENCY_KEY="r")):
        refused(answer, "moving")
    assert staff.get(POINTS).status_code == 200
    assert Customer.objects.get().points == 29
    ok(step("release"))
    assert give(staff, 5).status_code == 201  # type: ignore[attr-defined]


def test_an_email_that_another_vip_has_is_taken() -> None:
    Customer.objects.create(id="other", email="ada@example.com")
    customer = {"profile": {"email": "Ada@example.com"}, "rows": {}}
    refused(step("arrive", origin="registered", ticket="t", customer=customer), "email_taken")
    assert not Customer.objects.filter(pk="c1").exists()
