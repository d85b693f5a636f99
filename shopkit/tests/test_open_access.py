"""Open access is for this machine: whatever server listens, nobody from elsewhere is believed."""

import pytest
from django.test import Client

from shopkit.config import ConfigurationError, check_socket


@pytest.mark.parametrize("address", ["0.0.0.0:8000", "192.168.1.5:80", "[::]:8000", "example.com:80", "0.0.0.0"])
def test_runserver_does_not_listen_to_others(address: str) -> None:
    with pytest.raises(ConfigurationError, match="loopback"):
        check_socket(["manage.py", "runserver", "--noreload", address])


@pytest.mark.parametrize(
    "given", [[], ["8000"], ["127.0.0.1:8000"], ["[::1]:8000"], ["localhost:8000"], ["--noreload"]]
)
def test_runserver_listens_to_this_machine(given: list[str]) -> None:
    check_socket(["manage.py", "runserver", *given])


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(("address", "code"), [("127.0.0.1", 400), ("::1", 400), ("192.168.1.5", 401), ("", 401)])
def test_who_calls_from_elsewhere_is_nobody(address: str, code: int) -> None:
    client = Client(REMOTE_ADDR=address)
    assert client.post("/api/books/", {}, "application/json").status_code == code
