"""Tests of one service run in a process of their own: `pytest book_service` makes this process that service's."""

import os
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import django
import pytest
import responses
from django.conf import settings

from shopkit import entry, topology

if TYPE_CHECKING:  # it needs Django set up
    from shopkit.testing import Caller


def _service_under_test() -> str | None:
    """`SHOP_SERVICE`, else the service in whose folder the first path on the command line is."""
    named = [Path(word).parts[0] for word in sys.argv[1:] if not word.startswith("-") and Path(word).parts]
    return os.environ.get("SHOP_SERVICE") or next((name for name in named if name in topology.SERVICES), None)


FILLED_BY_DJANGO = {"django_content_type", "auth_permission"}
_DATA = TemporaryDirectory(prefix="polyshop-test-")  # gone with the process
os.environ["SHOP_DATA"] = _DATA.name
os.environ.setdefault("SHOP_LOG_LEVEL", "ERROR")
if name := _service_under_test():
    entry.use(name)
    os.environ["MONGO_DATABASE"] = f"test_{uuid.uuid4().hex}"
    django.setup()
    settings.WHITENOISE_AUTOREFRESH = True  # or each test's client first goes through all static files there are


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seed", type=int, help="the one seed that the simulation of the checkout is to repeat")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> None:
    """Who empties the tables after a test leaves two alone, which Django would fill again by many queries each time."""
    flush: Any = import_module("django.core.management.commands.flush")

    def sql_flush(style: Any, connection: Any, **options: Any) -> Any:
        tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
        return connection.ops.sql_flush(style, {*tables} - FILLED_BY_DJANGO, **options)

    flush.sql_flush, flush.emit_post_migrate_signal = sql_flush, lambda *_, **__: None


@pytest.fixture(scope="session")
def mongo_url() -> Iterator[str]:
    """The MongoDB that `MONGO_URL` names, else an embedded one of this session's own."""
    if url := os.environ.get("MONGO_URL"):
        yield url
        return
    port = free_port()
    command = [sys.executable, "-m", "shopkit.embedded", str(port), f"{os.environ['SHOP_DATA']}/mongodb.sqlite3"]
    server = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        yield f"mongodb://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()


@pytest.fixture
def store(mongo_url: str, settings: object) -> Iterator[None]:
    """The service's own MongoDB database, empty before and gone after."""
    from shopkit import mongo

    settings.MONGO_URL = mongo_url  # type: ignore[attr-defined]
    mongo.close()
    yield
    database = mongo.database()
    database.client.drop_database(database.name)
    mongo.close()


@pytest.fixture
def ada() -> "Caller":
    from shopkit.testing import caller

    return caller("ada")


@pytest.fixture
def bob() -> "Caller":
    from shopkit.testing import caller

    return caller("bob")


@pytest.fixture
def staff() -> "Caller":
    from shopkit.testing import staff_caller

    return staff_caller()


@pytest.fixture
def secure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens are asked for."""
    from shopkit import auth
    from shopkit.config import Config

    monkeypatch.setattr(auth, "config", lambda: Config.model_validate({"SHOP_ACCESS": "secure"}))


@pytest.fixture
def peers() -> Iterator[responses.RequestsMock]:
    """Plays the other services."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock
