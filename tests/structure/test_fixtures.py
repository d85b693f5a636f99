"""The sample data fits together, across the services' files and with what is generated."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

import pytest

from fixtures.generate import MAKERS, items

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
TYPES = ("book", "laptop", "mobile", "clothes")
TRANSACTIONS = ("cart", "order", "paying", "shipping")
CUSTOMER_TYPES = ("guest", "registered", "vip")
GENERATED = "efa67bac9148783123e23d3ffc911f0edfb525112850bcca54d820f298b315ba"
TIERS = {"bronze": 0, "silver": 1_000, "gold": 5_000, "platinum": 10_000}
SHIPPING = {"standard": 5_00, "express": 15_00}
ORDER_STEPS = {
    "": {"pending"},
    "pending": {"reserved", "cancelled", "expired"},
    "reserved": {"authorised", "cancelled", "expired", "payment_failed"},
    "authorised": {"paid", "cancelled", "payment_failed"},
    "paid": {"fulfilling", "refunded"},
    "fulfilling": {"shipped", "refunded"},
    "shipped": {"delivered", "refunded"},
    "delivered": {"refunded"},
}
SHIPMENT_STEPS = {
    "": {"label_created"},
    "label_created": {"picked_up", "failed"},
    "picked_up": {"in_transit", "failed", "returned"},
    "in_transit": {"out_for_delivery", "failed", "returned"},
    "out_for_delivery": {"delivered", "failed", "returned"},
    "delivered": {"returned"},
}
# an order's status: its payment's, and those its shipment may have; None for none
PAYMENT_OF = {
    **dict.fromkeys(("pending", "cancelled", "expired"), None),
    **dict.fromkeys(("paid", "fulfilling", "shipped", "delivered"), "captured"),
    "payment_failed": "failed",
    "refunded": "refunded",
}
SHIPMENTS_OF = {
    "fulfilling": {"label_created"},
    "shipped": {"picked_up", "in_transit", "out_for_delivery"},
    "delivered": {"delivered"},
    "refunded": {"returned"},
}
ACCOUNT = "registered_customer.account"
Row = dict[str, Any]


def load(service: str) -> Any:
    return json.loads((FIXTURES / f"{service}.json").read_text())


def rows(model: str) -> list[Row]:
    """A model's rows, each with its fields, and its pk as `pk` if it has one."""
    service = model.partition(".")[0]
    return [{"pk": row.get("pk"), **row["fields"]} for row in load(service) if row["model"] == model]


def parts(model: str, owner: str) -> dict[str, list[Row]]:
    """A model's rows by the row they are part of."""
    found: dict[str, list[Row]] = {}
    for row in rows(model):
        found.setdefault(row[owner], []).append(row)
    return found


def all_rows() -> Iterator[Row]:
    services = [*(f"{kind}_customer" for kind in CUSTOMER_TYPES), *(f"{kind}_service" for kind in TRANSACTIONS)]
    return chain.from_iterable(map(load, services))


ITEMS = {item["id"]: item for kind in TYPES for item in chain(load(f"{kind}_service"), items(kind))}
COLLECTIONS = {each["_id"]: each for each in load("items_router")["collections"]}
CUSTOMERS = {kind: {row["pk"]: row for row in rows(f"{kind}_customer.customer")} for kind in CUSTOMER_TYPES}
ORDERS = {row["pk"]: row for row in rows("order_service.order")}
LINES = parts("order_service.orderline", "order")
EVENTS = parts("order_service.orderevent", "order")
PAYMENTS = {row["order_id"]: row for row in rows("paying_service.payment")}
SHIPMENTS = {row["order_id"]: row for row in rows("shipping_service.shipment")}


def home(customer_id: str, kind: str) -> str | None:
    """The type whose service has the customer at the end of their moves."""
    customer = CUSTOMERS[kind].get(customer_id)
    if customer is None:
        return None
    return home(customer_id, customer["moved_to"]) if customer.get("moved_to") else kind


def minor(price: str) -> int:
    assert re.fullmatch(r"\d+\.\d\d", price)
    return int(price.replace(".", ""))


def steps(table: dict[str, set[str]], path: list[str]) -> bool:
    return all(there in table[here] for here, there in pairwise(["", *path]))


