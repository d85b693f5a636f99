"""`manage.py SERVICE check --deploy` in production settings: Django's and drf-spectacular's checks find nothing."""

import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout, suppress
from pathlib import Path

import pytest

import manage
from shopkit import settings, topology
from shopkit.config import ROOT, config
from tests import each_service

PRODUCTION = {
    "SHOP_ENV": "production",
    "SECRET_KEY": "0123456789" * 5,
    "ALLOWED_HOSTS": "shop.example.com",
    "EMAIL_HOST": "mail.example.com",
    "SHOP_FRONT_URL": "https://shop.example.com",
}


CHECK = ("check", "--deploy", "--fail-level", "WARNING")


def checked(service: str) -> str:
    """What `manage.py` says; in that service's own process."""
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said), suppress(SystemExit):
        manage.main(["manage.py", service, *CHECK])
    return said.getvalue()


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = str(tmp_path_factory.mktemp("deployed"))
    return each_service.ask(topology.SERVICES, checked, {**PRODUCTION, "SHOP_DATA": folder})


@pytest.mark.parametrize("service", topology.SERVICES)
def test_a_service_is_fit_for_production(told: dict[str, str], service: str) -> None:
    assert "no issues" in told[service], told[service]


@pytest.mark.parametrize(
    ("choice", "subdomains", "preload"), [("", False, False), ("subdomains", True, False), ("preload", True, True)]
)
def test_https_alone_is_asked_of_other_hosts_by_choice(
    monkeypatch: pytest.MonkeyPatch, choice: str, subdomains: bool, preload: bool
) -> None:
    for name, value in {**PRODUCTION, "SHOP_HSTS": choice}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(settings, "config", config.__wrapped__)
    found = settings.settings_for("book_service")
    assert found["SECURE_HSTS_SECONDS"]
    assert (found["SECURE_HSTS_INCLUDE_SUBDOMAINS"], found["SECURE_HSTS_PRELOAD"]) == (subdomains, preload)


def test_the_check_would_find_something(tmp_path: Path) -> None:
    env = {**os.environ, **PRODUCTION, "SHOP_DATA": str(tmp_path), "SHOP_ENV": "development"}
    command = [sys.executable, "manage.py", "gateway", *CHECK]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    assert "security.W018" in done.stderr
