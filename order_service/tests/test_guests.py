"""A guest's token, after its guest has made an account: what the guest ordered, and nothing that came after."""

from typing import Any

import pytest
from django.utils import timezone

from order_service.models import Order
from order_service.tests.conftest import CUSTOM_PATH, Asks, Fills, wish
from order_service.tests.world import Shop, World
from shopkit.idempotency.models import Answer
from shopkit.idempotency.services import LEASE
from shopkit.testing import Caller, bearer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("secure")]
VISITOR, ADA = (("ada", "guest"), ("ada", "registered"))


def of(kind: str) -> dict[str, str]:
    return {"owner_id": "ada", "owner_type": kind}


def test_it_finds_what_the_guest_ordered_and_no_order_of_the_account(world: World, fills: Fills) -> None:
    visitor, ada = bearer(*VISITOR), bearer(*ADA)
    first = visitor.post("/api/orders/", wish(fills(**of("guest")))).data["id"]
    cart = fills(**of("registered"))
    later = ada.post("/api/orders/", wish(cart)).data["id"]
    assert [row["id"] for row in visitor.get("/api/orders/").data["results"]] == [first]
    assert visitor.get(f"/api/orders/{first}/").status_code == 200
    assert {row["id"] for row in ada.get("/api/orders/").data["results"]} == {first, later}
    for deed in (visitor.get, visitor.patch):
        assert deed(f"/api/orders/{later}/").status_code == 404
    assert visitor.get(f"/api/orders/{later}/timeline/").status_code == 404
    assert visitor.post(f"/api/orders/{later}/cancel/").status_code == 404
    assert visitor.post("/api/orders/", wish(cart)).json()["details"] == {}
    assert Order.objects.get(pk=later).status == "pending"
    assert visitor.post(f"/api/orders/{first}/cancel/").data["status"] == "cancelled"


def test_so_it_is_with_custom_orders(shop: Shop, asks: Asks) -> None:
    visitor, ada = bearer(*VISITOR), bearer(*ADA)
    first, later = asks(visitor)["id"], asks(ada)["id"]
    seen: Any = visitor.get(CUSTOM_PATH).json()
    assert [row["id"] for row in seen["results"]] == [first]
    assert visitor.get(f"{CUSTOM_PATH}{later}/").status_code == 404
    assert ada.get(f"{CUSTOM_PATH}{first}/").status_code == ada.get(f"{CUSTOM_PATH}{later}/").status_code == 200


def orders(caller: Caller, body: dict[str, Any]) -> Any:
    return caller.post("/api/orders/", body, headers={"Idempotency-Key": "order-1"})


def test_what_a_guest_asked_for_the_account_may_repeat_and_gets_the_same_answer(world: World, fills: Fills) -> None:
    body = wish(fills(**of("guest")))
    first, second = orders(bearer(*VISITOR), body), orders(bearer(*ADA), body)
    assert (first.status_code, first.content) == (second.status_code, second.content) == (201, first.content)
    assert second["Idempotent-Replayed"] == "true"
    assert Order.objects.count() == 1


def test_what_the_account_asked_for_is_not_told_to_a_guests_token_that_repeats_it(world: World, fills: Fills) -> None:
    body = wish(fills(**of("registered")))
    assert orders(bearer(*ADA), body).status_code == 201
    again = orders(bearer(*VISITOR), body)
    assert (again.status_code, again.json()["code"]) == (422, "idempotency_key_reused")
    Answer.objects.all().delete()  # as after an answer that was lost, or long afterwards
    again = orders(bearer(*VISITOR), body)
    assert (again.status_code, again.json()["code"], again.json()["details"]) == (409, "already_ordered", {})
    Answer.objects.all().delete()
    assert orders(bearer(*ADA), body).status_code == 201


@pytest.mark.parametrize(("first", "then"), [(ADA, []), (VISITOR, [ADA])])
def test_so_it_is_with_what_the_account_was_asking_when_it_died_or_asked_in_the_place_of_a_guest_who_did(
    world: World, fills: Fills, first: tuple[str, str], then: list[tuple[str, str]]
) -> None:
    body = wish(fills(**of(first[1])))
    orders(bearer(*first), body)
    Answer.objects.update(status=None, body="", started_at=timezone.now() - 2 * LEASE)
    assert [orders(bearer(*each), body).status_code for each in then] == [201] * len(then)
    assert orders(bearer(*VISITOR), body).status_code == 422
