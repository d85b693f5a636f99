"""A cart becomes an order: at the cart's prices, with totals made here, once."""

from datetime import timedelta
from typing import Any

import jwt
import pytest
import requests
import responses
from django.db import IntegrityError
from django.utils import timezone

from order_service import tasks
from order_service.models import Order, OrderEvent
from order_service.tests.conftest import ADDRESS, LINE, Fills, cart_url, wish
from order_service.tests.world import Killed
from shopkit.idempotency import services as keys
from shopkit.idempotency.models import Answer
from shopkit.testing import Caller

pytestmark = pytest.mark.django_db
NO_CART = "00000000-0000-4000-8000-000000000000"


def test_an_order_is_what_the_cart_was(ada: Caller, fills: Fills) -> None:
    cart_id = fills()
    response = ada.post("/api/orders/", wish(cart_id, email="ada@example.com"))
    body = response.json()
    assert (response.status_code, response["ETag"]) == (201, '"1"')
    assert body["items"] == [{**LINE, "line_total": "59.98"}]
    expected = {
        "customer_id": "ada",
        "customer_type": "vip",
        "email": "ada@example.com",
        "status": "pending",
        "currency": "USD",
        "subtotal": "59.98",
        "shipping": "5.00",
        "tax": "0.00",
        "total": "64.98",
        "shipping_address": {**ADDRESS, "line2": "", "region": "", "phone": ""},
        "shipping_method": "standard",
        "cart_id": cart_id,
        "version": 1,
    }
    assert body | expected == body


def test_express_costs_more(ada: Caller, fills: Fills) -> None:
    body = ada.post("/api/orders/", wish(fills(), shipping_method="express")).json()
    assert (body["shipping"], body["total"]) == ("15.00", "74.98")


def test_what_the_caller_says_about_prices_and_status_does_not_count(ada: Caller, fills: Fills) -> None:
    lies = {"total": "0.01", "subtotal": "0.01", "shipping": "0.00", "status": "paid", "customer_id": "bob"}
    body = ada.post("/api/orders/", wish(fills(), **lies)).json()
    assert (body["total"], body["status"], body["customer_id"]) == ("64.98", "pending", "ada")


def test_the_caller_s_identity_goes_along_to_the_cart_service(
    ada: Caller, fills: Fills, peers: responses.RequestsMock
) -> None:
    ada.post("/api/orders/", wish(fills()))
    token = peers.calls[0].request.headers["Authorization"].removeprefix("Bearer ")
    said = jwt.decode(token, options={"verify_signature": False})
    assert (said["sub"], said["type"], said["role"]) == ("ada", "vip", "customer")
    assert (said["iss"], said["aud"], said["act"]) == ("order_service", "cart_service", {"sub": "order_service"})


def test_staff_order_for_the_carts_owner(staff: Caller, ada: Caller, fills: Fills) -> None:
    made = staff.post("/api/orders/", wish(fills()))
    assert made.data["customer_id"] == "ada"
    assert ada.get(f"/api/orders/{made.data['id']}/").status_code == 200


def test_a_cart_of_nobody_becomes_the_callers_order(ada: Caller, staff: Caller, fills: Fills) -> None:
    nobodys = {"owner_id": None, "owner_type": "guest"}
    assert ada.post("/api/orders/", wish(fills(**nobodys))).data["customer_id"] == "ada"
    assert staff.post("/api/orders/", wish(fills(**nobodys))).data["customer_id"] is None


def test_an_expected_total_that_holds_is_fine_and_another_is_409_with_the_new_one(ada: Caller, fills: Fills) -> None:
    cart_id = fills()
    response = ada.post("/api/orders/", wish(cart_id, expected_total="64.97"))
    assert (response.status_code, response.json()["code"]) == (409, "total_changed")
    assert response.json()["details"] == {"total": ["64.98"]}
    assert ada.post("/api/orders/", wish(cart_id, expected_total="64.98")).status_code == 201


def test_a_cart_becomes_one_order_however_often_it_is_posted(ada: Caller, fills: Fills) -> None:
    cart_id = fills()
    made = ada.post("/api/orders/", wish(cart_id))
    again = ada.post("/api/orders/", wish(cart_id))
    assert (again.status_code, again.json()["code"]) == (409, "already_ordered")
    assert again.json()["details"] == {"order_id": [made.data["id"]]}


def test_only_its_customer_is_told_which_order_a_cart_became(ada: Caller, bob: Caller, fills: Fills) -> None:
    cart_id = fills()
    ada.post("/api/orders/", wish(cart_id))
    response = bob.post("/api/orders/", wish(cart_id))
    assert (response.status_code, response.json()["details"]) == (409, {})


def test_an_empty_cart_is_no_order(ada: Caller, fills: Fills) -> None:
    response = ada.post("/api/orders/", wish(fills(items=[])))
    assert (response.status_code, response.json()["code"]) == (409, "empty_cart")


