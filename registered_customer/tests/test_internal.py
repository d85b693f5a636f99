"""What our own services may do with accounts: move them, open sessions, and close them."""

import uuid

import pytest

from registered_customer import accounts
from registered_customer.models import Account
from registered_customer.tests.conftest import EMAIL, PASSWORD
from shopkit.errors import Unauthenticated
from shopkit.testing import Caller, service_token

pytestmark = pytest.mark.django_db
ACCOUNT, SESSION = "/internal/accounts/123/", "/internal/accounts/123/session/"


def test_a_session_is_opened_for_an_active_account(router: Caller, account: Account) -> None:
    answer = router.post(SESSION, {})
    assert (answer.status_code, set(answer.json())) == (200, {"access", "refresh"})
    Account.objects.update(active=False)
    assert router.post(SESSION, {}).status_code == 404
    assert router.post("/internal/accounts/9/session/", {}).status_code == 404


def test_an_account_is_closed_with_its_sessions(router: Caller, account: Account, ended: list[str]) -> None:
    for _ in range(2):
        assert router.delete(ACCOUNT).status_code == 204
    assert not Account.objects.exists()
    assert ended == ["123", "123"]


def test_who_is_not_active_has_no_standing(account: Account) -> None:
    Account.objects.update(active=False)
    with pytest.raises(Unauthenticated):
        accounts.standing(account_id="123")


def test_all_that_is_for_our_own_services_only(anybody: Caller, staff: Caller, account: Account) -> None:
    for who in (anybody, staff):
        answers = [who.post(SESSION, {}), who.patch(ACCOUNT, {"customer_type": "vip"}), who.delete(ACCOUNT)]
        assert [answer.status_code for answer in answers] == [403] * 3
    assert Account.objects.get().customer_type == "registered"


def as_service(name: str, service: str = "registered_customer") -> Caller:
    return Caller(HTTP_HOST="localhost", HTTP_AUTHORIZATION=f"Bearer {service_token(service, by=name)}")


@pytest.mark.parametrize("name", ["shipping_service", "order_service", "cart_service", "guest_customer"])
def test_a_service_that_may_ask_for_staff_alone_gets_no_session_and_moves_nobody(name: str, account: Account) -> None:
    """A key that was stolen from one of them must not be good for being anybody, staff least of all."""
    Account.objects.update(role="staff")
    stolen, move = as_service(name), f"/internal/customers/123/moves/{uuid.uuid4()}"
    answers = [
        stolen.post(SESSION, {}),
        stolen.post("/internal/registrations/complete/", {"token": "x"}),
        stolen.post(f"{move}/hold/", {"to": "vip"}),
        stolen.get("/internal/customers/123/"),
        stolen.post("/internal/customers/123/orders/", {}),
    ]
    assert [answer.status_code for answer in answers] == [403] * 5
    assert stolen.post("/internal/staff/check/", {"email": EMAIL, "password": PASSWORD}).status_code == 200
    assert as_service("customer_router").post(SESSION, {}).status_code == 200


def test_an_account_is_closed_by_the_customers_services_only(account: Account) -> None:
    assert as_service("shipping_service").delete(ACCOUNT).status_code == 403
    assert as_service("vip_customer").delete(ACCOUNT).status_code == 204
