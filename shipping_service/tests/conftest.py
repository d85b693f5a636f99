"""Callers of this service, and a shipment of Ada's."""

import uuid
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from rest_framework.test import APIClient

ADDRESS = {"name": "Ada Lovelace", "line1": "1 High Street", "city": "London", "postal_code": "W1", "country": "GB"}


class Caller(APIClient):
    default_format = "json"


def caller(user_id: str) -> Caller:
    return Caller(HTTP_HOST="localhost", HTTP_X_USER_ID=user_id, HTTP_X_CUSTOMER_TYPE="registered")


def staff_caller() -> Caller:
    return Caller(HTTP_HOST="localhost")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """SQLite in a file, since in memory the threads of a race would share one connection."""
    database = connections["default"].settings_dict
    if database["ENGINE"].endswith("sqlite3"):
        folder: Path = tmp_path_factory.mktemp("database")
        database["TEST"]["NAME"] = str(folder / "test.sqlite3")


@pytest.fixture
def ada() -> Caller:
    return caller("ada")


@pytest.fixture
def bob() -> Caller:
    return caller("bob")


@pytest.fixture
def staff() -> Caller:
    return staff_caller()


def parcel(**changes: Any) -> dict[str, Any]:
    """What staff post to send something to Ada."""
    values = {"order_id": str(uuid.uuid4()), "customer_id": "ada", "method": "standard", "address": ADDRESS}
    return {**values, "weight_g": 450, **changes}


@pytest.fixture
def shipment(staff: Caller) -> str:
    """The path of a shipment of Ada's that nobody picked up yet."""
    return f"/api/shipments/{staff.post('/api/shipments/', parcel()).data['id']}/"
