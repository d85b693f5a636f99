"""Where keys come from, what a service refuses to start with, and what the command prints."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shopkit import keys, topology
from shopkit.config import ROOT, Config, ConfigurationError, config
from shopkit.testing import at_once

PRODUCTION = {"SHOP_ENV": "production", "SECRET_KEY": "0123456789" * 5, "ALLOWED_HOSTS": "shop.example.com"}
SEED = keys.new_seed()
OWN = keys.SigningKey("book_service", SEED).public
LIST = f"{OWN.service}:{OWN.text}"


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """An environment of the test's own; what is cached is read anew, and once more after."""
    caches = (config, keys.signing_key, keys.public_keys)
    for field in Config.model_fields.values():
        if field.alias not in ("SHOP_DATA",):
            monkeypatch.delenv(str(field.alias), raising=False)
    monkeypatch.setenv("SHOP_SERVICE", "book_service")
    for each in caches:
        each.cache_clear()
    yield monkeypatch
    monkeypatch.undo()
    for each in caches:
        each.cache_clear()


def test_in_development_keys_are_made_and_stay(fresh: pytest.MonkeyPatch) -> None:
    keys.check()
    first = keys.signing_key()
    keys.signing_key.cache_clear()
    assert keys.signing_key() == first
    kept = config().data / "keys" / "book_service"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert {key.service for key in keys.public_keys().values()} == set(topology.SERVICES)


def test_of_many_who_start_at_once_all_have_the_same_key(tmp_path: object, fresh: pytest.MonkeyPatch) -> None:
    fresh.setenv("SHOP_DATA", str(tmp_path))
    config.cache_clear()
    assert len(set(at_once(lambda _turn: keys.kept("gateway").seed, 16))) == 1


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({}, "SHOP_SIGNING_KEY must be set in production"),
        ({"SHOP_SIGNING_KEY": SEED}, "SHOP_PUBLIC_KEYS must be set in production"),
        ({"SHOP_SIGNING_KEY": "short", "SHOP_PUBLIC_KEYS": LIST}, "no Ed25519 key"),
        ({"SHOP_SIGNING_KEY": SEED, "SHOP_PUBLIC_KEYS": LIST[:-4]}, "no Ed25519 key"),
        ({"SHOP_SIGNING_KEY": SEED, "SHOP_PUBLIC_KEYS": f"toy_service:{OWN.text}"}, "toy_service"),
        ({"SHOP_SIGNING_KEY": keys.new_seed(), "SHOP_PUBLIC_KEYS": LIST}, "lacks the public half of book_service"),
        ({"SHOP_SIGNING_KEY": SEED, "SHOP_PUBLIC_KEYS": f"gateway:{OWN.text}"}, "lacks the public half"),
    ],
)
def test_production_refuses_to_start_without_keys_that_fit(
    fresh: pytest.MonkeyPatch, environment: dict[str, str], sentence: str
) -> None:
    for name, value in {**PRODUCTION, **environment}.items():
        fresh.setenv(name, value)
    with pytest.raises(ConfigurationError, match=sentence) as refused:
        keys.check()
    assert str(refused.value.code).count("\n") == 0
    assert "python -m shopkit.keys" in str(refused.value.code)


def printed(*arguments: str, **environment: str) -> dict[str, str]:
    command = [sys.executable, "-m", "shopkit.keys", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return dict(line.split("=", 1) for line in done.stdout.splitlines())  # type: ignore[misc]


def test_the_command_makes_keys_that_fit(fresh: pytest.MonkeyPatch) -> None:
    lines = printed()
    assert {f"{name.upper()}_SIGNING_KEY" for name in topology.SERVICES} | {"SHOP_PUBLIC_KEYS"} == set(lines)
    environment = {
        **PRODUCTION,
        "SHOP_SIGNING_KEY": lines["BOOK_SERVICE_SIGNING_KEY"],
        "SHOP_PUBLIC_KEYS": lines["SHOP_PUBLIC_KEYS"],
    }
    for name, value in environment.items():
        fresh.setenv(name, value)
    keys.check()


def test_a_new_key_of_one_service_keeps_the_others_and_the_old() -> None:
    before = printed()["SHOP_PUBLIC_KEYS"]
    lines = printed("guest_customer", SHOP_PUBLIC_KEYS=before)
    assert set(lines) == {"GUEST_CUSTOMER_SIGNING_KEY", "SHOP_PUBLIC_KEYS"}
    assert lines["SHOP_PUBLIC_KEYS"].startswith(before + ",guest_customer:")


@pytest.mark.parametrize(
    "command", [("shopkit.server", "book_service"), ("shopkit.server", "gateway"), ("shopkit.worker", "order_service")]
)
def test_in_production_without_keys_a_process_ends_with_one_line_that_says_how_to_make_them(
    tmp_path: Path, command: tuple[str, str]
) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SHOP_")}
    environment = {**clean, **PRODUCTION, "SHOP_DATA": str(tmp_path), "REDIS_URL": "redis://127.0.0.1:1/0"}
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    [line] = done.stderr.splitlines()
    assert "SHOP_SIGNING_KEY" in line
    assert "python -m shopkit.keys" in line
    assert not list(tmp_path.iterdir())
