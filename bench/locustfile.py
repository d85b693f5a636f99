"""A shop's visitors, for locust: of 18 things done, ten are looks around, five about a cart, two sign-ins, one order.

`locust -f bench/locustfile.py --host http://localhost:8000 --headless -u 100 -r 10 -t 60s`, or `make bench`.
It signs in as guests, so the fleet's limits for `/api/auth/` must be off (SHOP_AUTH_RATE_LIMIT=off).
"""

import random
import uuid
from typing import Any

from locust import FastHttpUser, between, task

ADDRESS = {"name": "Ada L", "line1": "1 Main St", "city": "London", "postal_code": "N1", "country": "GB"}
PAYMENT = {"provider": "simulated", "method": "card", "token": "4111111111111111"}
WORDS = ("lantern", "patient", "novel", "phone", "linen", "book", "press", "shirt")
ORDERINGS = ("name", "price", "-price", "-created_at")


class Visitor(FastHttpUser):  # type: ignore[misc]
    """Waits about a second between two things, as the load test that this is compared with must have."""

    wait_time = between(0.5, 1.5)
    network_timeout = connection_timeout = 30.0

    def on_start(self) -> None:
        self.headers: dict[str, str] = {}
        self.seen: list[dict[str, Any]] = []
        self.sign_in()
        self.list_items()

    @task(4)
    def list_items(self) -> None:
        page, ordering = random.randint(1, 20), random.choice(ORDERINGS)
        self._list(f"/api/items/?page={page}&ordering={ordering}", "/api/items/?page&ordering")

    @task(2)
    def search(self) -> None:
        self._list(f"/api/items/?search={random.choice(WORDS)}", "/api/items/?search")

    @task(4)
    def look_at_item(self) -> None:
        self._ask("GET", f"/api/items/{self._item()['id']}/", "/api/items/{id}/")

    @task(5)
    def fill_cart(self) -> str:
        """A new cart with one piece in it; its id."""
        cart = self._ask("POST", "/api/carts/", "/api/carts/", {}).json()["id"]
        line = {"item_id": self._item()["id"], "quantity": 1}
        self._ask("POST", f"/api/carts/{cart}/items/", "/api/carts/{id}/items/", line, refusals=(409,))
        return str(cart)

    @task(2)
    def sign_in(self) -> None:
        access = self._ask("POST", "/api/auth/guest/", "/api/auth/guest/").json()["access"]
        self.headers = {"Authorization": f"Bearer {access}"}

    @task(1)
    def order(self) -> None:
        """What was sold out meanwhile is refused, which is no failure."""
        wish = {
            "cart_id": self.fill_cart(),
            "email": "ada@example.com",
            "shipping_address": ADDRESS,
            "shipping_method": "standard",
            "payment": PAYMENT,
        }
        self._ask("POST", "/api/orders/", "/api/orders/", wish, refusals=(409,), key=uuid.uuid4().hex)

    def _list(self, path: str, name: str) -> None:
        found = self._ask("GET", path, name, refusals=(404,)).json().get("results", [])
        self.seen = [item for item in found if item["stock"] and item["price"]] or self.seen

    def _item(self) -> dict[str, Any]:
        return random.choice(self.seen)

    def _ask(
        self, method: str, path: str, name: str, body: object = None, *, refusals: tuple[int, ...] = (), key: str = ""
    ) -> Any:
        headers = {**self.headers, **({"Idempotency-Key": key} if key else {})}
        with self.client.request(
            method, path, name=f"{method} {name}", json=body, headers=headers, catch_response=True
        ) as answer:
            if answer.status_code in refusals:
                answer.success()
            return answer
