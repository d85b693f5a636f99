"""The Django admin shows shipments, and changes none."""

import pytest
from django.test import Client

from shipping_service.models import Shipment

pytestmark = pytest.mark.django_db
ADMIN = "/admin/shipping_service/shipment/"


def test_the_admin_lists_and_shows_but_adds_nothing(shipment: str, admin_client: Client) -> None:
    kept = Shipment.objects.get()
    for path in (ADMIN, f"{ADMIN}?q={kept.pk}", f"{ADMIN}{kept.pk}/change/"):
        response = admin_client.get(path, HTTP_HOST="localhost")
        assert response.status_code == 200
        assert str(kept.pk) in response.content.decode()
    assert admin_client.get(f"{ADMIN}add/", HTTP_HOST="localhost").status_code == 403
    assert admin_client.post(f"{ADMIN}{kept.pk}/change/", {}, HTTP_HOST="localhost").status_code == 403
