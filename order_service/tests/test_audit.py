"""The auditor finds the checkouts that do not end, and only those."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from order_service import audit, clients, saga
from order_service.models import Saga
from order_service.tests.checkout import finish, later
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


def test_a_refund_that_failed_at_its_provider_is_found_until_it_is_made_again(world: World, place: Place) -> None:
    order = place()
    finish(order)
    payment: dict[str, Any] = world.payments[str(order.payment_id)]
    books = audit.Books(payments={str(order.pk): [payment]})
    for failed in (0, 1000):
        payment["refund_failed"] = failed
        found = [each.id for each in audit.audit(books) if each.rule == "refunds arrive"]
        assert found == [payment["id"]] * bool(failed)
