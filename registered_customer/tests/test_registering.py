"""Registering over HTTP, up to the account: by mail, and without telling anybody who has one."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import check_password
from django.db import IntegrityError
from django.utils import timezone

from registered_customer import registrations
from registered_customer.models import Account, Customer, PasswordReset, Registration
from registered_customer.tests.conftest import EMAIL, PASSWORD, Mailbox, make_account, token_in
from shopkit.errors import ShopError
from shopkit.outbox.models import Message
from shopkit.testing import Caller, at_once

pytestmark = pytest.mark.django_db
REGISTER, RESEND = "/api/auth/register/", "/api/auth/verify-email/resend/"
FIND, COMPLETE = "/internal/registrations/find/", "/internal/registrations/complete/"
ADA = {"email": EMAIL, "password": PASSWORD, "first_name": "Ada", "last_name": "L"}


def token_of(anybody: Caller, delivered: Mailbox, **more: Any) -> str:
    assert anybody.post(REGISTER, {**ADA, **more}).status_code == 201
    (sent,) = delivered()
    return token_in(sent)


def test_registering_answers_and_mails_a_token_with_which_it_is_completed(
    anybody: Caller, router: Caller, delivered: Mailbox
) -> None:
    answer = anybody.post(REGISTER, {**ADA, "email": "ADA@Example.com", "is_staff": True, "role": "staff"})
    assert (answer.status_code, set(answer.json()), answer.json()["email"]) == (201, {"email", "message"}, EMAIL)
    assert not Account.objects.exists()
    assert not Customer.objects.exists()
    (sent,) = delivered()
    assert (sent.to, sent.subject) == ([EMAIL], "Verify your email address")
    assert "http://localhost:8000/verify-email?token=" in sent.body
    done = router.post(COMPLETE, {"token": token_in(sent)})
    assert done.status_code == 200
    account, customer = Account.objects.get(), Customer.objects.get()
    assert done.json() == {"customer_id": account.pk} == {"customer_id": customer.pk}
    assert (account.email, account.role, account.customer_type, account.active) == (
        EMAIL,
        "customer",
        "registered",
        True,
    )
    assert (customer.email, customer.email_verified, customer.first_name, customer.last_name) == (
        EMAIL,
        True,
        "Ada",
        "L",
    )
    assert account.password.startswith("argon2$argon2id$")
    assert check_password(PASSWORD, account.password)


def test_neither_token_nor_password_is_kept_as_it_is(anybody: Caller, delivered: Mailbox) -> None:
    token = token_of(anybody, delivered)
    kept = f"{Registration.objects.values()}{Message.objects.values()}"
    assert token not in kept
    assert PASSWORD not in kept


def test_a_registration_is_found_with_the_guest_it_began_with(
    anybody: Caller, router: Caller, delivered: Mailbox
) -> None:
    found = router.post(FIND, {"token": token_of(anybody, delivered)})
    assert found.status_code == 200
    registration_id = str(Registration.objects.get().pk)
    assert found.json() == {
        "registration_id": registration_id,
        "guest_id": "guest-1",
        "email": EMAIL,
        "first_name": "Ada",
        "last_name": "L",
    }


def test_who_is_no_guest_registers_without_one(delivered: Mailbox, router: Caller, ada: Caller) -> None:
    assert router.post(FIND, {"token": token_of(ada, delivered)}).json()["guest_id"] is None


def test_a_guest_keeps_their_id(anybody: Caller, router: Caller, delivered: Mailbox) -> None:
    token = token_of(anybody, delivered)
    assert router.post(COMPLETE, {"token": token, "customer_id": "guest-1"}).json() == {"customer_id": "guest-1"}
    assert Account.objects.get().pk == Customer.objects.get().pk == "guest-1"


def test_a_customer_who_is_here_under_that_id_keeps_what_they_have(
    anybody: Caller, router: Caller, delivered: Mailbox
) -> None:
    Customer.objects.create(id="guest-1", first_name="Countess", phone="1")
    router.post(COMPLETE, {"token": token_of(anybody, delivered), "customer_id": "guest-1"})
    customer = Customer.objects.get()
    assert (customer.first_name, customer.last_name, customer.phone, customer.email) == ("Countess", "L", "1", EMAIL)


def test_a_customer_whom_staff_made_gets_the_account_of_their_email(
    anybody: Caller, router: Caller, delivered: Mailbox
) -> None:
    Customer.objects.create(id="7", email=EMAIL)
    token = token_of(anybody, delivered)
    assert router.post(COMPLETE, {"token": token, "customer_id": "guest-1"}).json() == {"customer_id": "7"}
    assert Account.objects.get().pk == "7"
    assert Customer.objects.get().email_verified


def test_completing_again_gives_the_same_customer(anybody: Caller, router: Caller, delivered: Mailbox) -> None:
    token = token_of(anybody, delivered)
    first = router.post(COMPLETE, {"token": token}).json()
    assert router.post(COMPLETE, {"token": token}).json() == first
    assert router.post(FIND, {"token": token}).status_code == 400
    assert Account.objects.count() == 1


def test_of_two_registrations_of_one_email_the_first_completed_counts(
    anybody: Caller, router: Caller, delivered: Mailbox
) -> None:
    tokens = [token_of(anybody, delivered), token_of(anybody, delivered)]
    assert router.post(COMPLETE, {"token": tokens[1]}).status_code == 200
    late = router.post(COMPLETE, {"token": tokens[0]})
    assert (late.status_code, late.json()["code"]) == (409, "email_taken")
    assert Customer.objects.count() == 1


@pytest.mark.parametrize("path", [FIND, COMPLETE])
def test_a_token_that_is_none_or_too_old_is_refused(
    anybody: Caller, router: Caller, delivered: Mailbox, path: str
) -> None:
    token = token_of(anybody, delivered)
    Registration.objects.update(expires_at=timezone.now())
    for each in (token, "nonsense"):
        answer = router.post(path, {"token": each})
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_token")


def test_who_has_an_account_is_told_so_by_mail_and_nothing_changes(
    anybody: Caller, delivered: Mailbox, account: Account
) -> None:
    assert anybody.post(REGISTER, {**ADA, "password": "quite another one"}).status_code == 201
    (sent,) = delivered()
    assert (sent.to, sent.subject) == ([EMAIL], "You already have an account")
    assert "token" not in sent.body
    assert check_password(PASSWORD, Account.objects.get().password)


@pytest.mark.parametrize(
    ("password", "why"),
    [("short", "short"), ("password123", "common"), ("73519284671", "numeric"), ("ada@example.co", "similar")],
)
def test_a_weak_password_is_refused(anybody: Caller, password: str, why: str) -> None:
    answer = anybody.post(REGISTER, {**ADA, "password": password})
    assert (answer.status_code, answer.json()["code"]) == (400, "weak_password")
    assert why in answer.json()["details"]["password"][0]


@pytest.mark.parametrize("email", ["", "ada", "ada@example.com\nBcc: bob@example.com", "a" * 250 + "@example.com"])
def test_what_is_no_email_is_refused(anybody: Caller, email: str) -> None:
    answer = anybody.post(REGISTER, {**ADA, "email": email})
    assert (answer.status_code, "email" in answer.json()["details"]) == (400, True)


def test_the_mail_comes_again_with_a_new_token_and_the_old_one_counts_no_more(
    anybody: Caller, router: Caller, delivered: Mailbox
) -> None:
    old = token_of(anybody, delivered)
    assert anybody.post(RESEND, {"email": EMAIL}).status_code == 202
    (sent,) = delivered()
    assert router.post(COMPLETE, {"token": old}).status_code == 400
    assert router.post(COMPLETE, {"token": token_in(sent)}).status_code == 200


def test_nothing_is_sent_again_to_who_does_not_wait_for_it(
    anybody: Caller, delivered: Mailbox, account: Account
) -> None:
    for email in (EMAIL, "nobody@example.com"):
        assert anybody.post(RESEND, {"email": email}).status_code == 202
    assert delivered() == []


def test_too_many_registrations_of_one_email_are_refused(anybody: Caller) -> None:
    answers = [anybody.post(REGISTER, ADA).status_code for _ in range(6)]
    assert answers == [201] * 5 + [429]
    assert anybody.post(REGISTER, {**ADA, "email": "bob@example.com"}).status_code == 201


def test_of_a_customer_who_is_deleted_no_registration_is_kept(
    anybody: Caller, router: Caller, delivered: Mailbox, staff: Caller
) -> None:
    customer_id = router.post(COMPLETE, {"token": token_of(anybody, delivered)}).json()["customer_id"]
    assert staff.delete(f"/api/customers/{customer_id}/").status_code == 204
    assert not Registration.objects.exists()


def test_nor_is_what_else_their_email_was_given_for_nor_is_it_mailed(
    anybody: Caller, router: Caller, delivered: Mailbox, staff: Caller
) -> None:
    tokens = [token_of(anybody, delivered), token_of(anybody, delivered)]
    customer_id = router.post(COMPLETE, {"token": tokens[0]}).json()["customer_id"]
    make_account("124", "bob@example.com")
    for email in (EMAIL, "bob@example.com"):
        assert anybody.post("/api/auth/password/reset/", {"email": email}).status_code == 202
        assert anybody.post(REGISTER, {**ADA, "email": email}).status_code == 201
    assert staff.delete(f"/api/customers/{customer_id}/").status_code == 204
    assert [row.email for row in Registration.objects.all()] == ["bob@example.com"]
    assert [row.email for row in PasswordReset.objects.all()] == ["bob@example.com"]
    assert {sent.to[0] for sent in delivered()} == {"bob@example.com"}
    assert router.post(COMPLETE, {"token": tokens[1]}).status_code == 400


def test_completing_is_for_our_own_services_only(anybody: Caller, staff: Caller) -> None:
    for path in (FIND, COMPLETE):
        assert {who.post(path, {"token": "x"}).status_code for who in (anybody, staff)} == {403}


def test_old_registrations_are_deleted(anybody: Caller) -> None:
    anybody.post(REGISTER, ADA)
    registrations.forget_old()
    assert Registration.objects.exists()
    Registration.objects.update(expires_at=timezone.now() - timedelta(days=8))
    registrations.forget_old()
    assert not Registration.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_completed_many_times_at_once_it_is_one_account(anybody: Caller, delivered: Mailbox) -> None:
    token = token_of(anybody, delivered)
    assert len(set(at_once(lambda _number: registrations.complete(token=token), 8))) == 1
    assert Account.objects.count() == Customer.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_many_registrations_completed_at_once_one_wins(anybody: Caller, delivered: Mailbox) -> None:
    tokens = [token_of(anybody, delivered) for _ in range(5)]

    def complete(number: int) -> str:
        try:
            return "done" if registrations.complete(token=tokens[number]) else ""
        except ShopError as error:
            return error.code

    assert sorted(at_once(complete, 5)) == ["done"] + ["email_taken"] * 4
    assert Account.objects.count() == Customer.objects.count() == 1


def test_an_email_can_not_be_had_twice_even_by_mistake(account: Account) -> None:
    with pytest.raises(IntegrityError):
        make_account("124")


@pytest.mark.parametrize("lookalike", ["ada@éxample.com", "ada@exámple.com", "ada@examplé.com"])
def test_an_address_that_only_looks_like_another_gets_no_customer_of_the_others(
    anybody: Caller, router: Caller, delivered: Mailbox, lookalike: str
) -> None:
    """MySQL takes é for e."""
    Customer.objects.create(id="123", email=EMAIL, first_name="Ada")
    done = router.post(COMPLETE, {"token": token_of(anybody, delivered, email=lookalike)})
    assert (done.status_code, Customer.objects.count()) == (200, 2)
    assert Account.objects.get().pk == done.json()["customer_id"] != "123"
    assert Account.objects.get().email.startswith("ada@xn--")


def test_an_address_kept_as_it_looks_is_nobody_elses(anybody: Caller, router: Caller, delivered: Mailbox) -> None:
    Customer.objects.create(id="123")
    Customer.objects.filter(pk="123").update(email="ada@éxample.com")  # by an earlier version
    done = router.post(COMPLETE, {"token": token_of(anybody, delivered)})
    assert done.json().get("customer_id") != "123"
    assert not Account.objects.filter(pk="123").exists()


def test_letters_that_look_like_others_are_refused_in_a_name(anybody: Caller) -> None:
    for email in ("mıke@example.com", "ſue@example.com"):
        assert anybody.post(REGISTER, {**ADA, "email": email}).status_code == 400
