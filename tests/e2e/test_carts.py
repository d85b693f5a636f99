"""Carts and what becomes of them on real services: prices that change, VIPs' discounts, a service that is silent."""

import uuid
from typing import Any

from tests.e2e.test_checkout import ADDRESS, Shop, card
from tests.fleet import Fleet
from tests.waiting import wait_for


def test_a_price_that_changes_shows_in_the_cart_and_is_not_charged_unseen(fleet: Fleet) -> None:
    shop = Shop(fleet)
    wish = shop.wish(card("4111111111111111"), quantity=2)
    seen = shop.ada("POST", "/api/orders/", {**wish, "expected_total": "0.01"}).json()["details"]["total"][0]
    assert fleet.call("PATCH", f"/api/books/{shop.book}/", json={"price": "20.00"}).status_code == 200
    (line,) = shop.ada("GET", f"/api/carts/{wish['cart_id']}/").json()["items"]
    assert (line["unit_price"], line["price_when_added"], line["price_changed"]) == ("20.00", "12.50", True)
    refused = shop.ada("POST", "/api/orders/", {**wish, "expected_total": seen})
    assert (refused.status_code, refused.json()["code"]) == (409, "total_changed")
    now = refused.json()["details"]["total"][0]
    placed = shop.ada("POST", "/api/orders/", {**wish, "expected_total": now}).json()
    shop.becomes(placed["id"], "delivered")
    assert shop.payment(placed["id"])["captured"] == now


def test_a_vip_pays_less_by_a_line_of_its_own(fleet: Fleet) -> None:
    tiers = fleet.call("GET", "/api/vip-customer/benefits/?tier=bronze&kind=discount").json()["results"]
    if not tiers:
        benefit = {"tier": "bronze", "kind": "discount", "name": "Ten off", "value": 10}
        tiers = [fleet.call("POST", "/api/vip-customer/benefits/", json=benefit).json()]
    vera = {
        "id": f"v-{uuid.uuid4().hex}",
        "email": f"{uuid.uuid4().hex}@example.com",
        "first_name": "V",
        "last_name": "V",
    }
    made = fleet.call("POST", "/api/vip-customer/", json=vera)
    assert made.status_code == 201, made.text
    shop, who = Shop(fleet), {"X-User-ID": made.json()["id"], "X-Customer-Type": "vip"}
    cart = fleet.call("POST", "/api/carts/", headers=who).json()["id"]
    line = {"item_id": shop.book, "quantity": 4}
    shown = fleet.call("POST", f"/api/carts/{cart}/items/", json=line, headers=who).json()
    off = f"{round(50 * tiers[0]['value']) / 100:.2f}"
    assert [each["amount"] for each in shown["discounts"]] == [off]
    wish = {
        "cart_id": cart,
        "shipping_address": ADDRESS,
        "shipping_method": "standard",
        "payment": card("4111111111111111"),
    }
    order = fleet.call("POST", "/api/orders/", json=wish, headers=who).json()
    assert (order["subtotal"], order["discount"], order["charges"][0]["amount"]) == ("50.00", off, f"-{off}")

    def paid() -> Any:
        payments = fleet.call("GET", f"/api/payments/?order_id={order['id']}", headers=who).json()["results"]
        return payments and payments[0]["captured"] == order["total"]

    wait_for(paid)


def test_while_an_item_service_hangs_a_cart_shows_what_was_last_known_and_is_no_order(fleet: Fleet) -> None:
    shop = Shop(fleet)
    wish = shop.wish()
    with fleet.hanging("book_service"):
        shown = shop.ada("GET", f"/api/carts/{wish['cart_id']}/").json()
        refused = shop.ada("POST", "/api/orders/", wish)
    assert (shown["live"], shown["items"][0]["unit_price"], shown["items"][0]["available"]) == (False, "12.50", None)
    assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
    assert shop.ada("GET", f"/api/carts/{wish['cart_id']}/").json()["live"] is True


def test_what_shipping_says_is_what_an_order_pays_for_it(fleet: Fleet) -> None:
    shop = Shop(fleet)
    asked = {"country": ADDRESS["country"], "region": ADDRESS.get("region", ""), "items": [{"quantity": 3}]}
    told = fleet.call("POST", "/api/shipments/rates/", json=asked).json()
    prices = {rate["method"]: rate["price"] for rate in told["rates"]}
    assert (told["weight_g"], shop.order(shop.place(quantity=3))["shipping"]) == (1500, prices["standard"])
