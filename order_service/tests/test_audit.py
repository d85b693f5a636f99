"""The auditor finds whatever is wrong, and only that."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from order_service import audit, clients, saga
from order_service.models import Order, OrderEvent, Saga
from order_service.tests.checkout import ITEM, LONG_AGO, arrive, books, finish, later
from order_service.tests.conftest import Place
from order_service.tests.world import World
from shopkit.errors import Unavailable

pytestmark = pytest.mark.django_db(transaction=True)


def found() -> list[str]:
    return [each.why for each in audit.audit(audit.Books()) if each.rule == "every order ends"]


def tried(times: int) -> None:
    for _ in range(times):
        later()
        saga.run_due()


def test_a_step_that_nobody_takes_is_found(place: Place) -> None:
    place()
    assert found() == []
    Saga.objects.update(next_at=timezone.now() - timedelta(minutes=3))
    assert len(found()) == 1


def test_a_step_that_fails_again_and_again_is_found_though_its_next_time_is_never_long_ago(
    world: World, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(**_asked: Any) -> Any:
        raise Unavailable

    order = place()
    with monkeypatch.context() as patch:
        patch.setattr(clients, "authorise", down)
        tried(8)  # which takes a minute
        assert found() == []
        tried(8)
        [why] = found()
    assert why.startswith("authorise")
    assert "unavailable" in why
    finish(order)
    assert found() == []


def test_a_payment_that_is_waited_for_keeps_the_audit_clean(world: World, place: Place) -> None:
    world.card = "requires_action"
    place()
    tried(20)
    assert found() == []


@dataclass
class Clean:
    """Books in order: of an order that is shipped, of one that arrived, of one that was undone."""

    read: audit.Books
    shipped: str
    arrived: str
    undone: str
    nobodys: str

    def payment(self, order: str) -> dict[str, Any]:
        return self.read.payments[order][0]

    def of_nobody(self, status: str, **more: Any) -> str:
        """A payment for an order that there is not."""
        made = {**self.payment(self.undone), "id": str(uuid.uuid4()), "status": status, **more}
        self.read.payments[self.nobodys].append(made)
        return str(made["id"])

    def stock(self, **moved: int) -> str:
        for name, number in moved.items():
            self.read.stock[ITEM][name] += number
        return str(ITEM)

    def hold(self, order: str) -> str:
        self.read.stock[ITEM]["holds"][order] = 1
        return self.stock(held=1, available=-1)


@pytest.fixture
def clean(world: World, place: Place) -> Clean:
    shipped, arrived = str(finish(place()).pk), finish(place())
    arrive(world, arrived)
    world.card = "failed"
    undone = str(finish(place()).pk)
    read = books(world)
    read.carts = {
        cart: {"id": cart, "ordered": True} for cart in map(str, Order.objects.values_list("cart_id", flat=True))
    }
    Order.objects.update(created_at=timezone.now() - timedelta(days=1))
    return Clean(read, shipped, str(arrived.pk), undone, str(uuid.uuid4()))


def twice_paid(at: Clean) -> str:
    at.payment(at.shipped)["refunded"] = 100
    at.read.payments[at.shipped].append({**at.payment(at.shipped), "captured": 100, "refunded": 0})
    return at.shipped


def changed(at: Clean, order: str, **values: Any) -> str:
    """The order's payment has these values instead."""
    at.payment(order).update(values)
    return str(at.payment(order)["id"])


def shipments(at: Clean, order: str, count: int, status: str = "label_created") -> str:
    shipment = {"id": str(uuid.uuid4()), "order_id": order, "status": status, "updated_at": LONG_AGO}
    at.read.shipments[order] = [shipment] * count
    return order if order != at.nobodys else str(shipment["id"])


def cart_is_open(at: Clean, order: str) -> str:
    at.read.carts[str(Order.objects.get(pk=order).cart_id)]["ordered"] = False
    return order


