"""A guest signs in: who may say so."""

import pytest

from cart_service.models import Cart
from shopkit.testing import Caller, service_token

pytestmark = pytest.mark.django_db
SIGN_IN = {"guest_id": "g1", "customer_id": "ada", "customer_type": "registered"}


@pytest.mark.parametrize(
    ("service", "status", "owner"), [("order_service", 403, "g1"), ("customer_router", 204, "ada")]
)
def test_who_tells_of_sign_ins_gives_carts_away_and_no_other_service(service: str, status: int, owner: str) -> None:
    Cart.objects.create(owner_id="g1", owner_type="guest")
    told = Caller(HTTP_HOST="localhost", HTTP_AUTHORIZATION=f"Bearer {service_token('cart_service', by=service)}")
    assert told.post("/internal/sign-ins/", SIGN_IN).status_code == status
    assert Cart.objects.get().owner_id == owner
