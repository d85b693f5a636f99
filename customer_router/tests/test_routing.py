"""Where the customer router sends a request."""

import pytest

from customer_router.routing import pick
from shopkit.errors import Invalid
from shopkit.proxy import Forward
from shopkit.testing import Asked, picked


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