def test_there_are_a_thousand_items_over_exactly_ten_collections() -> None:
    assert len(ITEMS) >= 1_000
    assert len(COLLECTIONS) == 10
    assert {slug for item in ITEMS.values() for slug in item["collections"]} == set(COLLECTIONS)


def test_every_item_is_in_one_or_two_collections() -> None:
    assert {len(item["collections"]) for item in ITEMS.values()} == {1, 2}
    assert all(len(set(item["collections"])) == len(item["collections"]) for item in ITEMS.values())


@pytest.mark.parametrize("slug", COLLECTIONS)
def test_a_collection_spans_types(slug: str) -> None:
    assert len({item["id"].partition("_")[0] for item in ITEMS.values() if slug in item["collections"]}) > 1


@pytest.mark.parametrize("kind", TYPES)
def test_item_ids_are_unique_and_carry_their_type(kind: str) -> None:
    ids = [item["id"] for item in chain(load(f"{kind}_service"), items(kind))]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(rf"{kind}_[a-z0-9-]+", each) for each in ids)


@pytest.mark.parametrize("kind", TYPES)
def test_some_hand_picked_and_some_generated_items_are_sold_out(kind: str) -> None:
    for some in (load(f"{kind}_service"), list(items(kind))):
        assert 0 < sum(item["stock"] == 0 for item in some) < len(some) / 5


def test_generated_items_are_the_same_twice() -> None:
    assert [list(items(kind)) for kind in TYPES] == [list(items(kind)) for kind in TYPES]


def test_generated_items_are_the_same_for_ever() -> None:
    text = json.dumps([list(items(kind)) for kind in MAKERS], sort_keys=True)
    assert sha256(text.encode()).hexdigest() == GENERATED


def test_a_type_that_has_no_generated_items_gets_none() -> None:
    assert list(items("toy")) == []


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("book", ("genre", "author", "price")),
        ("laptop", ("brand", "cpu", "ram_gb", "storage_gb", "screen_size", "price")),
        ("mobile", ("brand", "camera_mp", "storage_gb", "os", "price")),
        ("clothes", ("brand", "size", "style", "color", "price")),
    ],
)
def test_hand_picked_items_are_of_many_sorts(kind: str, fields: tuple[str, ...]) -> None:
    picked = load(f"{kind}_service")
    assert all(len({item[field] for item in picked}) >= 3 for field in fields)


def test_hand_picked_books_have_isbns_whose_check_digit_fits() -> None:
    for book in load("book_service"):
        digits = [int(digit) for digit in book["isbn"]]
        assert len(digits) == 13, book["name"]
        assert sum(digits[::2] + [3 * digit for digit in digits[1::2]]) % 10 == 0, book["name"]


def test_generated_books_have_no_isbn() -> None:
    assert not any(book.get("isbn") for book in items("book"))


def test_what_was_viewed_exists() -> None:
    viewed = [row for kind in CUSTOMER_TYPES for row in rows(f"{kind}_customer.vieweditem")]
    assert viewed
    assert {row["item_id"] for row in viewed} <= set(ITEMS)


def test_guests_have_viewed_and_bought_something() -> None:
    assert len({row["customer"] for row in rows("guest_customer.vieweditem")}) > 1
    assert rows("guest_customer.purchase")


def test_registered_customers_have_a_profile_and_some_of_them_preferences() -> None:
    here = [each for each in CUSTOMERS["registered"].values() if not each.get("moved_to")]
    assert all(each["first_name"] and each["last_name"] for each in here)
    assert len([each for each in here if each.get("preferences")]) > 1


@pytest.mark.parametrize("kind", CUSTOMER_TYPES)
def test_what_belongs_to_a_customer_belongs_to_one_who_is_there(kind: str) -> None:
    owners = {row["fields"]["customer"] for row in load(f"{kind}_customer") if "customer" in row["fields"]}
    assert owners <= {pk for pk, customer in CUSTOMERS[kind].items() if not customer.get("moved_to")}


@pytest.mark.parametrize("kind", ["registered", "vip"])
def test_a_customer_has_one_default_address_for_shipping_and_one_for_billing(kind: str) -> None:
    for addresses in parts(f"{kind}_customer.address", "customer").values():
        for default in ("default_shipping", "default_billing"):
            assert sum(address.get(default, False) for address in addresses) == 1


