"""A guest becomes registered, a VIP, and registered again: under one id, in one place, without losing a thing."""

from tests.fleet import Fleet
from tests.people import (
    ADDRESS,
    Person,
    cart_with,
    guest,
    log_in,
    mailed_token,
    new_email,
    order,
    register,
    registered,
    vip,
)
from tests.waiting import wait_for

TYPES = ("guest", "registered", "vip")


def places(boss: Person, customer_id: str) -> list[str]:
    """The types whose service has this customer, by id and in its list."""
    found = []
    for kind in TYPES:
        by_id = boss.get(f"/api/{kind}-customer/{customer_id}/", allow_redirects=False).status_code == 200
        ids, path = set(), f"/api/{kind}-customer/?ordering=-created_at&page_size=100"
        ids = {row["id"] for row in boss.get(path).json()["results"]}
        assert by_id == (customer_id in ids), kind
        found += [kind] if by_id else []
    return found


def test_a_guest_who_registers_keeps_id_cart_orders_and_history(secure: Fleet, boss: Person) -> None:
    visitor = guest(secure)
    cart, ordered = cart_with(visitor, 2), order(visitor)
    book = ordered["items"][0]["item_id"]
    assert visitor.post("/api/customers/me/history/", {"item_id": book}).status_code == 201
    wait_for(lambda: visitor.get("/api/customers/me/history/").json()["orders"])
    ada = registered(secure, by=visitor)
    assert (ada.id, ada.session["customer"]["customer_type"]) == (visitor.id, "registered")
    assert places(boss, ada.id) == ["registered"]
    assert ada.get(f"/api/carts/{cart['id']}/").json()["items"] == cart["items"]
    assert ada.get(f"/api/orders/{ordered['id']}/").status_code == 200
    history = ada.get("/api/customers/me/history/").json()
    assert [each["item_id"] for each in history["viewed_items"]] == [book]
    assert [each["order_id"] for each in history["orders"]] == [ordered["id"]]


def test_the_guests_tokens_open_no_account(secure: Fleet) -> None:
    visitor = guest(secure)
    cart, before = cart_with(visitor), order(visitor)
    ada = registered(secure, by=visitor)
    for method, path in (("GET", ""), ("POST", "upgrade/"), ("POST", "downgrade/")):
        answer = visitor.call(method, f"/api/customers/me/{path}", {"to": "vip"} if path else None)
        assert (answer.status_code, answer.json()["code"]) == (401, "login_required")
    after = order(ada)
    for path in (f"/api/orders/{after['id']}/", f"/api/carts/{after['cart_id']}/"):
        assert (visitor.get(path).status_code, ada.get(path).status_code) == (404, 200)
    assert [row["id"] for row in visitor.get("/api/orders/").json()["results"]] == [before["id"]]
    assert ada.get(f"/api/carts/{cart['id']}/").status_code == 200  # and so it is the account's
    assert visitor.get(f"/api/carts/{cart['id']}/").status_code == 404
    renewed = secure.call("POST", "/api/auth/refresh/", json={"refresh": visitor.session["refresh"]})
    assert renewed.status_code == 401


def test_until_the_email_is_verified_the_guest_stays_one(secure: Fleet, boss: Person) -> None:
    visitor, email = guest(secure), new_email()
    register(secure, email, by=visitor)
    mailed_token(secure, email)
    assert places(boss, visitor.id) == ["guest"]
    assert visitor.get("/api/customers/me/").status_code == 200


def test_a_token_from_a_mail_is_good_once(secure: Fleet) -> None:
    email = new_email()
    register(secure, email)
    token = mailed_token(secure, email)
    codes = [secure.call("POST", "/api/auth/verify-email/", json={"token": token}).status_code for _ in range(2)]
    assert codes == [200, 400]


def test_staff_make_a_vip_who_keeps_all(secure: Fleet, boss: Person) -> None:
    ada = registered(secure)
    address = ada.post("/api/customers/me/addresses/", {**ADDRESS, "default_shipping": True}).json()
    ada.call("PATCH", "/api/customers/me/", {"preferences": {"colour": "blue"}, "birth_date": "1990-05-04"})
    before = ada.get("/api/customers/me/").json()
    moved = boss.post(f"/api/customers/{ada.id}/upgrade/", {"to": "vip"})
    assert moved.json() == {"id": ada.id, "customer_type": "vip", "location": f"/api/vip-customer/{ada.id}/"}
    assert places(boss, ada.id) == ["vip"]
    assert ada.get("/api/customers/me/").json()["customer_type"] == "vip"  # the old token is sent on
    ada.refresh()
    after = ada.get("/api/customers/me/").json()
    kept = ("id", "email", "first_name", "last_name", "preferences", "birth_date", "created_at")
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    [there] = ada.get("/api/customers/me/addresses/").json()["results"]
    assert {**there, "id": 0} == {**address, "id": 0}
    assert log_in(secure, before["email"]).session["customer"]["customer_type"] == "vip"


