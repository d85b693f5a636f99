"""Callers of this service, and a payment of Ada's."""

import uuid
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from rest_framework.test import APIClient


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


def demand(**changes: Any) -> dict[str, Any]:
    """What staff post to ask Ada for money."""
    values = {"order_id": str(uuid.uuid4()), "customer_id": "ada", "provider": "simulated", "method": "card"}
    return {**values, "amount": "64.98", "currency": "USD", **changes}


@pytest.fixture
def payment(staff: Caller) -> str:
    """The path of a pending payment of Ada's."""
    return f"/api/payments/{staff.post('/api/payments/', demand()).data['id']}/"