def test_nobody_is_in_two_places_at_once() -> None:
    at_home = [pk for kind in CUSTOMER_TYPES for pk, each in CUSTOMERS[kind].items() if not each.get("moved_to")]
    assert len(set(at_home)) == len(at_home)


def test_123_was_a_guest_and_is_registered() -> None:
    assert home("123", "guest") == "registered"
    assert CUSTOMERS["registered"]["123"]["preferences"]
    assert "123" in parts("registered_customer.address", "customer")
    assert "delivered" in {order["status"] for order in ORDERS.values() if order["customer_id"] == "123"}


def test_456_was_registered_and_is_a_gold_vip() -> None:
    assert home("456", "registered") == home("456", "guest") == "vip"
    assert CUSTOMERS["registered"]["456"]["email"] is None
    assert CUSTOMERS["vip"]["456"]["tier"] == "gold"
    assert "shipped" in {order["status"] for order in ORDERS.values() if order["customer_id"] == "456"}


def test_accounts_have_an_email_of_their_own_in_lower_case() -> None:
    emails = [row["email"] for kind in ("registered", "vip") for row in CUSTOMERS[kind].values() if row["email"]]
    assert len(set(emails)) == len(emails)
    assert all(email == email.lower() for email in emails)


def test_who_is_registered_or_a_vip_has_an_account_without_a_password() -> None:
    accounts = {row["pk"]: (row["email"], row.get("customer_type", "registered")) for row in rows(ACCOUNT)}
    assert accounts == {
        pk: (customer["email"], kind)
        for kind in ("registered", "vip")
        for pk, customer in CUSTOMERS[kind].items()
        if home(pk, kind) == kind
    }
    assert {row["password"] for row in rows(ACCOUNT)} == {"!"}
    assert all(customer["email_verified"] for customer in CUSTOMERS["registered"].values() if customer["email"])


def test_no_email_and_no_phone_could_be_somebodys() -> None:
    text = "".join(path.read_text() for path in FIXTURES.glob("*.json"))
    assert set(re.findall(r"[\w.+-]+@([\w.-]+)", text)) == {"example.com"}
    assert all(re.fullmatch(r"(\+1-555-01\d\d)?", phone) for phone in re.findall(r'"phone": "([^"]*)"', text))


def tier(points: int) -> str:
    return [tier for tier, least in TIERS.items() if points >= least][-1]


def test_points_are_the_sum_of_their_entries() -> None:
    entries = parts("vip_customer.pointsentry", "customer")
    for pk, customer in CUSTOMERS["vip"].items():
        assert customer["points"] == sum(entry["points"] for entry in entries[pk])
    assert {customer["tier"] for customer in CUSTOMERS["vip"].values()} == set(TIERS)


def test_a_tier_is_that_of_the_last_years_points_whenever_it_is_loaded() -> None:
    """What has no date is earned when it is loaded; what has one falls out of the year sooner or later."""
    entries = parts("vip_customer.pointsentry", "customer")
    for pk, customer in CUSTOMERS["vip"].items():
        certain = sum(entry["points"] for entry in entries[pk] if "earned_at" not in entry)
        dated = [entry["points"] for entry in entries[pk] if "earned_at" in entry]
        least, most = (certain + sum(each for each in dated if each * sign > 0) for sign in (-1, 1))
        assert tier(max(least, 0)) == tier(most) == customer["tier"]


def test_a_source_of_points_counts_once_and_is_an_order_or_an_adjustment() -> None:
    entries = rows("vip_customer.pointsentry")
    assert set(Counter((entry["customer"], entry["source"]) for entry in entries).values()) == {1}
    assert {entry["source"].partition(":")[0] for entry in entries} == {"order", "adjustment"}


def test_what_a_vip_bought_earned_its_points_by_the_rule() -> None:
    entries = [entry for entry in rows("vip_customer.pointsentry") if entry["source"].startswith("order:")]
    earned = {entry["source"].removeprefix("order:"): entry for entry in entries}
    assert set(earned) == {purchase["order_id"] for purchase in rows("vip_customer.purchase")}
    for order_id, entry in earned.items():
        order = ORDERS[order_id]
        assert (entry["customer"], entry["earned_at"]) == (order["customer_id"], order["created_at"])
        assert entry["points"] == order["subtotal"] // 100


