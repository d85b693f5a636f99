"""The customers of a simulated shop, each with a cart, a card and a key."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from rest_framework.response import Response

from order_service import placing, saga, services
from order_service.models import Order, Status
from order_service.tests.peers import CARDS, PRICES
from shopkit import rows
from shopkit.auth import Identity
from shopkit.errors import ShopError
from shopkit.idempotency.views import idempotent

if TYPE_CHECKING:
    from order_service.tests.simulation import Shop

ADDRESS = {"name": "A", "line1": "1 High Street", "city": "London", "postal_code": "40741", "country": "US"}


@dataclass(frozen=True)
class Told:
    """An answer that reached the buyer; `order` is the one it names, if any."""

    key: str
    status: int
    code: str
    order: str

    @property
    def counts(self) -> bool:
        return self.status < 500 and self.code != "in_progress"


class Buyer:
    """A customer with a cart, a card and a key; they post until they are answered."""

    def __init__(self, shop: "Shop", number: int) -> None:
        random = shop.loop.random
        self.shop, self.name, self.key = shop, f"buyer-{number}", f"key-{number}"
        self.cart_id, self.card = shop.new_id(), random.choices(list(CARDS), [12, 2, 1, 2, 3])[0]
        self.lines = {
            item: random.randint(1, 3) for item in sorted(random.sample(sorted(PRICES), random.choice([1, 1, 2])))
        }
        self.identity = Identity(customer_id=self.name, customer_type="registered")
        self.answers: list[Told] = []

    def cart(self) -> dict[str, Any]:
        lines = [
            {"item_id": item, "item_type": item[:-2], "name": item, "unit_price": f"{PRICES[item] / 100:.2f}"}
            | {"quantity": quantity, "weight_g": 500, "problem": None}
            for item, quantity in self.lines.items()
        ]
        owner = {"owner_id": self.name, "owner_type": "registered", "currency": "USD"}
        return {**owner, "items": lines, "discounts": [], "free_shipping": [], "live": True, "ordered": False}

    @property
    def wish(self) -> placing.Wish:
        payment = {"provider": "simulated", "method": "card", "token": self.card}
        return placing.Wish(self.cart_id, "a@example.com", ADDRESS, "standard", payment=payment)

    def post(self, key: str) -> None:
        """Once, to some process; again if there was no answer that counts."""
        process = self.shop.any_process()
        self.shop.loop.start(process, lambda: self._posted(key))
        self.shop.loop.later(self.shop.loop.random.uniform(5, 20), lambda: self._again(key))

    def _again(self, key: str) -> None:
        if not any(told.key == key and told.counts for told in self.answers):
            self.post(key)

    def _posted(self, key: str) -> None:
        request = SimpleNamespace(headers={"Idempotency-Key": key} if key else {}, body=b"{}", user=self.identity)
        request.method, request.path = "POST", "/api/orders/"
        try:
            response = (_POST if key else _place)(_VIEW, request, self)
        except ShopError as error:
            response = _refused(error)
        data = response.data
        order = data.get("id") or data["details"].get("order_id", [""])[0]
        self.shop.loop.note(f"{self.name} {key} is answered {response.status_code} {data.get('code', '')} {order}")
        self.answers.append(Told(key, response.status_code, data.get("code", ""), order))
        self.shop.answered(self)

    def cancel(self) -> None:
        if order := rows.find(Order, {"cart_id": self.cart_id}):
            try:
                services.cancel_order(order=order)
            except ShopError as refusal:
                self.shop.loop.note(f"{self.name} is too late to cancel: {refusal.code}")
                self._insist(order)
                return
            self.shop.loop.note(f"{self.name} cancels {order.pk}")
            self.shop.cancelled.add(order.pk)
            saga.run(order.pk)

    def _insist(self, order: Order) -> None:
        """While the money is being taken, again and again: who took it may have died of it."""
        if order.status == Status.AUTHORISED:
            self.shop.loop.later(self.shop.loop.random.uniform(0.2, 2), self.ask_to_cancel)

    def ask_to_cancel(self) -> None:
        """At some process."""
        self.shop.loop.start(self.shop.any_process(), self.cancel)


def _place(_view: Any, _request: Any, buyer: Buyer) -> Response:
    return Response({"id": str(placing.place_order(identity=buyer.identity, wish=buyer.wish).pk)}, status=201)


def _refused(error: Exception) -> Response:
    if not isinstance(error, ShopError):
        raise error
    return Response({"code": error.code, "details": error.details or {}}, status=error.status, headers=error.headers)


_VIEW = SimpleNamespace(handle_exception=_refused)
_POST = idempotent()(_place)
