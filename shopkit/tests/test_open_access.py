"""Open access is for this machine: whatever server listens, nobody from elsewhere is believed."""

import os
import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import pytest
from django.test import Client

from shopkit.config import Config, ConfigurationError, check_socket
from shopkit.listening import Listening
from shopkit.tests.wire import WORKERS


@pytest.mark.parametrize("address", ["0.0.0.0:8000", "192.168.1.5:80", "[::]:8000", "example.com:80", "0.0.0.0"])
def test_runserver_does_not_listen_to_others(address: str) -> None:
    with pytest.raises(ConfigurationError, match="loopback"):
        check_socket(["manage.py", "runserver", "--noreload", address])


@pytest.mark.parametrize(
    "given", [[], ["8000"], ["127.0.0.1:8000"], ["[::1]:8000"], ["localhost:8000"], ["--noreload"]]
)
def test_runserver_listens_to_this_machine(given: list[str]) -> None:
    check_socket(["manage.py", "runserver", *given])


class Gunicorns:
    def __init__(self, *arguments: object) -> None:
        self.arguments = arguments


class Worker(Listening, Gunicorns):
    """As ours are made."""


def worker_at(*names: object, reuse_port: bool = False) -> Worker:
    listeners = [] if reuse_port else [Mock(getsockname=lambda name=name: name) for name in names]
    return Worker(1, 1, listeners, None, 30.0, Mock(address=list(names)), None)


@pytest.mark.parametrize("reuse_port", [False, True])
@pytest.mark.parametrize("elsewhere", [("0.0.0.0", 8000), ("192.168.1.5", 80), ("::", 8000, 0, 0), "/run/shop.sock"])
def test_a_worker_does_not_listen_to_others(elsewhere: object, reuse_port: bool) -> None:
    with pytest.raises(ConfigurationError, match="loopback"):
        worker_at(("127.0.0.1", 8000), elsewhere, reuse_port=reuse_port)


@pytest.mark.parametrize("here", [("127.0.0.1", 8000), ("::1", 8000, 0, 0)])
def test_a_worker_listens_to_this_machine(here: object) -> None:
    assert worker_at(here).arguments


def test_a_worker_may_listen_anywhere_in_secure_access(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shopkit.config.config", lambda: Config.model_validate({"SHOP_ACCESS": "secure"}))
    assert worker_at(("0.0.0.0", 8000)).arguments


@pytest.mark.parametrize(("worker", "service"), [("ProxyWorker", "gateway"), ("ServiceWorker", "book_service")])
def test_gunicorn_on_all_addresses_ends_with_a_sentence_before_it_serves(
    worker: str, service: str, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "gunicorn", "-b", "0.0.0.0:0", "-k", WORKERS[worker], "--no-control-socket"]
    environment = {**os.environ, "SHOP_SERVICE": service, "SHOP_DATA": str(tmp_path), "SHOP_ACCESS": "open"}
    done = subprocess.run(
        [*command, "--log-level", "warning", "shopkit.entry:application()"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == (
        "SHOP_ACCESS=open believes whoever calls, so gunicorn must listen on a loopback address, not 0.0.0.0; "
        "set SHOP_ACCESS=secure to listen elsewhere.\n"
    )


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(("address", "code"), [("127.0.0.1", 400), ("::1", 400), ("192.168.1.5", 401), ("", 401)])
def test_who_calls_from_elsewhere_is_nobody(address: str, code: int) -> None:
    client = Client(REMOTE_ADDR=address)
    assert client.post("/api/books/", {}, "application/json").status_code == code
