"""A shipment of Ada's."""

import uuid
from typing import Any

import pytest

from shopkit.testing import Caller

ADDRESS = {"name": "Ada Lovelace", "line1": "1 High Street", "city": "London", "postal_code": "W1", "country": "GB"}


def parcel(**changes: Any) -> dict[str, Any]:
    """What staff post to send something to Ada."""
    values = {"order_id": str(uuid.uuid4()), "customer_id": "ada", "method": "standard", "address": ADDRESS}
    return {**values, "weight_g": 450, **changes}


@pytest.fixture
def shipment(staff: Caller) -> str:
    """The path of a shipment of Ada's that nobody picked up yet."""
    return f"/api/shipments/{staff.post('/api/shipments/', parcel()).data['id']}/"