def test_customers_purchases_are_the_orders_that_were_placed() -> None:
    purchases = {row["order_id"]: (kind, row) for kind in CUSTOMER_TYPES for row in rows(f"{kind}_customer.purchase")}
    assert set(purchases) == {pk for pk, order in ORDERS.items() if "created_at" in order}
    for pk, (kind, purchase) in purchases.items():
        order = ORDERS[pk]
        assert (purchase["customer"], kind) == (order["customer_id"], order["customer_type"])
        assert (purchase["order_version"], purchase["status"]) == (order["version"], order["status"])
        assert (purchase["total"], purchase["goods"]) == (order["total"], order["subtotal"])
        assert purchase["refunded"] == (order["total"] if order["status"] == "refunded" else 0)
        assert (purchase["currency"], purchase["placed_at"]) == (order["currency"], order["created_at"])


def test_what_recommendations_go_by_is_what_was_sold() -> None:
    sold = {
        pk: order for pk, order in ORDERS.items() if order["status"] in ("paid", "fulfilling", "shipped", "delivered")
    }
    purchases = {
        f"{pk}:{line['item_id']}": (pk, order["customer_id"], line["item_id"])
        for pk, order in sold.items()
        for line in LINES[pk]
    }
    found = load("items_router")["purchases"]
    assert {each["_id"]: (each["order"], each["customer"], each["item"]) for each in found} == purchases


def test_a_higher_tier_gives_all_that_a_lower_one_does_and_a_greater_discount() -> None:
    kinds, discounts = [], []
    for each in TIERS:
        own = {row["kind"]: row for row in rows("vip_customer.benefit") if row["tier"] == each}
        kinds.append(set(own))
        discounts.append(own["discount"]["value"])
    assert all(lower <= higher for lower, higher in pairwise(kinds))
    assert discounts == [2, 5, 10, 15]


@pytest.mark.parametrize("model", ["cart_service.cartline", "order_service.orderline"])
def test_a_line_has_its_items_type_name_and_price(model: str) -> None:
    for line in rows(model):
        item = ITEMS[line["item_id"]]
        assert line["item_type"] == line["item_id"].partition("_")[0]
        assert (line["name"], line["unit_price"]) == (item["name"], minor(item["price"]))


def test_carts_and_orders_belong_to_customers_where_they_are_now() -> None:
    owned = [(cart.get("owner_id"), cart["owner_type"]) for cart in rows("cart_service.cart")]
    ordered = [(order["customer_id"], order["customer_type"]) for order in ORDERS.values()]
    assert all(home(customer_id, kind) == kind for customer_id, kind in owned + ordered if customer_id)


def test_carts_have_lines_and_ask_for_no_more_than_there_is() -> None:
    lines = parts("cart_service.cartline", "cart")
    assert set(lines) == {cart["pk"] for cart in rows("cart_service.cart")}
    assert all(1 <= line["quantity"] <= ITEMS[line["item_id"]]["stock"] for each in lines.values() for line in each)


def test_some_carts_hold_items_of_several_services() -> None:
    types = [{line["item_type"] for line in lines} for lines in parts("cart_service.cartline", "cart").values()]
    assert max(map(len, types)) >= 3
    assert set().union(*types) == set(TYPES)


def test_there_are_orders_in_every_state_that_lasts_with_each_way_of_delivery() -> None:
    assert {order["status"] for order in ORDERS.values()} == set(PAYMENT_OF)
    assert {order["shipping_method"] for order in ORDERS.values()} == set(SHIPPING)


def test_orders_add_up() -> None:
    assert set(LINES) == set(ORDERS)
    for pk, order in ORDERS.items():
        assert order["subtotal"] == sum(line["unit_price"] * line["quantity"] for line in LINES[pk])
        assert order["shipping"] == SHIPPING[order["shipping_method"]]
        assert order["total"] == order["subtotal"] + order["shipping"] + order["tax"]


def test_an_orders_events_are_a_path_to_its_status() -> None:
    for pk, order in ORDERS.items():
        path = [event["to_status"] for event in EVENTS[pk]]
        assert [event.get("from_status", "") for event in EVENTS[pk]] == ["", *path[:-1]]
        assert steps(ORDER_STEPS, path)
        assert (order["status"], order["version"]) == (path[-1], len(path))


