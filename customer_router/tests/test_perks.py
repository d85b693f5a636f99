"""What a VIP's carts get by themselves: the VIP service says it, for whoever is one."""

from typing import Any

import pytest
import requests
import responses

from shopkit import topology
from shopkit.testing import Caller, service_token

PERKS = {"tier": "gold", "percent": 10, "free_shipping": ["standard"]}
AT_VIP = f"{topology.by_customer_type()['vip'].url}/internal/customers/456/perks/"
MOVED = {"error": "", "code": "moved", "details": {"location": ["/internal/registered-customer/456/perks/"]}}


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ({"json": PERKS}, 200),
        ({"json": {"error": "", "code": "not_found", "details": {}}, "status": 404}, 404),
        ({"json": MOVED, "status": 307}, 404),
        ({"body": requests.ConnectionError()}, 503),
    ],
)
def test_what_the_vip_service_says_is_passed_on(
    peers: responses.RequestsMock, answer: dict[str, Any], status: int
) -> None:
    peers.get(AT_VIP, **answer)
    token = service_token("customer_router", by="cart_service")
    told = Caller(HTTP_HOST="localhost", HTTP_AUTHORIZATION=f"Bearer {token}").get("/internal/customers/456/perks/")
    assert told.status_code == status
    assert status != 200 or told.json() == PERKS


def test_customers_and_staff_do_not_ask(ada: Caller, staff: Caller) -> None:
    assert {each.get("/internal/customers/456/perks/").status_code for each in (ada, staff)} == {403}
