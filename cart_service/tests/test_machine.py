"""Carts against a model of them, a dict: whatever is done to two of them, in whatever order, they are as it says."""

from typing import Any

import pytest
import responses
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from cart_service.models import MAX_QUANTITY, Cart
from cart_service.tests.conftest import Sells, sells, shop  # noqa: F401
from cart_service.tests.shop import Shop
from shopkit.testing import Caller

pytestmark = pytest.mark.django_db
ITEMS = ("book_1", "mobile_1")
items = st.sampled_from(ITEMS)
quantities = st.sampled_from([1, 2, 3, MAX_QUANTITY])
carts = st.integers(0, 1)
prices = st.integers(0, 5_000)


class Carts(RuleBasedStateMachine):
    """Two carts of Ada's: `model` is what is in each, `seen` at which price it was put in, `ids` which they are now."""

    ada: Caller
    shop: Shop
    sell: Sells

    @initialize()
    def begin(self) -> None:
        self.facts: dict[str, dict[str, Any]] = {item: {"stock": 8, "price": 1_000} for item in ITEMS}
        self.sold()
        self.ids = [str(self.ada.post("/api/carts/").data["id"]) for _ in range(2)]
        self.model: list[dict[str, int]] = [{}, {}]
        self.seen: list[dict[str, int]] = [{}, {}]

    def sold(self) -> None:
        self.shop.items.clear()
        for item, fact in self.facts.items():
            price = fact["price"]
            self.sell(item, stock=fact["stock"], price=None if price is None else price / 100)

    def why_not(self, item: str, quantity: int) -> str | None:
        fact = self.facts.get(item)
        if fact is None or fact["price"] is None:
            return "unknown_item" if fact is None else "not_for_sale"
        if quantity > MAX_QUANTITY:
            return "quantity_limit"
        return "out_of_stock" if quantity > fact["stock"] else None

    def put(self, cart: int, item: str, quantity: int) -> None:
        self.model[cart][item] = quantity
        self.seen[cart][item] = self.facts[item]["price"]

    @rule(cart=carts, item=items, quantity=quantities)
    def add(self, cart: int, item: str, quantity: int) -> None:
        wanted = self.model[cart].get(item, 0) + quantity
        answer = self.ada.post(f"/api/carts/{self.ids[cart]}/items/", {"item_id": item, "quantity": quantity})
        self.check(answer, 201, self.why_not(item, wanted))
        if answer.status_code == 201:
            self.put(cart, item, wanted)

    @rule(cart=carts, item=items, quantity=quantities)
    def change(self, cart: int, item: str, quantity: int) -> None:
        if item in self.model[cart]:
            answer = self.ada.patch(self.line(cart, item), {"quantity": quantity})
            self.check(answer, 200, self.why_not(item, quantity))
            if answer.status_code == 200:
                self.put(cart, item, quantity)

    @rule(cart=carts, item=items)
    def remove(self, cart: int, item: str) -> None:
        if item in self.model[cart]:
            assert self.ada.delete(self.line(cart, item)).status_code == 204
            del self.model[cart][item]

    @rule(item=items, stock=st.sampled_from([0, 1, 3, 8]), price=st.one_of(st.none(), prices))
    def the_item_changes(self, item: str, stock: int, price: int | None) -> None:
        self.facts[item] = {"stock": stock, "price": price}
        self.sold()

    @rule(item=items)
    def the_item_goes(self, item: str) -> None:
        self.facts.pop(item, None)
        self.sold()

    @rule(policy=st.sampled_from(["sum", "max", "keep", "replace"]), dry_run=st.booleans())
    def merge(self, policy: str, dry_run: bool) -> None:
        """The second into the first; another takes its place."""
        wish = {"from_cart": self.ids[1], "policy": policy, "dry_run": dry_run}
        answer = self.ada.post(f"/api/carts/{self.ids[0]}/merge/", wish)
        assert answer.status_code == 200, answer.content
        after = self.merged(policy)
        said = {each["item_id"]: (each["had"], each["came"], each["has"]) for each in answer.json()["report"]}
        had, came = self.model
        assert said == {item: (had.get(item, 0), came[item], after[item]) for item in came}
        if not dry_run:
            for item in came:
                if after[item] != had.get(item, 0):
                    self.put(0, item, after[item])
            again = self.ada.post(f"/api/carts/{self.ids[0]}/merge/", wish)
            assert again.json()["report"] == answer.json()["report"]
            self.ids[1], self.model[1] = str(self.ada.post("/api/carts/").data["id"]), {}

    @rule(item=items, stock=st.integers(0, 2), policy=st.sampled_from(["sum", "max", "keep", "replace"]))
    def merge_when_there_are_fewer_than_both_have(self, item: str, stock: int, policy: str) -> None:
        """Left to chance, it would hardly ever come to that."""
        self.the_item_changes(item=item, stock=MAX_QUANTITY, price=700)
        for cart in (0, 1):
            self.add(cart=cart, item=item, quantity=3)
        self.the_item_changes(item=item, stock=stock, price=700)
        self.merge(policy=policy, dry_run=False)

    def merged(self, policy: str) -> dict[str, int]:
        """How many of each item that comes there will be."""
        ways = {"sum": lambda h, c: h + c, "max": max, "keep": lambda h, c: h or c, "replace": lambda _h, c: c}
        had, result = self.model[0], {}
        for item, came in self.model[1].items():
            before, fact = had.get(item, 0), self.facts.get(item)
            wanted = ways[policy](before, came)
            most = min(fact["stock"], MAX_QUANTITY) if fact and fact["price"] is not None else 0
            if wanted <= most or wanted == before:
                result[item] = wanted
            elif wanted > before:
                result[item] = max(most, before)
            else:
                result[item] = most or before
        return result

    def line(self, cart: int, item: str) -> str:
        lines = self.ada.get(f"/api/carts/{self.ids[cart]}/").json()["items"]
        (line,) = (line["id"] for line in lines if line["item_id"] == item)
        return f"/api/carts/{self.ids[cart]}/items/{line}/"

    def check(self, answer: Any, well: int, code: str | None) -> None:
        if code is None:
            assert answer.status_code == well, answer.content
        else:
            assert answer.json()["code"] == code

    @invariant()
    def they_are_what_the_model_is(self) -> None:
        for cart, model in enumerate(getattr(self, "model", [])):
            shown = self.ada.get(f"/api/carts/{self.ids[cart]}/").json()
            assert {line["item_id"]: line["quantity"] for line in shown["items"]} == model
            problems = {line["item_id"]: line["problem"] for line in shown["items"]}
            assert problems == {item: self.why_not(item, quantity) for item, quantity in model.items()}
            priced = [item for item in model if problems[item] in (None, "out_of_stock")]
            total = sum(self.facts[item]["price"] * model[item] for item in priced)
            assert shown["total_price"] == f"{total / 100:.2f}"
            for line in shown["items"]:
                if (item := line["item_id"]) in priced:
                    assert line["price_changed"] == (self.facts[item]["price"] != self.seen[cart][item])


def test_carts_are_what_their_model_is(ada: Caller, shop: Shop, sells: Sells, peers: responses.RequestsMock) -> None:  # noqa: F811
    class Machine(Carts):
        pass

    Machine.ada, Machine.shop, Machine.sell = ada, shop, staticmethod(sells)  # type: ignore[assignment]
    short = settings(max_examples=12, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(Machine, settings=settings(short, database=None))
    assert Cart.objects.exists()