def test_an_address_is_as_the_contract_says() -> None:
    for row in chain(ORDERS.values(), SHIPMENTS.values()):
        address = row.get("shipping_address") or row["address"]
        assert set(address) == {"name", "line1", "line2", "city", "region", "postal_code", "country", "phone"}
        assert all(address[field] for field in ("name", "line1", "city", "postal_code"))
        assert re.fullmatch("[A-Z]{2}", address["country"])


def test_payments_fit_their_orders() -> None:
    assert set(PAYMENTS) <= set(ORDERS)
    for pk, order in ORDERS.items():
        payment = PAYMENTS.get(pk)
        assert (payment and payment["status"]) == PAYMENT_OF[order["status"]]
        if payment:
            assert (payment["amount"], payment["currency"]) == (order["total"], order["currency"])
            assert payment["customer_id"] == order["customer_id"]
            taken = payment["amount"] if payment["status"] in ("captured", "refunded") else 0
            back = taken if payment["status"] == "refunded" else 0
            assert (payment.get("captured", 0), payment.get("refunded", 0)) == (taken, back)
            assert order.get("refunded", 0) == back


def test_payments_are_by_each_method_and_provider() -> None:
    assert {payment["method"] for payment in PAYMENTS.values()} == {"card", "upi", "netbanking", "wallet"}
    assert {payment["provider"] for payment in PAYMENTS.values()} == {"simulated", "stripe", "razorpay"}


def test_shipments_fit_their_orders() -> None:
    assert set(SHIPMENTS) == {pk for pk, order in ORDERS.items() if order["status"] in SHIPMENTS_OF}
    for pk, shipment in SHIPMENTS.items():
        order = ORDERS[pk]
        assert shipment["status"] in SHIPMENTS_OF[order["status"]]
        assert shipment["method"] == order["shipping_method"]
        assert shipment["address"] == order["shipping_address"]
        assert shipment["customer_id"] == order["customer_id"]


def test_a_shipments_events_are_a_path_to_its_status() -> None:
    events = parts("shipping_service.shipmentevent", "shipment")
    for shipment in SHIPMENTS.values():
        path = [event["status"] for event in events[shipment["pk"]]]
        assert steps(SHIPMENT_STEPS, path)
        assert (shipment["status"], shipment["version"]) == (path[-1], len(path))


def test_tracking_numbers_are_unique_and_their_check_digit_fits() -> None:
    numbers = [shipment["tracking_number"] for shipment in SHIPMENTS.values()]
    assert len(set(numbers)) == len(numbers)
    for number in numbers:
        assert re.fullmatch(r"PS\d{13}", number)
        digits = [int(digit) for digit in reversed(number[2:])]
        assert (sum(digits[::2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])) % 10 == 0


def test_times_are_in_order_and_within_the_years_they_tell_of() -> None:
    for row in all_rows():
        fields = row["fields"]
        times = [fields[name] for name in ("created_at", "updated_at", "viewed_at", "at") if name in fields]
        assert times == sorted(times)
        assert all("2025-01-01T" < time < "2026-11-01T" for time in times)
    for events in chain(EVENTS.values(), parts("shipping_service.shipmentevent", "shipment").values()):
        times = [event["at"] for event in events if "at" in event]
        assert times == sorted(times)


def test_only_what_nobody_acts_on_has_its_times_set() -> None:
    """A cart or a waiting order of long ago would be cleaned up as soon as it is loaded."""
    waiting = [*rows("cart_service.cart"), *(order for order in ORDERS.values() if order["status"] == "pending")]
    assert waiting
    assert not any("created_at" in row or "updated_at" in row for row in waiting)


def test_rows_have_unique_keys_and_parts_have_none() -> None:
    keys = Counter((row["model"], row["pk"]) for row in all_rows() if "pk" in row)
    assert set(keys.values()) == {1}
    part_of = ("customer", "order", "cart", "shipment")
    assert all("pk" not in row for row in all_rows() if any(owner in row["fields"] for owner in part_of))


def test_the_files_stay_small() -> None:
    assert sum(path.stat().st_size for path in FIXTURES.iterdir() if path.is_file()) < 160_000
