"""People in a fleet in secure access: guests, customers and staff, each with tokens of their own."""

import re
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from typing import Any

import jwt
import requests

from shopkit import keys
from tests.fleet import Fleet
from tests.waiting import wait_for

STAFF = {"SHOP_STAFF_EMAIL": "grace@staff.example", "SHOP_STAFF_PASSWORD": "correct horse battery"}
PASSWORD = "staple-wind-93-otter"
ADDRESS = {"name": "Ada L", "line1": "1 Main St", "city": "London", "postal_code": "N1", "country": "GB"}


@dataclass
class Person:
    """Somebody with a session; `call` is theirs, at the gateway or at another port."""

    fleet: Fleet
    session: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return str(self.session["customer"]["id"])

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.session['access']}"}

    def call(self, method: str, path: str, json: object = None, **more: Any) -> requests.Response:
        headers = {**self.bearer, **self.headers, **more.pop("headers", {})}
        return self.fleet.call(method, path, json=json, headers=headers, **more)

    def get(self, path: str, **more: Any) -> requests.Response:
        return self.call("GET", path, **more)

    def post(self, path: str, json: object = None, **more: Any) -> requests.Response:
        return self.call("POST", path, json, **more)

    def refresh(self) -> None:
        answer = self.fleet.call("POST", "/api/auth/refresh/", json={"refresh": self.session["refresh"]})
        assert answer.status_code == 200, answer.text
        self.session |= answer.json()


def guest(fleet: Fleet) -> Person:
    answer = fleet.call("POST", "/api/auth/guest/")
    assert answer.status_code == 201, answer.text
    return Person(fleet, answer.json())


def log_in(fleet: Fleet, email: str, password: str = PASSWORD, headers: dict[str, str] | None = None) -> Person:
    given = {"email": email, "password": password}
    answer = fleet.call("POST", "/api/auth/login/", json=given, headers=headers or {})
    assert answer.status_code == 200, answer.text
    return Person(fleet, answer.json())


def staff(fleet: Fleet) -> Person:
    return log_in(fleet, STAFF["SHOP_STAFF_EMAIL"], STAFF["SHOP_STAFF_PASSWORD"])


def new_email() -> str:
    return f"{uuid.uuid4().hex[:12]}@example.com"


def register(fleet: Fleet, email: str, by: Person | None = None) -> None:
    wish = {"email": email, "password": PASSWORD, "first_name": "Ada", "last_name": "L"}
    answer = fleet.call("POST", "/api/auth/register/", json=wish, headers=by.bearer if by else {})
    assert answer.status_code == 201, answer.text


def registered(fleet: Fleet, email: str | None = None, by: Person | None = None) -> Person:
    """Somebody who registers, as a guest or not, and verifies their email."""
    email = email or new_email()
    register(fleet, email, by)
    answer = fleet.call("POST", "/api/auth/verify-email/", json={"token": mailed_token(fleet, email)})
    assert answer.status_code == 200, answer.text
    return Person(fleet, answer.json())


def vip(fleet: Fleet, boss: Person) -> Person:
    person = registered(fleet)
    answer = boss.post(f"/api/customers/{person.id}/upgrade/", {"to": "vip"})
    assert answer.status_code == 200, answer.text
    person.refresh()
    return person


def mailed_token(fleet: Fleet, email: str) -> str:
    """The token in the last mail to that address, once it is there."""
    found: list[str] = []

    def arrived() -> bool:
        found[:] = [match[1] for text in mails_to(fleet, email) if (match := re.search(r"token=([\w-]+)", text))]
        return bool(found)

    wait_for(arrived)
    return found[-1]


def mails_to(fleet: Fleet, email: str) -> Iterator[str]:
    """The plain texts of the mails to that address, the oldest first; the many to others are not parsed."""
    for path in sorted((fleet.data / "mail").glob("*.eml"), key=lambda path: path.stat().st_mtime_ns):
        if f"To: {email}\n".encode() not in (written := path.read_bytes()):
            continue
        message = message_from_bytes(written.rstrip(b"-\n"), policy=policy.default)
        body = message.get_body(("plain",)) if message["To"] == email else None
        if body is not None:
            yield body.get_content()


def cart_with(person: Person, quantity: int = 1, *, items: int = 1) -> dict[str, Any]:
    """A new cart of theirs with so many books in it."""
    cart = person.post("/api/carts/").json()
    books = person.get(f"/api/books/?in_stock=true&min_price=1&page_size={items}").json()["results"]
    for book in books:
        answer = person.post(f"/api/carts/{cart['id']}/items/", {"item_id": book["id"], "quantity": quantity})
        assert answer.status_code == 201, answer.text
        cart = answer.json()
    return dict(cart)


def order(person: Person, **more: Any) -> dict[str, Any]:
    """A new order of theirs."""
    wish = {"cart_id": cart_with(person)["id"], "shipping_address": ADDRESS, "shipping_method": "standard", **more}
    answer = person.post("/api/orders/", wish)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def service_headers(fleet: Fleet, audience: str, *, by: str) -> dict[str, str]:
    """As the service `by` calls the service `audience`, with its own key of that fleet."""
    key, now = keys.SigningKey(by, (fleet.data / "keys" / by).read_text()), int(time.time())
    claims = {"iss": by, "sub": by, "aud": audience, "iat": now, "exp": now + 60, "jti": uuid.uuid4().hex}
    claims |= {"type": "service", "role": "service"}
    token = jwt.encode(claims, key.key, "EdDSA", headers={"kid": key.public.kid, "typ": "service+jwt"})
    return {"Authorization": f"Bearer {token}"}
