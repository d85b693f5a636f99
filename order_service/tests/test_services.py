"""What the use-cases hold against a lost race."""

import uuid

import pytest

from order_service import services
from order_service.models import Status
from shopkit.auth import Identity
from shopkit.errors import Conflict

pytestmark = pytest.mark.django_db(transaction=True)
STAFF = Identity(is_staff=True)


def test_of_two_who_read_the_same_order_one_changes_it(order: str) -> None:
    number = uuid.UUID(order.split("/")[-2])
    first, second = (services.get_order(order_id=number, identity=STAFF) for _ in range(2))
    services.move(order=first, to=Status.RESERVED, name="reserved")
    with pytest.raises(Conflict, match="just changed"):
        services.move(order=second, to=Status.CANCELLED, name="cancelled")
    kept = services.get_order(order_id=number, identity=STAFF)
    assert (kept.status, kept.version) == (Status.RESERVED, 2)
