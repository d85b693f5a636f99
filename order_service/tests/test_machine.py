"""Orders under whatever is done to them and whatever fails, in any order: money, goods and the log always agree."""

from contextlib import suppress
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from order_service import audit, saga, services
from order_service.models import TRANSITIONS, Order, Saga
from order_service.tests.checkout import books, later
from order_service.tests.conftest import CARD, LINE, Fills, wish
from order_service.tests.world import Fault, Killed, World
from shopkit.testing import Caller

pytestmark = pytest.mark.django_db(transaction=True)
ITEM = LINE["item_id"]
MOST_ORDERS = 4
which = st.integers(0, MOST_ORDERS - 1)
faults = st.tuples(st.integers(0, 5), st.sampled_from(["before", "after"]), st.sampled_from(["killed", "lost", "no"]))


class Orders(RuleBasedStateMachine):
    """Some orders of Ada's for two of ten books; `world` is what the peers have."""

    ada: Caller
    staff: Caller
    fills: Fills

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []

    @initialize()
    def begin(self) -> None:
        Order.objects.all().delete()
        self.empty_world()

    @rule(card=st.sampled_from(["authorised", "failed", "requires_action", "pending"]), discount=st.booleans())
    def place(self, card: str, discount: bool) -> None:
        if len(self.ids) == MOST_ORDERS:
            return
        self.world.card = card
        off = [{"code": "vip", "label": "VIP", "amount": "6.00"}] if discount else []
        cart = self.fills(discounts=off)
        placed = self.ada.post("/api/orders/", wish(cart, payment=CARD))
        assert placed.status_code == 201
        again = self.ada.post("/api/orders/", wish(cart, payment=CARD))
        assert (again.status_code, again.json()["details"]) == (409, {"order_id": [placed.data["id"]]})
        self.ids.append(placed.data["id"])

    @rule(fault=st.one_of(st.none(), faults))
    def time_passes(self, fault: tuple[int, str, str] | None) -> None:
        call, when, kind = fault or (0, "before", "lost")
        self.world.fault = Fault(len(self.world.calls) + call, when, kind) if fault else None
        later()
        with suppress(Killed):
            saga.run_due()
        self.world.fault = None

    @rule(which=which)
    def cancel(self, which: int) -> None:
        if order := self.order(which):
            was = order.status
            answer = self.ada.post(f"/api/orders/{order.pk}/cancel/")
            assert answer.status_code == 200 or (answer.status_code, answer.json()["code"]) == (
                409,
                "illegal_transition",
            )
            assert answer.status_code == 409 or was in ("pending", "reserved", "authorised", "cancelled")

    @rule(which=which, accepted=st.booleans())
    def confirm(self, which: int, accepted: bool) -> None:
        order = self.order(which)
        payment = self.payment(order)
        if order and payment and payment["status"] in ("requires_action",):
            payment["status"] = "authorised" if accepted else "failed"
            self.tell(order, payment)

    @rule(which=which, part=st.integers(1, 100))
    def give_back(self, which: int, part: int) -> None:
        """Staff refund so many percent of what is left, as soon as the money is taken."""
        order = self.order(which)
        payment = self.payment(order)
        if order and payment and payment["captured"]:
            left = payment["captured"] - payment["refunded"]
            payment["refunded"] += -(-left * part // 100)
            self.tell(order, payment)

    @rule(which=which, status=st.sampled_from(["picked_up", "in_transit", "delivered", "failed", "returned"]))
    def parcel_news(self, which: int, status: str) -> None:
        order = self.order(which)
        if order and str(order.pk) in self.world.shipments:
            services.take_shipment_news(order_id=order.pk, status=status)

    @rule(which=which, status=st.sampled_from(sorted(TRANSITIONS)))
    def staff_move(self, which: int, status: str) -> None:
        """By hand nothing goes past the checkout."""
        order = self.order(which)
        if order and status != "cancelled":
            answer = self.staff.patch(f"/api/orders/{order.pk}/", {"status": status})
            assert answer.status_code == (200 if status in services.BY_HAND & TRANSITIONS[order.status] else 409)

    @rule(which=which)
    def time_to_pay_is_over(self, which: int) -> None:
        if order := self.order(which):
            Saga.objects.filter(pk=order.pk).update(pay_until=timezone.now())

    @invariant()
    def it_adds_up(self) -> None:
        for order in Order.objects.prefetch_related("lines", "events"):
            assert list(audit._path(order, order.events.all())) == []
            assert order.subtotal == sum(line.line_total for line in order.lines.all())
            assert sum(each["amount"] for each in order.charges) == order.total - order.subtotal
            assert 0 <= order.refunded <= order.total
        for payment in self.payments():
            assert 0 <= payment["refunded"] <= payment["captured"] <= payment["amount"]
        stock = books(self.world).stock[ITEM]
        assert stock["available"] >= 0
        assert stock["available"] + stock["held"] + stock["sold"] == stock["put_in"]

    def teardown(self) -> None:
        """Nothing fails any more, and who was waited for does not come: every order ends, and the audit is clean."""
        if self.ids:
            self.world.card = "failed"
            Saga.objects.update(pay_until=timezone.now())
            for _ in range(5):
                self.time_passes(None)
            assert set(Saga.objects.values_list("step", flat=True)) == {"done"}
            assert list(audit.audit(books(self.world))) == []

    def order(self, which: int) -> Order | None:
        return Order.objects.get(pk=self.ids[which]) if which < len(self.ids) else None

    def payment(self, order: Order | None) -> dict[str, Any] | None:
        return self.world.payments.get(str(order.payment_id)) if order else None

    def payments(self) -> list[dict[str, Any]]:
        return list(self.world.payments.values()) if self.ids else []

    def tell(self, order: Order, payment: dict[str, Any]) -> None:
        assert order.payment_id
        news = {"status": payment["status"], "refunded": payment["refunded"]}
        services.take_payment_news(order_id=order.pk, payment_id=order.payment_id, **news)

    world: World

    def empty_world(self) -> None:
        fresh = World()
        for name, value in vars(fresh).items():
            setattr(self.world, name, value)


def test_orders_add_up_whatever_happens(world: World, ada: Caller, staff: Caller, fills: Fills) -> None:
    class Machine(Orders):
        pass

    Machine.world, Machine.ada, Machine.staff = world, ada, staff
    Machine.fills = staticmethod(fills)  # type: ignore[assignment]
    short = settings(max_examples=15, stateful_step_count=20, deadline=None, database=None)
    run_state_machine_as_test(Machine, settings=settings(short, suppress_health_check=list(HealthCheck)))
