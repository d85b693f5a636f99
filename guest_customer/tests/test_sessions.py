"""A guest's session: how long it lasts, who ends it, and what becomes of guests who don't come back."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from guest_customer import services
from guest_customer.models import Customer, Session
from shopkit.customers import sessions
from shopkit.testing import Caller

pytestmark = pytest.mark.django_db
REFRESH = "/api/auth/refresh/"
ANYBODY = Caller(HTTP_HOST="localhost")
ORDER = {"order_id": "o1", "order_version": 1, "status": "paid", "total": 1, "goods": 1, "currency": "USD"}
Pair = dict[str, Any]


@pytest.fixture
def begun() -> Pair:
    return dict(ANYBODY.post("/api/auth/guest/").json())


def refresh(pair: Pair) -> Any:
    return ANYBODY.post(REFRESH, {"refresh": pair["refresh"]})


def later(monkeypatch: pytest.MonkeyPatch, by: timedelta) -> datetime:
    now = timezone.now() + by
    monkeypatch.setattr(timezone, "now", lambda: now)
    return now


def test_an_old_refresh_token_counts_for_ten_seconds_more_and_then_ends_the_session(
    begun: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    following = refresh(begun).json()
    later(monkeypatch, sessions.GRACE - timedelta(seconds=2))
    assert refresh(begun).json()["refresh"] == following["refresh"]
    later(monkeypatch, timedelta(seconds=3))
    assert (refresh(begun).status_code, refresh(begun).json()["code"]) == (401, "invalid_refresh")
    assert refresh(following).status_code == 401


def test_who_comes_back_within_thirty_days_stays(begun: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """The guest is put off forgetting, so the session must last as long."""
    for _month in range(3):
        later(monkeypatch, timedelta(days=29))
        answer = refresh(begun)
        assert answer.status_code == 200
        begun = answer.json()
        services.forget_expired()
    assert Customer.objects.filter(anonymised_at=None).count() == 1


def test_a_session_that_nobody_goes_on_with_ends(begun: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    later(monkeypatch, sessions.LIFETIME + timedelta(minutes=1))
    assert refresh(begun).status_code == 401
    services.forget_expired()
    assert not Session.objects.exists()


def test_a_guest_who_is_moving_is_one_until_they_have_left(begun: Pair) -> None:
    """Told that their token counts no more, a client would throw it away, and with it the cart."""
    Customer.objects.update(moving_to="registered")
    following = refresh(begun)
    assert following.status_code == 200
    Customer.objects.update(moving_to="", moved_to="registered")
    assert refresh(following.json()).status_code == 401


def test_a_guest_who_comes_back_while_being_forgotten_is_not(begun: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    later(monkeypatch, sessions.LIFETIME + timedelta(minutes=1))
    guest = Customer.objects.get()
    anonymise = services.anonymise

    def late(*, customer: Customer) -> None:
        if customer.pk != guest.pk:  # the first of two; meanwhile the second comes back
            services.come_back(guest_id=guest.pk)
        anonymise(customer=customer)

    monkeypatch.setattr(services, "anonymise", late)
    first = Customer.objects.create(expires_at=timezone.now() - timedelta(days=2))
    for each in (first, guest):
        each.purchases.create(**ORDER, placed_at=timezone.now())
    services.forget_expired()
    guest.refresh_from_db()
    assert guest.anonymised_at is None


def test_where_somebody_has_gone_is_known_after_a_month_too(begun: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    me = begun["customer"]["id"]
    Customer.objects.update(moved_to="registered")
    later(monkeypatch, sessions.LIFETIME + timedelta(minutes=1))
    services.forget_expired()
    answer = Caller(HTTP_HOST="localhost").get(f"/api/guest-customer/{me}/")
    assert (answer.status_code, answer["Location"]) == (307, f"/api/registered-customer/{me}/")


def test_who_ordered_stays_countable_and_who_did_not_is_gone(begun: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anybody can begin as a guest, so what nobody needs any more must not pile up."""
    buyer = Customer.objects.create(first_name="Ada", expires_at=timezone.now())
    buyer.purchases.create(**ORDER, placed_at=timezone.now())
    later(monkeypatch, sessions.LIFETIME + timedelta(minutes=1))
    services.forget_expired()
    left = Customer.objects.get()
    assert (left.pk, left.first_name) == (buyer.pk, "")
    assert left.anonymised_at is not None
