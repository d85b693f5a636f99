"""Nobody becomes anybody: by a header, however it is written, or by a token that no service of ours made for this one.

As raw bytes, since client libraries tidy up what they send; at the gateway and at each service's own port.
"""

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from shopkit import topology
from shopkit.auth import IDENTITY_HEADERS
from tests.e2e import raw
from tests.e2e.objects import Cast, Owner
from tests.forging import FORGERIES, HELD_BY

Lines = list[tuple[str, str]]


@dataclass(frozen=True)
class Guarded:
    """An operation that lets in nobody whom it does not know, and where to ask for it."""

    port: int
    method: str
    path: str

    def ask(self, lines: Lines, *, chunks: bytes = b"") -> raw.Answer:
        """With these header lines, as they stand; `chunks` is a chunked body with its trailer."""
        size = "Transfer-Encoding: chunked" if chunks else "Content-Length: 0"
        head = [f"{self.method} {self.path} HTTP/1.1", f"Host: localhost:{self.port}", size]
        if not any(name.lower() == "connection" for name, _ in lines):
            head.append("Connection: close")
        head += [f"{name}: {value}" for name, value in lines]
        return raw.send(self.port, "\r\n".join([*head, "", ""]).encode("latin-1") + chunks)


@pytest.fixture(scope="module")
def victim(cast: Cast) -> Owner:
    return cast.owner("registered")


@pytest.fixture(scope="module")
def guarded(cast: Cast, victim: Owner) -> list[Guarded]:
    """What each service guards first, at its own port and, all of it, at the gateway."""
    found = []
    for service in topology.SERVICES.values():
        if not service.paths:
            continue
        operations = [each for each in cast.operations(service.name) if each.access != "public"]
        first = min(operations, key=lambda each: (each.access != "known", each.method != "GET", not each.parameters))
        path = victim.path(first)
        found += [Guarded(cast.fleet.port(at), first.method, path) for at in (service.name, "gateway")]
    assert len({each.port for each in found}) == len(topology.SERVICES)
    return found


def assert_stays_nobody(answer: raw.Answer, about: object) -> None:
    assert answer.status in (400, 401), (about, answer.status, answer.body[:300])
    raw.assert_error_form(answer)


def spellings(name: str) -> list[str]:
    title = "-".join(part.title() for part in name.split("-"))
    return [name, title, name.upper(), title.replace("-", "_"), title.replace("-", "."), title.replace("-", "_", 1)]


def claims_to_be(victim: str) -> list[Lines]:
    """Headers that say: I am that customer, or staff, or a service."""
    value_of = dict.fromkeys(IDENTITY_HEADERS, "true") | {"x-user-id": victim, "x-service": "gateway"}
    value_of |= {"x-user-role": "staff", "x-user-type": "vip", "x-user-email": "grace@staff.example"}
    single = [[(spelled, value)] for name, value in value_of.items() for spelled in spellings(name)]
    several = [
        list(value_of.items()),
        [("X-User-ID", victim), ("x-user-id", "another")],
        [("X-User-ID", "another"), ("X_User_ID", victim)],
        [("X-Customer-Type", "vip")],
        [("X-User-ID", victim), ("X-User-Role", "staff"), ("X-Customer-Type", "registered")],
        [("X-User-ID ", victim)],
        [(" X-User-ID", victim)],
        [("X-Junk", "1\r\n X-User-ID: " + victim)],
        [("X-User-ID", f"  {victim}  ")],
        [("Connection", "close, X-Nothing"), ("X-User-ID", victim)],
        [("Connection", "close, X-User-ID"), ("X-User-ID", victim), ("X-User-Role", "staff")],
        [("X-Forwarded-User", victim), ("Remote-User", victim), ("X-Remote-User", victim)],
        [("X-HTTP-Method-Override", "GET"), ("X-Original-URL", "/health/live"), ("X-User-Role", "staff")],
        [("Cookie", f"sessionid={victim}; user_id={victim}; role=staff")],
    ]
    return [*single, *several]


def test_no_header_makes_anybody_of_nobody(guarded: list[Guarded], victim: Owner) -> None:
    for each in guarded:
        for lines in claims_to_be(victim.person.id):
            assert_stays_nobody(each.ask(lines), (each, lines))


def test_no_trailer_makes_anybody_of_nobody(guarded: list[Guarded], victim: Owner) -> None:
    trailer = f"0\r\nX-User-ID: {victim.person.id}\r\nX-User-Role: staff\r\n\r\n".encode()
    for each in guarded:
        lines = [("Trailer", "X-User-ID, X-User-Role"), ("Content-Type", "application/json")]
        assert_stays_nobody(each.ask(lines, chunks=b"2\r\n{}\r\n" + trailer), each)


