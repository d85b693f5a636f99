"""`manage.py SERVICE check --deploy` in production settings: Django's and drf-spectacular's checks find nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from shopkit import settings, topology
from shopkit.config import ROOT, config

PRODUCTION = {
    "SHOP_ENV": "production",
    "SECRET_KEY": "0123456789" * 5,
    "ALLOWED_HOSTS": "shop.example.com",
    "EMAIL_HOST": "mail.example.com",
    "SHOP_FRONT_URL": "https://shop.example.com",
}


def check(service: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **PRODUCTION, "SHOP_DATA": str(folder), **environment}
    command = [sys.executable, "manage.py", service, "check", "--deploy", "--fail-level", "WARNING"]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("service", topology.SERVICES)
def test_a_service_is_fit_for_production(service: str, tmp_path: Path) -> None:
    done = check(service, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


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
    done = check("gateway", tmp_path, SHOP_ENV="development")
    assert done.returncode != 0
    assert "security.W018" in done.stderr