def log_has_a_gap(at: Clean) -> str:
    OrderEvent.objects.filter(order=at.shipped, name="capture").delete()
    return at.shipped


WRONG: list[tuple[str, Callable[[Clean], str]]] = [
    ("one captured payment", twice_paid),
    ("captured − refunded = owed", lambda at: changed(at, at.shipped, refunded=1) and at.shipped),
    ("captured − refunded = owed", lambda at: changed(at, at.undone, captured=1) and at.undone),
    ("shipped ⇔ paid", lambda at: shipments(at, at.shipped, 0)),
    ("shipped ⇔ paid", lambda at: shipments(at, at.undone, 1)),
    ("one shipment", lambda at: shipments(at, at.arrived, 2)),
    ("the parcel's news arrive", lambda at: shipments(at, at.shipped, 1, "delivered")),
    ("the parcel's news arrive", lambda at: shipments(at, at.shipped, 1, "in_transit")),
    ("a cart ends with its order", lambda at: cart_is_open(at, at.shipped)),
    ("the log is a path", log_has_a_gap),
    ("stock adds up", lambda at: at.stock(available=1)),
    ("stock adds up", lambda at: at.stock(available=-7, put_in=-7)),
    ("held is the sum of holds", lambda at: at.stock(held=1, available=-1)),
    ("sold is ordered", lambda at: at.stock(sold=1, available=-1)),
    ("no orphans", lambda at: at.hold(at.nobodys)),
    ("no orphans", lambda at: at.hold(at.undone)),
    ("no orphans", lambda at: at.hold(at.shipped)),
    ("no orphans", lambda at: shipments(at, at.nobodys, 1)),
    ("no orphans", lambda at: at.of_nobody("pending")),
    ("no orphans", lambda at: at.of_nobody("requires_action")),
    ("no orphans", lambda at: at.of_nobody("authorised")),
    ("no orphans", lambda at: at.of_nobody("captured")),
    ("no orphans", lambda at: at.of_nobody("voided", captured=5, refunded=4)),
    ("no payment stays open", lambda at: changed(at, at.undone, status="pending")),
    ("no payment stays open", lambda at: changed(at, at.undone, status="requires_action")),
    ("no payment stays open", lambda at: changed(at, at.undone, status="authorised")),
    ("refunds arrive", lambda at: changed(at, at.shipped, refund_failed=1)),
]


@pytest.mark.parametrize(("rule", "spoil"), WRONG, ids=[f"{rule} {number}" for number, (rule, _) in enumerate(WRONG)])
def test_one_thing_that_is_wrong_is_one_finding_that_names_it(
    clean: Clean, rule: str, spoil: Callable[[Clean], str]
) -> None:
    assert list(audit.audit(clean.read)) == []
    wrong = spoil(clean)
    assert [(each.rule, each.id) for each in audit.audit(clean.read)] == [(rule, wrong)]


FINE: dict[str, Callable[[Clean], object]] = {
    "a payment whose order is about to be written": lambda at: at.of_nobody(
        "pending", created_at=timezone.now().isoformat()
    ),
    "a payment that ended without an order": lambda at: at.of_nobody("voided"),
    "what staff recorded by hand": lambda at: at.of_nobody("authorised", by_hand=True),
    "a parcel whose news are on their way": lambda at: at.read.shipments[at.shipped][0].update(
        status="delivered", updated_at=timezone.now().isoformat()
    ),
    "a cart that is about to be closed": lambda at: (
        cart_is_open(at, at.shipped),
        Order.objects.update(created_at=timezone.now()),
    ),
    "a cart that was cleaned up": lambda at: at.read.carts.clear(),
}


@pytest.mark.parametrize("case", FINE)
def test_what_is_only_on_its_way_is_no_finding(clean: Clean, case: str) -> None:
    FINE[case](clean)
    assert list(audit.audit(clean.read)) == []
