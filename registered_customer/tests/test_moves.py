"""Moves from and to registered customers, step by step, and what becomes of their accounts."""

from typing import Any

import pytest
from django.utils import timezone

from registered_customer import registrations
from registered_customer.models import Account, Customer, Registration
from registered_customer.tests.conftest import EMAIL, PASSWORD, make_account
from shopkit.auth import Identity
from shopkit.customers.testing import MovesTests
from shopkit.customers.testing.steps import ok, refused, step
from shopkit.customers.testing.stories import FIRST, SECOND
from shopkit.testing import Caller, at_once

pytestmark = pytest.mark.django_db
TOKEN, LOGIN = "mailed-token", {"email": EMAIL, "password": PASSWORD}


class TestRegisteredMoves(MovesTests):
    kind, path = "registered", "registered-customer"
    other, other_path = "vip", "vip-customer"


@pytest.fixture
def registration(account: Account) -> Registration:
    """Guest c1's, which waits to be verified; the password is the one of the other fixtures."""
    Customer.objects.all().delete()
    password = account.password
    account.delete()
    day = timezone.now() + registrations.LIFETIME
    fields = {"email": EMAIL, "password": password, "first_name": "Ada", "guest_id": "c1"}
    return Registration.objects.create(token_hash=registrations.hashed(TOKEN), expires_at=day, **fields)


def arrive(registration: Registration, move: Any = FIRST, **profile: Any) -> Any:
    """A guest, with the registration that they began."""
    customer = {"profile": {"last_name": "L", "preferences": {"colour": "blue"}, **profile}, "rows": {}}
    body = {"origin": "guest", "ticket": "t", "customer": customer, "registration_id": str(registration.pk)}
    return step("arrive", move, **body)


def can_log_in(anybody: Caller) -> bool:
    return anybody.post("/api/auth/login/", LOGIN).status_code == 200


def test_a_guest_who_arrives_has_an_account_once_they_settle(anybody: Caller, registration: Registration) -> None:
    for _ in range(2):
        ok(arrive(registration))
    assert not can_log_in(anybody)
    assert ok(step("settle")) == {}
    customer = Customer.objects.get(pk="c1")
    assert (customer.email, customer.email_verified) == (EMAIL, True)
    assert (customer.first_name, customer.last_name, customer.preferences) == ("Ada", "L", {"colour": "blue"})
    assert can_log_in(anybody)
    registration.refresh_from_db()
    assert registration.completed_at


def test_with_the_ticket_alone_the_account_is_open_too(
    anybody: Caller, staff: Caller, registration: Registration
) -> None:
    ok(arrive(registration))
    ok(staff.get("/api/registered-customer/c1/?moved=t"))
    assert can_log_in(anybody)


def test_a_guest_who_is_refused_has_no_account_and_their_token_is_good_another_time(
    anybody: Caller, router: Caller, registration: Registration
) -> None:
    ok(arrive(registration))
    for _ in range(2):
        ok(step("refuse", origin="guest"))
    assert not Account.objects.exists()
    assert ok(router.post("/internal/registrations/find/", {"token": TOKEN}))["guest_id"] == "c1"
    refused(arrive(registration), "move_undone")
    ok(arrive(registration, SECOND))
    ok(step("settle", SECOND))
    assert can_log_in(anybody)


def test_the_email_of_another_is_taken_at_arrival(anybody: Caller, registration: Registration) -> None:
    make_account("other")
    refused(arrive(registration), "email_taken")
    assert not Customer.objects.filter(pk="c1").exists()
    registration.refresh_from_db()
    assert (registration.customer_id, registration.completed_at) == (None, None)


def test_the_email_of_a_vips_account_is_taken_too(registration: Registration) -> None:
    Account.objects.create(id="v", email=EMAIL, password="x", customer_type="vip")
    refused(arrive(registration), "email_taken")


def test_an_email_that_a_guest_gave_for_mail_keeps_nobody_from_registering_with_another(
    registration: Registration,
) -> None:
    make_account("other", "mail@example.com")
    ok(arrive(registration, email="mail@example.com"))
    ok(step("settle"))
    assert Customer.objects.get(pk="c1").email == EMAIL


def test_a_registration_that_was_completed_meanwhile_brings_nobody(router: Caller, registration: Registration) -> None:
    ok(router.post("/internal/registrations/complete/", {"token": TOKEN}))
    refused(arrive(registration), "invalid_token", 400)


@pytest.mark.django_db(transaction=True)
def test_of_guests_with_one_email_who_arrive_at_once_one_has_it(registration: Registration) -> None:
    day = timezone.now() + registrations.LIFETIME
    fields = {"email": EMAIL, "password": registration.password, "expires_at": day}
    each = [Registration.objects.create(token_hash=str(n), guest_id=f"g{n}", **fields) for n in range(8)]

    def act(number: int) -> int:
        body = {"origin": "guest", "ticket": "t", "customer": {"profile": {}, "rows": {}}}
        path = f"/internal/customers/g{number}/moves/{FIRST}/arrive/"
        client = Caller(HTTP_HOST="localhost")
        client.force_authenticate(user=Identity(service="customer_router"))  # type: ignore[arg-type]
        return client.post(path, {**body, "registration_id": str(each[number].pk)}).status_code

    assert sorted(at_once(act, 8)) == [200] + [409] * 7
    assert Account.objects.count() == Customer.objects.count() == 1


@pytest.mark.parametrize("active", [True, False])
def test_an_account_that_staff_switched_off_stays_off_wherever_its_customer_goes(active: bool) -> None:
    make_account("c1", active=active)
    ok(step("hold", to="vip"))
    ok(step("leave"))
    account = Account.objects.get(pk="c1")
    assert (account.active, account.customer_type) == (active, "vip")
    customer = {"profile": {"email": EMAIL, "first_name": "Ada"}, "rows": {}}
    ok(step("arrive", SECOND, origin="vip", ticket="t", customer=customer))
    assert Account.objects.get().customer_type == "vip"
    ok(step("settle", SECOND))
    account.refresh_from_db()
    assert (account.active, account.customer_type) == (active, "registered")


def test_who_comes_back_has_the_password_that_they_had(anybody: Caller) -> None:
    make_account("c1")
    ok(step("hold", to="vip"))
    ok(step("leave"))
    assert can_log_in(anybody)
    customer = {"profile": {"email": EMAIL}, "rows": {}}
    ok(step("arrive", SECOND, origin="vip", ticket="t", customer=customer))
    ok(step("refuse", SECOND, origin="vip"))
    assert can_log_in(anybody)


def test_who_comes_back_without_an_account_is_given_none() -> None:
    customer = {"profile": {"email": EMAIL}, "rows": {}}
    ok(step("arrive", origin="vip", ticket="t", customer=customer))
    ok(step("settle"))
    assert not Account.objects.exists()
    assert Customer.objects.get().email_verified is False