def refused(code: str, status: int) -> dict[str, Any]:
    return {"json": {"error": "No.", "code": code, "details": {}, "request_id": ""}, "status": status}


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        (refused("not_found", 404), 400, "unknown_cart"),
        (refused("internal_error", 500), 503, "unavailable"),
        ({"body": requests.ConnectionError()}, 503, "unavailable"),
        ({"body": requests.Timeout()}, 504, "gateway_timeout"),
        ({"json": {"items": [{}]}}, 502, "bad_gateway"),
    ],
)
def test_nothing_is_ordered_unless_the_cart_service_says_what_is_in_the_cart(
    ada: Caller, peers: responses.RequestsMock, answer: dict[str, Any], status: int, code: str
) -> None:
    peers.get(cart_url(NO_CART), **answer)
    response = ada.post("/api/orders/", wish(NO_CART))
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert not Order.objects.exists()


def test_a_cart_that_was_put_into_another_is_no_order_and_the_answer_names_the_other(
    ada: Caller, peers: responses.RequestsMock
) -> None:
    """A redirect would have the client post its order to the cart."""
    other = "/api/carts/8f0e9a58-0000-4000-8000-000000000000/"
    moved = {"error": "Elsewhere.", "code": "moved", "details": {"location": [other]}, "request_id": ""}
    peers.get(cart_url(NO_CART), json=moved, status=307, headers={"Location": other})
    response = ada.post("/api/orders/", wish(NO_CART))
    assert (response.status_code, response.json()["code"]) == (409, "cart_merged")
    assert response.json()["details"] == {"cart": [other]}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"cart_id": "x"}, "cart_id"),
        ({"cart_id": None}, "cart_id"),
        ({"email": "ada"}, "email"),
        ({"shipping_method": "drone"}, "shipping_method"),
        ({"shipping_address": None}, "shipping_address"),
        ({"shipping_address": "here"}, "shipping_address.non_field_errors"),
        ({"shipping_address": {**ADDRESS, "country": "UK"}}, "shipping_address.country"),
        ({"shipping_address": {**ADDRESS, "city": ""}}, "shipping_address.city"),
        ({"expected_total": "-1"}, "expected_total"),
        ({"expected_total": "1.234"}, "expected_total"),
    ],
)
def test_an_invalid_wish_is_refused_by_field(ada: Caller, changes: dict[str, Any], field: str) -> None:
    response = ada.post("/api/orders/", wish(NO_CART) | changes)
    assert response.status_code == 400
    assert list(response.json()["details"]) == [field]


def test_a_malformed_body_is_400_and_another_type_415(ada: Caller) -> None:
    assert ada.post("/api/orders/", "{", content_type="application/json").status_code == 400
    assert ada.post("/api/orders/", "[]", content_type="application/json").status_code == 400
    assert ada.post("/api/orders/", "a=b", content_type="text/plain").status_code == 415


def test_the_log_begins_with_the_order(order: str, ada: Caller) -> None:
    results = ada.get(f"{order}timeline/").json()["results"]
    assert [(each["name"], each["from_status"], each["to_status"]) for each in results] == [("placed", "", "pending")]
    assert results[0]["at"].endswith("Z")
    assert OrderEvent.objects.count() == 1


def test_the_database_itself_keeps_totals_that_add_up(order: str) -> None:
    with pytest.raises(IntegrityError):
        Order.objects.update(total=1)


def test_who_died_before_the_answer_was_kept_gives_it_to_who_asks_again(
    ada: Caller, fills: Fills, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(**_: object) -> None:
        raise Killed

    cart_id = fills()
    with monkeypatch.context() as death:
        death.setattr(keys, "keep", dies)
        death.setattr(keys, "release", dies)
        with pytest.raises(Killed):
            ada.post("/api/orders/", wish(cart_id), HTTP_IDEMPOTENCY_KEY="one")
    Answer.objects.update(started_at=timezone.now() - 2 * keys.LEASE)
    again = ada.post("/api/orders/", wish(cart_id), HTTP_IDEMPOTENCY_KEY="one")
    assert (again.status_code, again.json()["id"]) == (201, str(Order.objects.get().pk))
    for other in ({"HTTP_IDEMPOTENCY_KEY": "two"}, {}):
        refused = ada.post("/api/orders/", wish(cart_id), **other)
        assert (refused.status_code, refused.json()["code"]) == (409, "already_ordered")


def test_a_key_that_has_expired_makes_no_second_order(ada: Caller, fills: Fills) -> None:
    cart_id, key = fills(), {"HTTP_IDEMPOTENCY_KEY": "one"}
    first = ada.post("/api/orders/", wish(cart_id), **key).json()
    Answer.objects.update(started_at=timezone.now() - keys.KEPT - timedelta(days=1))
    assert tasks.forget_old_answers() == 1
    again = ada.post("/api/orders/", wish(cart_id), **key)
    assert (again.status_code, again.json()) == (201, first)
    other = ada.post("/api/orders/", wish(cart_id, email="eve@example.com"), HTTP_IDEMPOTENCY_KEY="two")
    assert (other.status_code, other.json()["code"]) == (409, "already_ordered")
    assert [(str(each.pk), each.version) for each in Order.objects.all()] == [(first["id"], 1)]
