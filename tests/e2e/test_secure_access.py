"""A fleet in secure access: nobody is anything that a token does not say."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
from jwt import PyJWKSet

from shopkit import topology
from shopkit.config import ROOT
from tests.e2e.test_readme import BLOCKS, runs
from tests.fleet import Fleet
from tests.people import PASSWORD, STAFF, log_in, new_email, registered


def begin(fleet: Fleet) -> dict[str, Any]:
    answer = fleet.call("POST", "/api/auth/guest/")
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def bearer(session: dict[str, Any], **more: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {session['access']}", **more}


def test_a_guest_is_themselves_and_nobody_else(secure: Fleet) -> None:
    one, other = begin(secure), begin(secure)
    me = secure.get("/api/customers/me/", headers=bearer(one))
    assert (me.status_code, me.json()["id"]) == (200, one["customer"]["id"])
    assert secure.get(f"/api/customers/{one['customer']['id']}/", headers=bearer(other)).status_code == 404


@pytest.mark.parametrize("at", ["gateway", "customer_router", "guest_customer"])
def test_an_identity_header_says_nothing(secure: Fleet, at: str) -> None:
    guest = begin(secure)["customer"]["id"]
    for headers in ({}, {"X-User-ID": guest}, {"X-User-ID": guest, "X-User-Role": "staff"}):
        answer = secure.get(f"/api/customers/{guest}/", at=at, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


def test_a_cart_is_of_the_guest_who_made_it(secure: Fleet) -> None:
    one, other = begin(secure), begin(secure)
    cart = secure.call("POST", "/api/carts/", headers=bearer(one)).json()
    assert cart["owner_id"] == one["customer"]["id"]
    assert secure.get(f"/api/carts/{cart['id']}/", headers=bearer(one)).status_code == 200
    for headers in ({}, bearer(other)):
        assert secure.get(f"/api/carts/{cart['id']}/", headers=headers).status_code in (401, 404)


def test_a_guests_cart_becomes_their_order(secure: Fleet) -> None:
    guest = bearer(begin(secure))
    cart = secure.call("POST", "/api/carts/", headers=guest).json()
    item = secure.get("/api/books/?in_stock=true&min_price=1").json()["results"][0]
    line = {"item_id": item["id"], "quantity": 1}
    assert secure.call("POST", f"/api/carts/{cart['id']}/items/", json=line, headers=guest).status_code == 201
    address = {"name": "A", "line1": "1 Main St", "city": "London", "postal_code": "N1", "country": "GB"}
    wish = {"cart_id": cart["id"], "shipping_address": address, "shipping_method": "standard"}
    order = secure.call("POST", "/api/orders/", json=wish, headers=guest)
    assert order.status_code == 201, order.text
    assert secure.get(f"/api/orders/{order.json()['id']}/", headers=guest).status_code == 200


def test_a_header_that_the_token_denies_is_forbidden(secure: Fleet) -> None:
    answer = secure.get("/api/customers/me/", headers=bearer(begin(secure), **{"X-Customer-Type": "vip"}))
    assert (answer.status_code, answer.json()["code"]) == (403, "wrong_customer_type")


def test_a_bad_token_comes_no_further_than_the_gateway(secure: Fleet) -> None:
    answer = secure.get("/api/books/", headers={"Authorization": "Bearer x.y.z"})
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")
    line = secure.wait_logged("gateway", request_id=answer.headers["X-Request-ID"])
    assert line["upstream"] == "gateway"


@pytest.fixture(params=["guest", "registered"])
def session(request: pytest.FixtureRequest, secure: Fleet) -> dict[str, Any]:
    """Of each of the two services that keep sessions."""
    return begin(secure) if request.param == "guest" else registered(secure).session


def test_a_refresh_token_is_good_once(secure: Fleet, session: dict[str, Any]) -> None:
    second = refreshed(secure, session).json()
    third = refreshed(secure, second).json()
    assert secure.get("/api/customers/me/", headers=bearer(third)).json()["id"] == session["customer"]["id"]
    reused = refreshed(secure, session)
    assert (reused.status_code, reused.json()["code"]) == (401, "refresh_reused")
    assert refreshed(secure, third).status_code == 401


def refreshed(fleet: Fleet, session: dict[str, Any]) -> Any:
    return fleet.call("POST", "/api/auth/refresh/", json={"refresh": session["refresh"]})


def test_a_client_that_asks_again_gets_the_same_again(secure: Fleet, session: dict[str, Any]) -> None:
    again = [refreshed(secure, session).json()["refresh"] for _ in range(3)]
    assert len(set(again)) == 1


def test_logging_out_ends_the_session(secure: Fleet, session: dict[str, Any]) -> None:
    assert secure.call("POST", "/api/auth/logout/", json={"refresh": session["refresh"]}).status_code == 204
    assert refreshed(secure, session).status_code == 401


def test_a_new_password_ends_the_sessions_there_were(secure: Fleet) -> None:
    person = registered(secure)
    changed = person.post("/api/auth/password/change/", {"old_password": PASSWORD, "new_password": f"{PASSWORD} 2"})
    assert changed.status_code == 200, changed.text
    assert refreshed(secure, person.session).status_code == 401
    assert refreshed(secure, changed.json()).status_code == 200


def test_an_expired_access_token_does_not_keep_anybody_from_another(secure: Fleet) -> None:
    session = begin(secure)
    answer = secure.call(
        "POST", "/api/auth/refresh/", json={"refresh": session["refresh"]}, headers={"Authorization": "Bearer old"}
    )
    assert answer.status_code == 200


def test_the_public_keys_are_those_of_the_issuers(secure: Fleet) -> None:
    keys = secure.get("/api/auth/.well-known/jwks.json").json()["keys"]
    assert {key["kid"].partition(".")[0] for key in keys} == {"guest_customer", "registered_customer"}
    assert all("d" not in key for key in keys)


def test_whoever_has_the_public_keys_can_check_an_access_token(secure: Fleet, session: dict[str, Any]) -> None:
    keys = PyJWKSet.from_dict(secure.get("/api/auth/.well-known/jwks.json").json())
    access = session["access"]
    said = jwt.decode(access, keys[jwt.get_unverified_header(access)["kid"]].key, ["EdDSA"], audience="polyshop")
    customer = session["customer"]
    assert (said["sub"], said["type"], said["role"]) == (customer["id"], customer["customer_type"], "customer")


@pytest.mark.parametrize("name", [name for name, service in topology.SERVICES.items() if service.relational])
def test_one_staff_account_opens_every_services_admin(secure: Fleet, name: str) -> None:
    with requests.Session() as browser:
        page = f"{secure.url(name)}/admin/login/?next=/admin/"
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', browser.get(page, timeout=20).text)
        assert token
        email, password = STAFF["SHOP_STAFF_EMAIL"], STAFF["SHOP_STAFF_PASSWORD"]
        form = {"csrfmiddlewaretoken": token[1], "username": email, "password": "wrong", "next": "/admin/"}
        assert "/admin/login/" in browser.post(page, form, timeout=20).url
        inside = browser.post(page, {**form, "password": password}, timeout=20)
        assert (inside.status_code, inside.url) == (200, f"{secure.url(name)}/admin/")
    assert secure.wait_logged(name, event="staff_login")["staff"]


def test_make_staff_makes_somebody_who_logs_in_with_the_password_it_shows(secure: Fleet) -> None:
    email, installed = new_email(), Path(sys.executable).parent
    command = ["make", "--no-print-directory", "-o", ".venv/run", "staff", f"EMAIL={email}", f"BIN={installed}"]
    done = subprocess.run(
        command, cwd=ROOT, env=secure.environment, capture_output=True, text=True, timeout=90, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == f"{email} is staff now."
    new = log_in(secure, email, done.stdout.split()[-1])
    other = registered(secure)
    listed = new.get("/api/registered-customer/?ordering=-created_at").json()["results"]
    assert other.id in [row["id"] for row in listed]  # of which a customer sees themselves alone


def test_the_readmes_story_of_who_moves_up_runs_in_secure_access_too(secure: Fleet, tmp_path: Path) -> None:
    story = next(block for block in BLOCKS if "/upgrade/" in block)
    assert "api=${API:-localhost:8000/api}" in story  # or it would be told to another fleet
    api = f"localhost:{secure.port('gateway')}/api"
    assert '"tier":"bronze"' in runs(story, cwd=tmp_path, SHOP_DATA=str(secure.data), API=api, **STAFF)
