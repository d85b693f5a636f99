"""Customers who are about to move, in a fleet in secure access, and all that can be seen of them from outside."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests

from shopkit import topology
from tests.people import ADDRESS, Person, cart_with, guest, mailed_token, new_email, order, register, registered
from tests.waiting import wait_for

TYPES = ("guest", "registered", "vip")
CHANGES = {"guest": "registered", "registered": "vip", "vip": "registered"}
NOT_KEPT = ("customer_type", "updated_at", "email_verified", "tier", "points", "progress", "email")
MOST_HOPS = 6


@dataclass
class Mover:
    """A customer of that kind; `boss` looks after them. A guest moves by the token in `email`'s mail.

    Another who has an `email` logs in with it, and has a cart. Of a VIP, `ledger` is what they had of points.
    """

    boss: Person
    kind: str
    id: str
    email: str = ""
    token: str = ""
    cart: str = ""
    before: Any = field(default=None)
    ledger: Any = field(default=None)

    @property
    def target(self) -> str:
        return CHANGES[self.kind]

    def move(self) -> requests.Response | None:
        """Asks the customer router itself; None if it died."""
        fleet, at = self.boss.fleet, "customer_router"
        try:
            if self.kind == "guest":
                return fleet.call("POST", "/api/auth/verify-email/", json={"token": self.token}, at=at, timeout=60)
            verb = "upgrade" if self.kind == "registered" else "downgrade"
            return self.boss.post(f"/api/customers/{self.id}/{verb}/", {"to": "vip"}, at=at, timeout=60)
        except requests.ConnectionError:
            return None

    def at(self, kind: str, path: str = "") -> requests.Response:
        """What the service of that kind itself answers; nothing is followed."""
        path = path or f"/api/{kind}-customer/{self.id}/"
        return self.boss.get(path, at=topology.by_customer_type()[kind].name, allow_redirects=False)

    def statuses(self) -> list[int]:
        return [self.at(kind).status_code for kind in TYPES]

    def found(self, kind: str) -> str:
        """The type whose service answers in the end, from that one on; empty where they are not known."""
        path = ""
        for _hop in range(MOST_HOPS):
            answer = self.at(kind, path)
            if answer.status_code != 307:
                assert answer.status_code in (200, 404), answer.text
                return kind if answer.ok else ""
            path = answer.headers["Location"]
            kind = urlsplit(path).path.split("/")[2].removesuffix("-customer")
        raise AssertionError(f"{self.id} is sent around in circles")

    def places(self) -> list[str]:
        """Where redirects end, from every service that knows them."""
        return sorted({place for kind in TYPES if (place := self.found(kind))})

    def points(self) -> Any:
        """A VIP's tier and points, and the lines that they are the sum of."""
        one = f"/api/vip-customer/{self.id}/"
        profile = self.boss.get(one).json()
        return profile["tier"], profile["points"], self.boss.get(f"{one}points/").json()["results"]

    @property
    def orders(self) -> list[str]:
        return [each["order_id"] for each in self.before[1]["orders"]]

    def everything(self, kind: str) -> Any:
        one = f"/api/{kind}-customer/{self.id}/"
        profile = self.boss.get(one).json()
        history = self.boss.get(f"{one}history/").json()
        addresses = self.boss.get(f"{one}addresses/?page_size=100").json()["results"] if kind != "guest" else []
        known = {name: value for name, value in profile.items() if name not in NOT_KEPT and value is not None}
        addresses = sorted(({**each, "id": 0} for each in addresses), key=lambda each: str(each["line1"]))
        return known, history, addresses


def stock_up(boss: Person) -> None:
    """Puts a book on sale, of which there are enough for everybody."""
    book = {"name": "Sapiens", "author": "Y. N. Harari", "price": "9.99", "stock": 100_000}
    _ok(boss.post("/api/books/", book))


def listed(boss: Person, kind: str) -> list[str]:
    """The ids in that service's own list, of which the latest hundred are enough here."""
    path = f"/api/{kind}-customer/?ordering=-created_at&page_size=100"
    answer = boss.get(path, at=topology.by_customer_type()[kind].name)
    return [row["id"] for row in answer.json()["results"]]


def mover(boss: Person, kind: str, *, account: bool = False) -> Mover:
    """A new one, with something in everything that goes along or waits; on request, one who logs in and orders too."""
    made = _guest(boss) if kind == "guest" else _with_account(boss, kind) if account else _made_by_staff(boss, kind)
    one = f"/api/{kind}-customer/{made.id}/"
    _ok(boss.call("PATCH", one, {"preferences": {"colour": "blue"}, "phone": "1", "last_name": "L"}))
    _ok(boss.post(f"{one}history/", {"item_id": "book_1"}))
    made.before = made.everything(kind)
    if kind == "vip":
        _ok(boss.post(f"{one}points/", {"points": 1500, "reason": "a welcome"}))
        made.ledger = made.points()
    return made


def _guest(boss: Person) -> Mover:
    """One who has ordered something, too."""
    visitor, email = guest(boss.fleet), new_email()
    _ordered(visitor)
    register(boss.fleet, email, by=visitor)
    boss.call("PATCH", f"/api/guest-customer/{visitor.id}/", {"first_name": "Ada"})
    return Mover(boss, "guest", visitor.id, email, mailed_token(boss.fleet, email))


def _with_account(boss: Person, kind: str) -> Mover:
    email = new_email()
    person = registered(boss.fleet, email)
    _ordered(person)
    made = Mover(boss, "registered", person.id, email, cart=cart_with(person)["id"])
    _give_addresses(made)
    if kind != made.kind:
        _ok(boss.post(f"/api/customers/{made.id}/upgrade/", {"to": kind}))
        made.kind = kind
    return made


def _ordered(person: Person) -> None:
    order(person)
    wait_for(lambda: person.get("/api/customers/me/history/").json()["orders"])


def _made_by_staff(boss: Person, kind: str) -> Mover:
    wish = {"email": new_email(), "first_name": "Ada", "birth_date": "1990-05-04"}
    made = Mover(boss, kind, _ok(boss.post(f"/api/{kind}-customer/", wish)).json()["id"])
    _give_addresses(made)
    return made


def _give_addresses(them: Mover) -> None:
    for line, default in (("1 Main St", "default_shipping"), ("2 Main St", "default_billing")):
        address = {**ADDRESS, "line1": line, default: True}
        _ok(them.boss.post(f"/api/{them.kind}-customer/{them.id}/addresses/", address))


def _ok(answer: requests.Response) -> requests.Response:
    assert answer.ok, answer.text
    return answer


def each_point(kinds: tuple[str, ...], at: str = "") -> Iterator[tuple[str, str, bool]]:
    """(kind, step, after) of every point in a move of these kinds; only those at the service of type `at`, if given."""
    for kind in kinds:
        for step in ("hold", "arrive", "leave", "settle", "release", "refuse"):
            where = kind if step in ("hold", "leave", "release") else CHANGES[kind]
            if at in ("", where):
                yield from ((kind, step, after) for after in (False, True))
