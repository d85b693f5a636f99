"""How often a client may call, at a gateway that runs."""

import itertools
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from shopkit.runner.stores import redis_program
from shopkit.testing import access_token
from shopkit.tests import wire
from shopkit.tests.wire import OK, Response, Server, is_refusal
from tests import stores
from tests.waiting import wait_for

APPLICATION = "shopkit.entry:application()"


@contextmanager
def gateway(**environment: str) -> Iterator[Server]:
    env = {"SHOP_SERVICE": "gateway", "SHOP_LOG_LEVEL": "ERROR", "REDIS_URL": "", **environment}
    with wire.gunicorn(APPLICATION, "ProxyWorker", env=env) as server:
        yield server


def get(server: Server, path: str, *headers: str) -> Response:
    return server.raw(wire.request(path, *headers, "Connection: close", host="localhost"))


@pytest.fixture(scope="module")
def cart() -> Iterator[wire.Upstream]:
    upstream = wire.Upstream(0)
    yield upstream
    upstream.close()


@pytest.fixture(scope="module")
def behind_proxy(cart: wire.Upstream) -> Iterator[Server]:
    """Each test calls from other addresses."""
    limits = {"SHOP_RATE_LIMIT": "3/day", "SHOP_AUTH_RATE_LIMIT": "1/day"}
    with gateway(**limits, SHOP_BEHIND_PROXY="1", CART_SERVICE_URL=f"http://{cart.authority}") as server:
        yield server


def statuses(server: Server, path: str, *addresses: str, token: str = "") -> list[int]:
    more = [f"Authorization: Bearer {token}"] if token else []
    return [get(server, path, f"X-Forwarded-For: {address}", *more).status for address in addresses]


def test_who_calls_too_often_is_refused_in_the_one_error_form_and_told_when_to_come_back() -> None:
    with gateway(SHOP_RATE_LIMIT="2/day", SHOP_AUTH_RATE_LIMIT="off") as server:
        first, second, third = (get(server, "/", f"X-Forwarded-For: 10.0.0.{number}") for number in range(3))
        assert [answer.status for answer in (first, second, third)] == [200, 200, 429]
        assert is_refusal(third, 429, "rate_limited")
        assert third.all("ratelimit-policy") == first.all("ratelimit-policy") == ['"default";q=2;w=86400']
        assert first.all("ratelimit")[0].startswith('"default";r=1;t=')
        assert third.all("ratelimit") == [f'"default";r=0;t={third.all("retry-after")[0]}']
        free = [get(server, "/api/auth/login/") for _ in range(3)]
        assert not any(answer.status == 429 or answer.all("ratelimit") for answer in free)


def test_each_client_of_a_proxy_has_its_own_limit_by_the_address_that_the_proxy_wrote(behind_proxy: Server) -> None:
    invented = [f"{number}.1.1.1, 10.0.0.1" for number in range(4)]
    assert statuses(behind_proxy, "/", *invented) == [200, 200, 200, 429]
    assert statuses(behind_proxy, "/", "10.0.0.2") == [200]


