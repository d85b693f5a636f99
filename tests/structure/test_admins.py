"""Every service's Django admin: what staff do in it is logged, whatever model it is about."""

import pytest

from shopkit import topology
from shopkit.config import ROOT
from tests import each_service

RELATIONAL = [service.name for service in topology.SERVICES.values() if service.relational]
Logging = dict[str, bool]


def registered(_service: str) -> Logging:
    """By model, whether what is done to it is logged; in that service's own process."""
    import django

    django.setup()
    from django.contrib import admin

    from shopkit.admin import StaffAdmin

    return {model._meta.label: isinstance(by, StaffAdmin) for model, by in admin.site._registry.items()}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Logging]:
    return each_service.ask(RELATIONAL, registered, {"SHOP_DATA": str(tmp_path_factory.mktemp("admins"))})


@pytest.mark.parametrize("name", RELATIONAL)
def test_what_staff_do_is_logged_whatever_the_model(told: dict[str, Logging], name: str) -> None:
    logging = told[name]
    assert all(logging.values()), logging
    assert all(label.startswith(f"{name}.") for label in logging)
    assert logging or not (ROOT / name / "admin.py").exists()
