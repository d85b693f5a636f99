"""Where the customer router sends a request."""

import json

import pytest

from customer_router.routing import pick
from shopkit.errors import Forbidden, Invalid
from shopkit.proxy import Forward
from shopkit.testing import Asked, access_token, picked


@pytest.mark.parametrize(
    ("header", "service"),
    [
        (None, "guest_customer"),
        ("guest", "guest_customer"),
        ("Registered", "registered_customer"),
        ("VIP", "vip_customer"),
        (" vip ", "vip_customer"),
    ],
)
def test_the_type_of_customer_says_where(header: str | None, service: str) -> None:
    headers = {"x-customer-type": header} if header else {}
    assert picked(pick, Asked("GET", "/api/customers/me/", headers=headers)) == Forward(service, "/api/customers/me/")


@pytest.mark.parametrize("header", ["gold", "vip, guest", "guest\u0130", "0"])
def test_another_type_is_refused_naming_those_there_are(header: str) -> None:
    with pytest.raises(Invalid, match="guest, registered, vip") as refused:
        picked(pick, Asked("GET", "/api/customers/", headers={"x-customer-type": header}))
    assert refused.value.code == "unknown_customer_type"


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/api/guest-customer/123/", "guest_customer"),
        ("/api/registered-customer/", "registered_customer"),
        ("/api/vip-customer/456/points/", "vip_customer"),
    ],
)
def test_a_typed_path_says_where_whatever_the_header(path: str, service: str) -> None:
    assert picked(pick, Asked("GET", path, headers={"x-customer-type": "guest"})) == Forward(service, path)


@pytest.mark.parametrize("path", ["/api/items/", "/api/schema/", "/health/ready", "/"])
def test_what_is_no_customers_is_not_passed_on(path: str) -> None:
    assert picked(pick, Asked("GET", path)) is None


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/api/auth/guest/", "guest_customer"),
        ("/api/auth/register/", "registered_customer"),
        ("/api/auth/verify-email/resend/", "registered_customer"),
        ("/api/auth/password/reset/confirm/", "registered_customer"),
    ],
)
def test_who_issues_tokens_is_asked_for_them(path: str, service: str) -> None:
    assert picked(pick, Asked("POST", path, body=b"{}")) == Forward(service, path)


@pytest.mark.parametrize(
    ("refresh", "service"),
    [
        ("guest_customer.1.x", "guest_customer"),
        ("registered_customer.1.x", "registered_customer"),
        ("vip_customer.1.x", "registered_customer"),
        ("gateway.1.x", "registered_customer"),
        ("", "registered_customer"),
    ],
)
@pytest.mark.parametrize("call", ["refresh", "logout"])
def test_a_refresh_token_names_who_gave_it_out(call: str, refresh: str, service: str) -> None:
    body = json.dumps({"refresh": refresh}).encode()
    assert picked(pick, Asked("POST", f"/api/auth/{call}/", body=body)) == Forward(service, f"/api/auth/{call}/")


@pytest.mark.parametrize(
    "path",
    [
        "/api/auth/login/",
        "/api/auth/verify-email/",
        "/api/auth/.well-known/jwks.json",
        "/api/customers/me/upgrade/",
        "/api/customers/123/downgrade/",
        "/api/guest-customer/123/upgrade/",
        "/internal/customers/123/orders/",
        "/internal/registered-customer/123/orders/",
        "/internal/auth/register/",
    ],
)
def test_what_concerns_two_services_the_router_answers(path: str) -> None:
    assert picked(pick, Asked("POST", path)) is None


@pytest.mark.parametrize("kind", ["guest", "registered", "vip"])
def test_without_a_header_the_token_says_the_type(kind: str) -> None:
    headers = {"authorization": f"Bearer {access_token('c1', kind)}"}
    sent = picked(pick, Asked("GET", "/api/customers/me/", headers=headers))
    assert sent == Forward(f"{kind}_customer", "/api/customers/me/")


def test_a_header_that_the_token_denies_is_forbidden() -> None:
    headers = {"authorization": f"Bearer {access_token('c1', 'registered')}", "x-customer-type": "vip"}
    with pytest.raises(Forbidden) as refused:
        picked(pick, Asked("GET", "/api/customers/me/", headers=headers))
    assert refused.value.code == "wrong_customer_type"


def test_staff_go_where_the_header_says() -> None:
    headers = {"authorization": f"Bearer {access_token('s1', role='staff')}", "x-customer-type": "vip"}
    assert picked(pick, Asked("GET", "/api/customers/", headers=headers)) == Forward("vip_customer", "/api/customers/")