def test_a_vip_who_steps_down_and_comes_back_has_their_points(secure: Fleet, boss: Person) -> None:
    ada = vip(secure, boss)
    gift = {"points": 1_500, "reason": "welcome"}
    given = boss.post(f"/api/vip-customer/{ada.id}/points/", gift, headers={"Idempotency-Key": ada.id})
    assert given.status_code == 201, given.text
    assert ada.post("/api/customers/me/downgrade/").json()["customer_type"] == "registered"
    assert places(boss, ada.id) == ["registered"]
    ada.refresh()
    assert ada.get("/api/customers/me/").json()["customer_type"] == "registered"
    boss.post(f"/api/customers/{ada.id}/upgrade/", {"to": "vip"})
    ada.refresh()
    back = ada.get("/api/customers/me/").json()
    assert (back["points"], back["tier"]) == (1_500, "silver")


def test_a_move_that_was_made_already_is_said_to_be(secure: Fleet, boss: Person) -> None:
    ada = vip(secure, boss)
    again = boss.post(f"/api/customers/{ada.id}/upgrade/", {"to": "vip"})
    assert (again.status_code, again.json()["customer_type"]) == (200, "vip")


def test_who_has_not_spent_enough_is_told_what_is_missing(secure: Fleet) -> None:
    ada = registered(secure)
    answer = ada.post("/api/customers/me/upgrade/", {"to": "vip"})
    assert (answer.status_code, answer.json()["code"]) == (403, "not_enough_spent")
    assert answer.json()["details"] == {"spent": ["0.00"], "needed": ["500.00"]}


def test_who_has_spent_enough_becomes_a_vip_and_what_was_bought_earns_points(secure: Fleet, boss: Person) -> None:
    ada = registered(secure)
    set_of_books = {"name": "Britannica", "author": "Many", "price": "299.99", "stock": 5}
    item = boss.post("/api/books/", set_of_books).json()["id"]
    card = {"provider": "simulated", "method": "card", "token": "4111111111111111"}
    for _ in range(2):
        cart = ada.post("/api/carts/").json()["id"]
        assert ada.post(f"/api/carts/{cart}/items/", {"item_id": item, "quantity": 1}).status_code == 201
        wish = {"cart_id": cart, "shipping_address": ADDRESS, "shipping_method": "standard", "payment": card}
        assert ada.post("/api/orders/", wish).status_code == 201
    paid = {"paid", "fulfilling", "shipped", "delivered"}
    orders = lambda: [each["status"] for each in ada.get("/api/customers/me/history/").json()["orders"]]  # noqa: E731
    wait_for(lambda: len(orders()) == 2 and set(orders()) <= paid)
    assert ada.post("/api/customers/me/upgrade/", {"to": "vip"}).status_code == 200
    ada.refresh()
    assert ada.get("/api/customers/me/").json()["points"] == 2 * 299


def test_a_guest_has_to_register_before_anything_else(secure: Fleet, boss: Person) -> None:
    visitor = guest(secure)
    for move in ("upgrade", "downgrade"):
        answer = boss.post(f"/api/customers/{visitor.id}/{move}/", {"to": "vip"})
        assert (answer.status_code, answer.json()["code"]) == (409, "not_registered")


def test_a_guest_registers_by_upgrading_too(secure: Fleet) -> None:
    visitor, email = guest(secure), new_email()
    wish = {"to": "registered", "email": email, "password": "staple-wind-93-otter"}
    assert visitor.post("/api/customers/me/upgrade/", wish).status_code == 201
    answer = secure.call("POST", "/api/auth/verify-email/", json={"token": mailed_token(secure, email)})
    assert answer.json()["customer"]["id"] == visitor.id


def test_nobody_moves_another(secure: Fleet) -> None:
    ada, bob = registered(secure), registered(secure)
    for move in ("upgrade", "downgrade"):
        assert bob.post(f"/api/customers/{ada.id}/{move}/", {"to": "vip"}).status_code == 404
        assert secure.call("POST", f"/api/customers/{ada.id}/{move}/", json={"to": "vip"}).status_code == 401


def test_a_guest_who_logs_in_brings_their_cart_and_orders(secure: Fleet) -> None:
    email = new_email()
    ada = registered(secure, email)
    own, visitor = cart_with(ada, 1), guest(secure)
    theirs, bought = cart_with(visitor, 2), order(visitor)
    ada = log_in(secure, email, headers=visitor.bearer)
    merged = ada.get(f"/api/carts/{theirs['id']}/")  # sent on to the cart that it was put into
    assert merged.json()["id"] == own["id"]
    assert [line["quantity"] for line in merged.json()["items"]] == [3]
    assert ada.get(f"/api/orders/{bought['id']}/").status_code == 200
    assert visitor.get(f"/api/orders/{bought['id']}/").status_code == 404


def test_deleting_a_vip_ends_their_account(secure: Fleet, boss: Person) -> None:
    ada = vip(secure, boss)
    email = ada.get("/api/customers/me/").json()["email"]
    assert ada.call("DELETE", "/api/customers/me/").status_code == 204
    assert places(boss, ada.id) == []
    login = {"email": email, "password": "staple-wind-93-otter"}
    wait_for(lambda: secure.call("POST", "/api/auth/login/", json=login).status_code == 401)
