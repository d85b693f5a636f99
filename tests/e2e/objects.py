"""Customers with things of their own, for tests that ask who may do what with them."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import requests

from shopkit import topology
from tests.e2e.operations import Operation, described
from tests.fleet import Fleet
from tests.forging import Mint
from tests.people import ADDRESS, PASSWORD, Person, cart_with, guest, new_email, order, registered, vip

SHARED = ("item_id", "review_id", "image_name", "slug", "tracking_number", "benefit_id")
"""Parameters that name nobody's own: everybody has items, what is said of them and benefits, and a parcel's number is
told on purpose."""

OPINIONS = ("rating", "likes", "version", "updated_at")
"""What of an item changes when a customer has their say, which any may."""

PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"  # a red dot


def content_of(answer: requests.Response) -> Any:
    """What it says; of a picture, its bytes."""
    return answer.json() if "json" in answer.headers.get("Content-Type", "") else answer.content


@dataclass
class Cast:
    """Everybody in a fleet whom the tests need."""

    fleet: Fleet
    boss: Person
    _people: dict[str, Person] = field(default_factory=dict)
    _operations: dict[str, list[Operation]] = field(default_factory=dict)

    @cached_property
    def mint(self) -> Mint:
        return Mint(self.fleet.data)

    def another(self, kind: str) -> Person:
        """A new customer of that type; staff make those with accounts, since registering takes a while."""
        if kind == "guest":
            return guest(self.fleet)
        customer = made(self.boss, f"/api/{kind}-customer/", {"email": new_email(), "first_name": "Ada"})
        access = self.mint.access(sub=customer["id"], type=kind)
        return Person(self.fleet, {"access": access, "customer": customer})

    def somebody(self, kind: str) -> Person:
        """One who came to be of that type in the way that customers do; always the same."""
        if kind not in self._people:
            come = {"guest": guest, "registered": registered, "vip": partial(vip, boss=self.boss)}
            self._people[kind] = come[kind](self.fleet)
        return self._people[kind]

    def owner(self, kind: str, person: Person | None = None) -> "Owner":
        return Owner(self, person or self.another(kind), kind)

    def operations(self, service: str) -> list[Operation]:
        if service not in self._operations:
            self._operations[service] = described(self.fleet, service)
        return self._operations[service]


def made(by: Person, path: str, body: object, **more: Any) -> dict[str, Any]:
    answer = by.post(path, body, **more)
    assert answer.ok, (path, body, answer.status_code, answer.text)
    return dict(answer.json())


@dataclass
class Owner:
    """A customer and what is theirs, each made when it is first asked for."""

    cast: Cast
    person: Person
    kind: str
    _made: dict[str, dict[str, Any]] = field(default_factory=dict)

    def value(self, service: str, parameter: str) -> str:
        """What a path of the service has in that parameter's place."""
        makers = self._makers(service)
        assert parameter in makers, f"teach objects.Owner how to make a {parameter} for {service}"
        return str(makers[parameter]())

    def crossings(self, operation: Operation, other: "Owner") -> Iterator[tuple[str, Any]]:
        """Paths and bodies of the other's in which one thing is this owner's."""
        for name in operation.parameters[1:]:
            if name not in SHARED:
                whose = {each: self if each == name else other for each in operation.parameters}
                values = {each: one.value(operation.service, each) for each, one in whose.items()}
                yield operation.filled(values.__getitem__), other.body(operation)
        for name in operation.fields & self._makers(operation.service).keys() - {*SHARED}:
            yield other.path(operation), {**other.body(operation), name: self.value(operation.service, name)}

    def path(self, operation: Operation) -> str:
        return operation.filled(partial(self.value, operation.service))

    def body(self, operation: Operation) -> Any:
        body, item_type = operation.example(self.fields), topology.service(operation.service).item_type
        return {**body, "type": item_type} if body and item_type else body

    @property
    def fields(self) -> dict[str, Callable[[], Any]]:
        """What bodies have in fields of these names."""
        return {
            "cart_id": lambda: cart_with(self.person)["id"],
            "order_id": lambda: str(uuid.uuid4()),
            "from_cart": lambda: cart_with(self.person)["id"],
            "customer_id": lambda: self.person.id,
            "item_id": lambda: self._item("book_service")["id"],
            "email": new_email,
            "password": lambda: PASSWORD,
            "id": lambda: f"c-{uuid.uuid4().hex}",
            "country": lambda: "GB",
            "price": lambda: "9.99",
            "stock": lambda: 10,
            "image": lambda: PICTURE,
            "weight_g": lambda: 100,
        }

    @property
    def ids(self) -> set[str]:
        """Of what has been made so far and is nobody else's."""
        return {self.person.id, *(str(each["id"]) for name, each in self._made.items() if name not in SHARED)}

    def _makers(self, service: str) -> dict[str, Callable[[], Any]]:
        return {
            "customer_id": lambda: self.person.id,
            "address_id": lambda: self._once("address_id", self._address)["id"],
            "cart_id": lambda: self._cart()["id"],
            "from_cart": lambda: self._cart()["id"],
            "line_id": lambda: self._cart()["items"][0]["id"],
            "order_id": self._paid_order if service == "paying_service" else self._order,
            "payment_id": lambda: self._payment()["id"],
            "shipment_id": lambda: self._shipment()["id"],
            "tracking_number": lambda: self._shipment()["tracking_number"],
            "benefit_id": lambda: self._once("benefit_id", self._benefit)["id"],
            "custom_id": lambda: self._custom()["id"],
            "image_id": lambda: self._custom()["images"][0].split("/images/")[1].partition("/")[0],
            "slug": lambda: self._once("slug", partial(self._post_example, "items_router"))["id"],
            **self._item_makers(service if topology.service(service).item_type else "book_service"),
        }

    def _item_makers(self, service: str) -> dict[str, Callable[[], Any]]:
        return {
            "item_id": lambda: self._item(service)["id"],
            "review_id": lambda: self._once("review_id", partial(self._another_review, service))["id"],
            "image_name": lambda: self._once("image_name", partial(self._image, service))["name"],
        }

    def _once(self, name: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        if name not in self._made:
            self._made[name] = make()
        return self._made[name]

    def _address(self) -> dict[str, Any]:
        return made(self.person, "/api/customers/me/addresses/", ADDRESS)

    def _cart(self) -> dict[str, Any]:
        return self._once("cart_id", partial(cart_with, self.person))

    def _order(self) -> str:
        return str(self._once("order_id", partial(order, self.person))["id"])

    def _payment(self) -> dict[str, Any]:
        wish = {"order_id": str(uuid.uuid4()), "customer_id": self.person.id, "amount": "9.99"}
        wish |= {"provider": "simulated", "method": "card"}
        return self._once("payment_id", partial(made, self.cast.boss, "/api/payments/", wish))

    def _paid_order(self) -> str:
        return str(self._payment()["order_id"])

    def _shipment(self) -> dict[str, Any]:
        wish = {"order_id": str(uuid.uuid4()), "customer_id": self.person.id, "method": "standard"}
        wish |= {"address": ADDRESS, "weight_g": 100}
        return self._once("shipment_id", partial(made, self.cast.boss, "/api/shipments/", wish))

    def _custom(self) -> dict[str, Any]:
        wish = {"description": "A case", "name": "Ada", "email": new_email(), "images": [PICTURE]}
        return self._once("custom_id", partial(made, self.person, "/api/custom-orders/", wish))

    def _benefit(self) -> dict[str, Any]:
        """One of new VIPs' tier; there is at most one of a kind."""
        if there := self.cast.boss.get("/api/vip-customer/benefits/?tier=bronze").json()["results"]:
            return dict(there[0])
        wish = {"tier": "bronze", "kind": "discount", "name": "Ten off", "value": 10}
        return made(self.cast.boss, "/api/vip-customer/benefits/", wish)

    def _item(self, service: str) -> dict[str, Any]:
        return self._once("item_id", partial(self._reviewed_item, service))

    def _reviewed_item(self, service: str) -> dict[str, Any]:
        """One of which its owner, if they may, and staff have had their say, so that each has a review there."""
        item = self._post_example(service)
        if topology.service(service).item_type:
            for who in (self.person, self.cast.boss)[self.kind == "guest" :]:
                made(who, f"/api/items/{item['id']}/reviews/", {"rating": 4})
        return item

    def _another_review(self, service: str) -> dict[str, Any]:
        path = f"/api/items/{self._item(service)['id']}/reviews/"
        return made(self.cast.another("registered"), path, {"rating": 2})

    def _image(self, service: str) -> dict[str, Any]:
        return made(self.cast.boss, f"/api/items/{self._item(service)['id']}/images/", {"image": PICTURE})

    def _post_example(self, service: str) -> dict[str, Any]:
        """What staff post to the first path of the service that takes it."""
        post = next(each for each in self.cast.operations(service) if each.method == "POST" and not each.parameters)
        return made(self.cast.boss, post.path, self.body(post))
