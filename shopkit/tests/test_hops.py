"""Whom a service takes for the client, behind the gateway, behind a router too, and with or without a proxy before."""

import asyncio

import pytest
from django.test import RequestFactory

from shopkit.client_address import client_address
from shopkit.client_request import ClientRequest
from shopkit.hygiene import Headers
from shopkit.proxy import Proxy, Request
from shopkit.tests.client import made_request

GATEWAY, ROUTER = "172.18.0.3", "172.18.0.4"
CLIENT, NEIGHBOUR, FORGED = "198.51.100.7", "10.1.2.3", "8.8.1.1"
PUBLIC_PROXY, PRIVATE_PROXY = "203.0.113.9", "10.0.0.1"


def passed_on(said: str, *, peer: str, **settings: bool) -> str:
    """The X-Forwarded-For that a hop with these settings writes, called by `peer` with that one."""
    seen: list[str] = []

    async def next_hop(_request: Request, headers: Headers, _body: bytes) -> tuple[int, Headers, bytes]:
        seen.append(dict(headers)[b"x-forwarded-for"].decode())
        return 204, [], b""

    async def called() -> None:
        hop = Proxy(pick=lambda _request: None, upstreams={}, fallback=next_hop, **settings)
        answered = asyncio.Event()
        hop(client_request(said, peer), answered.set)
        await answered.wait()

    asyncio.run(called())
    return seen[0]


def client_request(said: str, peer: str) -> ClientRequest:
    forwarded = [(b"x-forwarded-for", said.encode())] if said else []
    return made_request(headers=[(b"host", b"shop.test"), *forwarded], peer=peer)


def taken_for(said: str, *, peer: str, behind_proxy: bool) -> tuple[str, str]:
    """The client, to a service behind the gateway that `peer` calls, and to one behind a router too."""
    chain = passed_on(said, peer=peer, behind_proxy=behind_proxy, trust_forwarded=behind_proxy)
    longer = passed_on(chain, peer=GATEWAY, trust_forwarded=True)
    return _client(chain, GATEWAY), _client(longer, ROUTER)


def _client(chain: str, peer: str) -> str:
    return client_address(RequestFactory().get("/", REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR=chain))


@pytest.mark.parametrize("proxy", [PUBLIC_PROXY, PRIVATE_PROXY])
@pytest.mark.parametrize("client", [CLIENT, NEIGHBOUR])
@pytest.mark.parametrize("forged", ["", FORGED, f"{FORGED}, {CLIENT}1", NEIGHBOUR + "1", "nonsense"])
def test_behind_a_proxy_the_client_is_the_address_that_the_proxy_added(proxy: str, client: str, forged: str) -> None:
    said = f"{forged}, {client}" if forged else client
    assert taken_for(said, peer=proxy, behind_proxy=True) == (client, client)


def test_a_proxy_that_says_nothing_of_use_is_the_client_itself() -> None:
    for said in ("", "unknown", f"{CLIENT}, nonsense"):
        assert taken_for(said, peer=PUBLIC_PROXY, behind_proxy=True) == (PUBLIC_PROXY, PUBLIC_PROXY)


@pytest.mark.parametrize("client", ["127.0.0.1", "::1", NEIGHBOUR, CLIENT])
def test_without_a_proxy_it_is_who_calls_the_gateway_whatever_they_say(client: str) -> None:
    counted = {"::1": "::/64"}.get(client, client)
    for said in ("", FORGED, f"{FORGED}, {NEIGHBOUR}1"):
        assert taken_for(said, peer=client, behind_proxy=False) == (counted, counted)
