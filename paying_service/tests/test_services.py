"""What the use-cases hold against a lost race."""

import uuid

import pytest

from paying_service import services
from paying_service.models import Status
from shopkit.auth import Identity
from shopkit.errors import Conflict

pytestmark = pytest.mark.django_db
STAFF = Identity(is_staff=True)


def test_of_two_who_read_the_same_payment_one_changes_it(payment: str) -> None:
    number = uuid.UUID(payment.split("/")[-2])
    first, second = (services.get_payment(payment_id=number, identity=STAFF) for _ in range(2))
    services.move(payment=first, to=Status.CAPTURED)
    with pytest.raises(Conflict, match="just changed"):
        services.move(payment=second, to=Status.VOIDED)
    kept = services.get_payment(payment_id=number, identity=STAFF)
    assert (kept.status, kept.version) == (Status.CAPTURED, 2)