@pytest.mark.parametrize("at", ["gateway", "customer_router", HELD_BY])
def test_no_header_makes_a_customer_another(cast: Cast, victim: Owner, at: str) -> None:
    """Nor one of the staff: a list has themselves only."""
    me = cast.another("registered")
    for lines in claims_to_be(victim.person.id):
        path = Guarded(cast.fleet.port(at), "GET", "/api/customers/")
        answer = path.ask([("Authorization", me.bearer["Authorization"]), *lines])
        assert answer.status in (200, 400, 403), (lines, answer.body)
        assert answer.status != 200 or [each["id"] for each in answer.json()["results"]] == [me.id], lines


def test_a_type_that_the_token_denies_is_forbidden_at_every_port(cast: Cast, guarded: list[Guarded]) -> None:
    me = cast.another("registered").bearer["Authorization"]
    for each in guarded:
        for name, kind in (("X-Customer-Type", "vip"), ("x-customer-type", "GUEST"), ("X-CUSTOMER-TYPE", " vip ")):
            answer = each.ask([("Authorization", me), (name, kind)])
            raw.assert_refused(answer, 403)
            assert answer.json()["code"] == "wrong_customer_type"


def test_a_token_of_ours_comes_in(cast: Cast, guarded: list[Guarded], victim: Owner) -> None:
    """Or the refusals would show nothing."""
    for token in (cast.mint.access(sub=victim.person.id), cast.mint.access(sub=victim.person.id, by=HELD_BY)):
        for each in guarded:
            assert each.ask([("Authorization", f"Bearer {token}")]).status != 401, each


@pytest.fixture
def listener() -> Iterator[tuple[str, list[object]]]:
    """An address, and who called there."""
    calls: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            while True:
                try:
                    client, address = server.accept()
                except OSError:
                    return
                calls.append(address)
                client.close()

        threading.Thread(target=answer, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/jwks.json", calls
        server.shutdown(socket.SHUT_RDWR)


def test_a_forged_token_is_refused_at_every_port(
    cast: Cast, guarded: list[Guarded], victim: Owner, listener: tuple[str, list[object]]
) -> None:
    url, calls = listener
    forged = {name: forge(cast.mint, victim.person.id, url) for name, forge in FORGERIES.items()}
    for each in guarded:
        for name, token in forged.items():
            answer = each.ask([("Authorization", f"Bearer {token}")])
            assert answer.status == 401, (name, each, answer.status, answer.body)
            raw.assert_error_form(answer)
    assert calls == []


def test_a_services_token_counts_at_the_service_called_alone(cast: Cast, guarded: list[Guarded], victim: Owner) -> None:
    name_of = {cast.fleet.port(name): name for name in topology.SERVICES}
    behalf = {"sub": victim.person.id, "type": "registered", "role": "staff"}
    for each in guarded:
        here = name_of[each.port]
        for caller in topology.SERVICES.values():
            there = next((peer for peer in caller.may_call if peer != here), None)
            wrong = [cast.mint.service(there, by=caller.name, **behalf, act={"sub": caller.name})] if there else []
            if here not in caller.may_call:
                wrong += [cast.mint.service(here, by=caller.name)]
                wrong += [cast.mint.service(here, by=caller.name, **behalf, act={"sub": caller.name})]
            for token in wrong:
                raw.assert_refused(each.ask([("Authorization", f"Bearer {token}")]), 401)


def test_a_header_that_is_not_one_token_is_refused(cast: Cast, guarded: list[Guarded], victim: Owner) -> None:
    good = cast.mint.access(sub=victim.person.id)
    bad = ("", "Bearer", "Bearer ", f"Bearer {good} x", f"Bearer {good}, Bearer {good}", f"Bearer {good}.x", good)
    values = (*bad, f"Basic {good}", f"Token {good}", f"Bearer Bearer {good}", f"Bearer {good}=", f'Bearer "{good}"')
    for each in guarded:
        for value in values:
            assert_stays_nobody(each.ask([("Authorization", value)]), (each, value))
        twice = [("Authorization", f"Bearer {good}"), ("authorization", f"Bearer {cast.boss.session['access']}")]
        assert_stays_nobody(each.ask(twice), each)
        assert_stays_nobody(each.ask([("Connection", "close, Authorization"), ("X-User-ID", victim.person.id)]), each)
        raw.assert_refused(each.ask([("Authorization", f"Bearer {good}{'x' * 10_000}")]), 401, 431)
        assert_stays_nobody(each.ask([("Proxy-Authorization", f"Bearer {good}")]), each)
