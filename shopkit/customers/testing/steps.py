"""A customer with everything, the steps of their moves as the customer router asks for them, and what is seen."""

import uuid
from datetime import date
from typing import Any, ClassVar

from django.apps import apps
from django.conf import settings
from django.utils import timezone
from rest_framework.response import Response

from shopkit.auth import Identity
from shopkit.customers import moves
from shopkit.customers.testing.stories import FIRST
from shopkit.testing import Caller, staff_caller

PROFILE: dict[str, Any] = {
    "first_name": "Ada",
    "last_name": "Lovelace",
    "phone": "+44 20 7946 0000",
    "preferences": {"colour": "blue"},
    "email": "ada@example.com",
    "birth_date": date(1990, 5, 4),
}
ADDRESS = {"name": "Ada", "line1": "1 Main St", "city": "London", "postal_code": "N1", "country": "GB"}
TOLD = {"order_id": "o1", "version": 4, "status": "paid", "total": 34_99, "goods": 29_99, "refunded": 0}
TOLD |= {"currency": "USD", "placed_at": "2026-01-02T03:04:05Z"}
TICKET = "the-ticket"


def customers() -> Any:
    return apps.get_model(settings.SERVICE.name, "Customer").objects


def router() -> Caller:
    """The customer router, for itself."""
    client = Caller(HTTP_HOST="localhost")
    client.force_authenticate(user=Identity(service="customer_router"))  # type: ignore[arg-type]
    return client


def step(name: str, move: uuid.UUID = FIRST, **body: Any) -> Response:
    return router().post(f"/internal/customers/c1/moves/{move}/{name}/", body)


def ok(answer: Any) -> Any:
    assert answer.status_code == 200, answer.content
    return answer.json()


def refused(answer: Any, code: str, status: int = 409) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def made() -> Any:
    """Customer c1, with everything that a customer of this service can have."""
    model = customers().model
    customer = model(id="c1", **{name: value for name, value in PROFILE.items() if hasattr(model, name)})
    customer.save()
    if hasattr(customer, "addresses"):
        for default in ("default_shipping", "default_billing"):
            customer.addresses.create(**ADDRESS, **{default: True})
    customer.viewed_items.create(item_id="book_1", viewed_at=timezone.now())
    ok(router().post("/internal/customers/c1/orders/", TOLD))
    return customer


def everything() -> Any:
    """All that is known of c1, as it would go along."""
    return moves.packed(customers().get(pk="c1"))


def states() -> Any:
    """The customer's row as it is, but for when it was last written."""
    row = customers().filter(pk="c1").values().first()
    return row and {name: value for name, value in row.items() if name != "updated_at"}


class Steps:
    """`kind` of customers, the `path` of the service, and `other`, the type to which and from which they move here."""

    kind: ClassVar[str]
    path: ClassVar[str]
    other: ClassVar[str]
    other_path: ClassVar[str]

    def see(self, query: str = "", path: str = "", **more: Any) -> Any:
        """What staff get at the typed path."""
        return staff_caller().get(f"/api/{path or self.path}/c1/{query}", **more)

    def listed(self) -> bool:
        return "c1" in {row["id"] for row in ok(staff_caller().get(f"/api/{self.path}/"))["results"]}

    def hold(self, move: uuid.UUID = FIRST) -> Any:
        return step("hold", move, to=self.other)

    def leave(self, move: uuid.UUID = FIRST) -> Any:
        held = ok(self.hold(move))
        ok(step("leave", move))
        return held

    def arrive(self, move: uuid.UUID = FIRST, ticket: str = TICKET, **changes: Any) -> Response:
        given = {name: value for name, value in PROFILE.items() if name != "birth_date"}
        rows = {
            "addresses": [{**ADDRESS, "default_shipping": True, "default_billing": False}],
            "viewed_items": [{"item_id": "book_1", "viewed_at": "2026-01-02T03:04:05+00:00"}],
            "purchases": [{**{k: v for k, v in TOLD.items() if k != "version"}, "order_version": 4}],
        }
        customer = {"profile": {**given, "birth_date": "1990-05-04", **changes}, "rows": rows}
        return step("arrive", move, origin=self.other, ticket=ticket, customer=customer)

    def at_other(self, answer: Any) -> None:
        assert (answer.status_code, answer["Location"].partition("?")[0]) == (307, f"/api/{self.other_path}/c1/")
