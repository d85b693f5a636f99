"""Moves of guests, step by step, and what becomes of their sessions."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from guest_customer import services
from guest_customer.models import Customer, Session
from shopkit.customers.testing import MovesTests
from shopkit.customers.testing.steps import everything, made, ok, refused, router, step
from shopkit.customers.testing.stories import SECOND
from shopkit.testing import Caller, at_once

pytestmark = pytest.mark.django_db
REFRESH = "/api/auth/refresh/"


class TestGuestMoves(MovesTests):
    kind, path = "guest", "guest-customer"
    other, other_path = "registered", "registered-customer"


def test_what_a_guest_ordered_who_logged_in_to_an_account_counts_there_alone() -> None:
    made()
    told = {"guest_id": "c1", "customer_id": "c2", "customer_type": "registered"}
    ok(step("hold", to="registered"))
    refused(router().post("/internal/sign-ins/", told), "moving")
    ok(step("release"))
    for _ in range(2):
        assert router().post("/internal/sign-ins/", told).status_code == 204
    assert not everything()["rows"]["purchases"]
    assert everything()["rows"]["viewed_items"]


@pytest.fixture
def refresh() -> str:
    """Guest c1's refresh token."""
    guest, pair = services.begin()
    Customer.objects.filter(pk=guest.pk).delete()
    Session.objects.update(subject="c1")
    Customer.objects.create(id="c1", expires_at=guest.expires_at)
    return pair["refresh"]


def test_who_is_about_to_leave_keeps_their_session_until_they_have(staff: Caller, refresh: str) -> None:
    ok(step("hold", to="registered"))
    held = staff.post(REFRESH, {"refresh": refresh})
    refresh = ok(held)["refresh"]
    ok(step("release"))
    refresh = ok(staff.post(REFRESH, {"refresh": refresh}))["refresh"]
    ok(step("hold", SECOND, to="registered"))
    ok(step("leave", SECOND))
    assert staff.post(REFRESH, {"refresh": refresh}).status_code == 401


def _expired(**more: Any) -> None:
    Customer.objects.create(id="c1", first_name="Ada", expires_at=timezone.now() - timedelta(days=1), **more)


def test_who_is_about_to_leave_is_not_forgotten_though_their_time_is_up() -> None:
    _expired()
    ok(step("hold", to="registered"))
    services.forget_expired()
    assert Customer.objects.get().first_name == "Ada"
    ok(step("leave"))


def test_where_somebody_moved_is_not_forgotten(staff: Caller) -> None:
    _expired()
    ok(step("hold", to="registered"))
    ok(step("leave"))
    services.forget_expired()
    assert staff.get("/api/guest-customer/c1/").status_code == 307


def test_who_begins_to_leave_while_others_are_forgotten_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    early = Customer.objects.create(id="c0", expires_at=timezone.now() - timedelta(days=2))
    order = {"order_id": "o1", "order_version": 1, "status": "paid", "total": 1, "goods": 1, "currency": "USD"}
    early.purchases.create(**order, placed_at=timezone.now())
    _expired()
    earnest = services.anonymise

    def anonymise(*, customer: Any) -> None:
        earnest(customer=customer)
        if customer.pk == "c0":
            ok(step("hold", to="registered"))

    monkeypatch.setattr(services, "anonymise", anonymise)
    services.forget_expired()
    guest = Customer.objects.get(pk="c1")
    assert (guest.first_name, guest.moving_to, guest.anonymised_at) == ("Ada", "registered", None)
    assert Customer.objects.get(pk="c0").anonymised_at


@pytest.mark.django_db(transaction=True)
def test_who_is_forgotten_and_held_at_once_is_one_or_the_other() -> None:
    for number in range(4):
        move = uuid.UUID(int=number + 1)
        _expired()

        def act(number: int, move: Any = move) -> int:
            if number % 2 == 0:
                return int(step("hold", move, to="registered").status_code)
            services.forget_expired()
            return 0

        codes = at_once(act, 4)[::2]
        guest = Customer.objects.first()
        assert guest is None or (guest.first_name, guest.moving_to) == ("Ada", "registered")
        assert codes == [200 if guest else 404] * 2
        Customer.objects.all().delete()