def test_services_are_told_of_the_client_that_is_counted_alone(behind_proxy: Server, cart: wire.Upstream) -> None:
    waiting = wire.Waiting(lambda: get(behind_proxy, "/api/carts/", "X-Forwarded-For: 1.1.1.1, 10.0.6.1"))
    peer = cart.accept()
    assert b"\r\nx-forwarded-for: 10.0.6.1\r\n" in peer.head().lower()
    peer.send(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    assert waiting.answer().status == 200
    peer.close()


def test_an_ipv6_client_is_its_network_and_a_mapped_one_its_ipv4_address(behind_proxy: Server) -> None:
    assert statuses(behind_proxy, "/", *(f"2001:db8::{number}" for number in range(1, 5)))[-1] == 429
    assert statuses(behind_proxy, "/", "2001:db8:0:1::1") == [200]
    assert statuses(behind_proxy, "/", "10.0.1.1", "::ffff:10.0.1.1", "10.0.1.1", "::ffff:10.0.1.1")[-1] == 429


def test_signing_in_has_a_limit_of_its_own_however_its_path_is_written(behind_proxy: Server) -> None:
    asked = ("/api/v1/auth/login", "/api/auth/login/", "/api/auth/guest/", "/")
    refused = [statuses(behind_proxy, path, "10.0.2.1") == [429] for path in asked]
    assert refused == [False, True, True, False]


def test_health_and_metrics_are_not_limited(behind_proxy: Server) -> None:
    for path in ("/health/live", "/metrics"):
        for _ in range(5):
            answer = get(behind_proxy, path, "X-Forwarded-For: 10.0.3.1")
            assert (answer.status, answer.all("ratelimit")) == (200, [])
    assert statuses(behind_proxy, "/health/other", *["10.0.3.1"] * 4) == [404, 404, 404, 429]


def test_a_forwarded_answer_carries_the_gateways_limit_once(behind_proxy: Server, cart: wire.Upstream) -> None:
    waiting = wire.Waiting(lambda: get(behind_proxy, "/api/carts/", "X-Forwarded-For: 10.0.4.1"))
    peer = cart.accept()
    peer.head()
    peer.send(OK.replace(b"\r\n\r\n", b'\r\nRateLimit: "theirs";r=1;t=1\r\nRateLimit-Policy: "theirs";q=1\r\n\r\n'))
    answer = waiting.answer()
    assert (answer.status, answer.all("ratelimit-policy")) == (200, ['"default";q=3;w=86400'])
    assert len(answer.all("ratelimit")) == 1


def test_a_refused_request_reaches_no_service(behind_proxy: Server, cart: wire.Upstream) -> None:
    assert statuses(behind_proxy, "/", *["10.0.5.1"] * 3) == [200] * 3
    assert statuses(behind_proxy, "/api/carts/", "10.0.5.1") == [429]
    assert not cart.calls()


def test_in_open_access_nothing_is_limited_unless_it_says_so() -> None:
    with gateway() as server:
        assert not get(server, "/").all("ratelimit-policy")


def test_in_secure_access_there_are_limits_unless_it_says_otherwise() -> None:
    with gateway(SHOP_ACCESS="secure") as server:
        assert get(server, "/").all("ratelimit-policy") == ['"default";q=1200;w=60']
        assert get(server, "/api/auth/login/").all("ratelimit-policy") == ['"auth";q=30;w=60']


NOWHERE = "/api/nowhere/"
"""Which the gateway itself answers, after it has looked at the token."""


def test_a_customers_token_is_counted_from_wherever_it_comes(behind_proxy: Server) -> None:
    token = access_token("ada")
    addresses = ("10.0.7.1", "10.0.7.2", "10.0.7.1", "10.0.7.2")
    assert statuses(behind_proxy, NOWHERE, *addresses, token=token) == [404, 404, 404, 429]
    assert statuses(behind_proxy, NOWHERE, "10.0.7.3", token=access_token("ada")) == [429]  # another, of the same
    assert statuses(behind_proxy, NOWHERE, "10.0.7.1") == [404]


def test_two_customers_at_one_address_have_a_limit_each(behind_proxy: Server) -> None:
    for token in (access_token("bob"), access_token("eve", "vip")):
        assert statuses(behind_proxy, NOWHERE, *["10.0.8.1"] * 4, token=token) == [404, 404, 404, 429]


def test_guests_are_counted_by_their_address_whoever_they_say_they_are(behind_proxy: Server) -> None:
    guests = [access_token(f"guest-{number}", "guest") for number in range(4)]
    answers = [statuses(behind_proxy, NOWHERE, "10.0.9.1", token=token) for token in guests]
    assert answers == [[404], [404], [404], [429]]
    assert statuses(behind_proxy, NOWHERE, "10.0.9.2", token=guests[0]) == [404]


def test_a_token_that_is_not_believed_counts_for_the_address(behind_proxy: Server) -> None:
    forged = access_token("zoe", by="guest_customer")  # who issues none of that type
    assert statuses(behind_proxy, NOWHERE, *["10.0.10.1"] * 4, token=forged) == [401, 401, 401, 429]
    assert statuses(behind_proxy, NOWHERE, "10.0.10.1") == [429]
    assert statuses(behind_proxy, NOWHERE, "10.0.10.1", token=access_token("zoe")) == [404]


def test_signing_in_counts_for_the_address_even_with_a_token(behind_proxy: Server) -> None:
    first, second = access_token("dan"), access_token("may")
    assert statuses(behind_proxy, "/api/auth/nowhere/", "10.0.11.1", token=first) != [429]
    assert statuses(behind_proxy, "/api/auth/nowhere/", "10.0.11.1", token=second) == [429]
    assert statuses(behind_proxy, "/api/auth/nowhere/", "10.0.11.2", token=first) != [429]


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[str]:
    program = redis_program()
    if program is None:
        pytest.skip("!!! NOT TESTED on Redis: there is none here")
    port = stores.free_port()
    command = [program, "--bind", "127.0.0.1", "--port", str(port), "--dir", str(tmp_path), "--save", ""]
    with stores.process(command, tmp_path / "log", port):
        yield f"redis://127.0.0.1:{port}/0"


def test_two_gateways_on_one_redis_count_a_customer_together(redis: str) -> None:
    """Where Redis takes too long to say, each counts for itself: so with another customer, until it has said."""
    limits = {"SHOP_RATE_LIMIT": "2/day", "SHOP_BEHIND_PROXY": "1", "REDIS_URL": redis}
    with gateway(**limits) as one, gateway(**limits) as other:
        addresses = (f"10.1.{number // 250}.{number % 250}" for number in itertools.count())

        def third_is_refused() -> bool:
            token = access_token(uuid.uuid4().hex)
            answers = [statuses(server, NOWHERE, next(addresses), token=token)[0] for server in (one, other, one)]
            assert answers[:2] == [404, 404]
            return answers[2] == 429

        wait_for(third_is_refused)
