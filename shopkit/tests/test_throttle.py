"""Limits, with and without a Redis; and whose address counts."""

import time

import pytest
from django.test import RequestFactory

from conftest import free_port
from shopkit import throttle
from shopkit.errors import Throttled
from shopkit.throttle import Limit, client_address

TWICE = Limit("twice", 2, 60)


@pytest.fixture(params=["memory", "a Redis that is gone"], autouse=True)
def _windows(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    url = None if request.param == "memory" else f"redis://127.0.0.1:{free_port()}/0"
    windows = throttle._Windows(url)
    monkeypatch.setattr(throttle, "windows", lambda: windows)


def test_one_too_many_is_refused_and_told_when_to_come_back() -> None:
    TWICE.count("ada")
    TWICE.count("Ada")
    with pytest.raises(Throttled) as refused:
        TWICE.count("ada")
    assert (refused.value.status, refused.value.code) == (429, "throttled")
    assert 0 < int(refused.value.headers["Retry-After"]) <= 61
    TWICE.count("bob")


def test_a_check_counts_nothing() -> None:
    for _ in range(5):
        TWICE.check("ada")
    TWICE.count("ada")
    TWICE.count("ada")
    with pytest.raises(Throttled):
        TWICE.check("ada")


def test_what_is_forgotten_begins_anew() -> None:
    TWICE.count("ada")
    TWICE.count("ada")
    TWICE.forget("ada")
    TWICE.count("ada")


def test_the_past_is_forgotten_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    TWICE.count("ada")
    TWICE.count("ada")
    later = time.time() + 61
    monkeypatch.setattr("limits.storage.memory.time.time", lambda: later)
    TWICE.count("ada")


@pytest.mark.parametrize(
    ("peer", "said", "client"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),  # anybody can write that
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "192.168.0.7, 127.0.0.1", "192.168.0.7"),
        ("127.0.0.1", "8.8.8.8, 127.0.0.1", "8.8.8.8"),
        ("10.0.0.3", "8.8.8.8, 10.0.0.2", "8.8.8.8"),
        ("10.0.0.3", "1.1.1.1, 8.8.8.8, 10.0.0.2", "8.8.8.8"),  # a proxy before ours passes on what the client wrote
        ("10.0.0.3", "nonsense, 10.0.0.2", "nonsense"),
        ("::ffff:10.0.0.3", "::ffff:8.8.8.8", "8.8.8.8"),
        ("::1", "2001:4860:1:2:3:4:5:6", "2001:4860:1:2::/64"),
    ],
)
def test_the_clients_address_is_the_last_that_is_not_ours(peer: str, said: str, client: str) -> None:
    more = {"HTTP_X_FORWARDED_FOR": said} if said else {}
    assert client_address(RequestFactory().get("/", REMOTE_ADDR=peer, **more)) == client
