"""Carts: making, listing, reading and deleting them, and whose they are."""

import pytest

from cart_service.models import Cart
from shopkit import auth
from shopkit.auth import Identity
from shopkit.config import Config
from shopkit.testing import Caller

pytestmark = pytest.mark.django_db
NOBODYS = "/api/carts/00000000-0000-4000-8000-000000000000/"


@pytest.fixture
def anonymous(monkeypatch: pytest.MonkeyPatch) -> Caller:
    """Somebody without a token, where tokens are asked for."""
    monkeypatch.setattr(auth, "config", lambda: Config(SHOP_ACCESS="secure"))
    return Caller(HTTP_HOST="localhost")


def test_a_new_cart_is_empty_and_its_makers(ada: Caller) -> None:
    response = ada.post("/api/carts/")
    body = response.json()
    assert response.status_code == 201
    assert response["ETag"] == '"1"'
    assert body | {"items": [], "total_price": "0.00", "currency": "USD", "version": 1} == body
    assert (body["owner_id"], body["owner_type"]) == ("ada", "registered")


def test_what_a_caller_says_about_a_new_cart_does_not_count(ada: Caller) -> None:
    body = ada.post("/api/carts/", {"owner_id": "bob", "user_id": "bob", "version": 9, "total_price": "1.00"}).json()
    assert (body["owner_id"], body["version"], body["total_price"]) == ("ada", 1, "0.00")


def test_anybody_may_make_a_cart_and_reach_it_by_its_id(anonymous: Caller) -> None:
    made = anonymous.post("/api/carts/")
    assert (made.status_code, made.data["owner_id"]) == (201, None)
    assert anonymous.get(f"/api/carts/{made.data['id']}/").status_code == 200


def test_a_cart_without_an_owner_is_reached_by_whoever_knows_its_id(staff: Caller, bob: Caller) -> None:
    made = staff.post("/api/carts/").data["id"]
    assert bob.get(f"/api/carts/{made}/").status_code == 200
    assert bob.get("/api/carts/").data["count"] == 0


def test_an_anonymous_caller_reaches_no_cart_that_is_somebodys(cart: str, anonymous: Caller) -> None:
    assert anonymous.get(cart).status_code == 404
    assert anonymous.get("/api/carts/").status_code in (401, 403)


@pytest.mark.parametrize("method", ["get", "delete"])
def test_anothers_cart_is_not_there(cart: str, bob: Caller, method: str) -> None:
    assert getattr(bob, method)(cart).status_code == 404
    assert Cart.objects.count() == 1


def test_staff_see_all_carts_and_others_their_own(ada: Caller, bob: Caller, staff: Caller) -> None:
    for each in (ada, ada, bob):
        each.post("/api/carts/")
    assert [each.get("/api/carts/").data["count"] for each in (ada, bob, staff)] == [2, 1, 3]
    assert staff.get("/api/carts/?owner_id=bob").data["count"] == 1


def test_lists_come_in_pages_in_the_order_asked_for(ada: Caller) -> None:
    made = [ada.post("/api/carts/").data["id"] for _ in range(3)]
    body = ada.get("/api/carts/?ordering=created_at&page_size=2").json()
    assert [cart["id"] for cart in body["results"]] == made[:2]
    assert body["next"] == "http://localhost/api/carts/?ordering=created_at&page=2&page_size=2"
    assert [cart["id"] for cart in ada.get("/api/carts/").data["results"]] == made[::-1]


@pytest.mark.parametrize(
    "query",
    [
        "page=-1",
        "page=0",
        "page=x",
        "page=99999999999999999999",
        "page_size=1000000000",
        "page_size=0",
        "ordering=owner_id",
        "ordering=-nothing",
        "created_after=yesterday",
        "created_before=9999-12-31T23:59:59-14:00",
    ],
)
def test_a_query_that_makes_no_sense_is_refused(ada: Caller, query: str) -> None:
    response = ada.get(f"/api/carts/?{query}")
    assert response.status_code == 400
    assert response.json().keys() == {"error", "code", "details", "request_id"}


def test_a_page_past_the_end_is_not_there(ada: Caller) -> None:
    assert ada.get("/api/carts/?page=2").status_code == 404


@pytest.mark.parametrize("method", ["get", "delete"])
@pytest.mark.parametrize("path", [NOBODYS, "/api/carts/1/", "/api/carts/not-an-id/"])
def test_a_cart_that_is_not_there_is_404(ada: Caller, path: str, method: str) -> None:
    response = getattr(ada, method)(path)
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("method", ["put", "patch"])
def test_a_cart_itself_cannot_be_changed(cart: str, ada: Caller, method: str) -> None:
    assert getattr(ada, method)(cart, {}).status_code == 405


def test_a_deleted_cart_is_gone(cart: str, ada: Caller) -> None:
    assert ada.delete(cart, HTTP_IF_MATCH='"7"').status_code == 412
    assert ada.delete(cart, HTTP_IF_MATCH='"1"').status_code == 204
    assert ada.delete(cart).status_code == 404


def test_a_malformed_body_is_400_and_another_type_415(ada: Caller) -> None:
    assert ada.post("/api/carts/", "{", content_type="application/json").status_code == 400
    assert ada.post("/api/carts/", "[]", content_type="application/json").status_code == 400
    assert ada.post("/api/carts/", "a=b", content_type="text/plain").status_code == 415


def test_a_path_without_its_slash_and_one_with_a_version_work(cart: str, ada: Caller) -> None:
    assert ada.get(cart.rstrip("/")).status_code == 200
    assert ada.get(cart.replace("/api/", "/api/v1/")).status_code == 200


def test_the_auditor_is_told_of_every_cart_whether_it_was_ordered(cart: str, ada: Caller) -> None:
    orders, closed = Caller(HTTP_HOST="localhost"), ada.post("/api/carts/").data["id"]
    orders.force_authenticate(user=Identity(service="order_service"))  # type: ignore[arg-type]
    assert orders.post(f"/internal/carts/{closed}/ordered/").status_code == 204
    rows = orders.get("/internal/carts/").json()["rows"]
    assert {row["id"]: row["ordered"] for row in rows} == {cart.split("/")[3]: False, closed: True}
    assert orders.get("/internal/carts/", {"after": rows[0]["id"]}).json()["rows"] == rows[1:]
    assert ada.get("/internal/carts/").status_code == 403
