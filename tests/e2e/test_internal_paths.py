"""What services tell each other, nobody else can: not at a service's port, not through a door in front of it."""

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from shopkit import topology
from tests.e2e import raw
from tests.e2e.objects import Cast
from tests.e2e.routes import Route, all_routes, peers_of, strangers_to

DOORS = ("gateway", "customer_router", "items_router")
PAGES = {"/api/payments/test/", "/api/payments/{payment_id}/pay/"}  # for people, not for programs
UNDESCRIBED = ("/health/", "/metrics", "/api/schema/", "/docs/", "/internal/")


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> list[Route]:
    """Of all services."""
    return all_routes(tmp_path_factory.mktemp("routes"))


@pytest.fixture(scope="module")
def internal(routes: list[Route]) -> list[Route]:
    found = [route for route in routes if route.internal]
    assert {route.service for route in found} >= {"cart_service", "customer_router", "registered_customer"}
    return found


def test_every_route_is_described_or_internal(cast: Cast, routes: list[Route]) -> None:
    """So that what is tried of each operation is tried of each route."""
    described = {
        (each.service, each.method, each.path)
        for name in topology.SERVICES
        if topology.service(name).paths
        for operation in cast.operations(name)
        for each in (operation, *operation.aliases)
    }
    others = {(route.service, route.method, route.path) for route in routes if len(route.path) > 1} - described
    assert not [route for route in others if not route[2].startswith(UNDESCRIBED) and route[2] not in PAGES]


def test_in_open_access_too_only_a_service_is_a_service(internal: list[Route]) -> None:
    wrong = [
        f"{route} let in {who}: {status}"
        for route in internal
        for who, status in route.open_access.items()
        if status not in (401, 403)
    ]
    assert all(len(route.open_access) > 5 for route in internal)
    assert not wrong, "\n".join(wrong)


def callers(cast: Cast, service: str) -> dict[str, dict[str, str]]:
    """Who has no business there, with what they say of themselves."""
    peer, mint = peers_of(service)[0], cast.mint
    behalf = {"sub": "ada", "type": "registered", "act": {"sub": peer}}
    tokens = {
        **{kind: cast.somebody(kind).session["access"] for kind in topology.by_customer_type()},
        "staff": cast.boss.session["access"],
        **{stranger: mint.service(service, by=stranger) for stranger in strangers_to(service)},
        "a peer for a customer": mint.service(service, by=peer, **{**behalf, "role": "customer"}),
        "a peer for staff": mint.service(service, by=peer, **{**behalf, "role": "staff"}),
        "a peer that means another": mint.service(strangers_to(peer)[0], by=peer),
    }
    return {
        "nobody": {},
        "a peer by header": {"X-Service": peer, "X-User-Role": "service"},
        **{name: {"Authorization": f"Bearer {token}"} for name, token in tokens.items()},
    }


def test_a_service_lets_nobody_in_but_its_peers(cast: Cast, internal: list[Route]) -> None:
    def tried(route: Route) -> Iterator[str]:
        for who, headers in callers(cast, route.service).items():
            answer = cast.fleet.call(route.method, route.filled, at=route.service, headers=headers)
            if answer.status_code not in (401, 403):
                yield f"{route} let in {who}: {answer.status_code}"

    wrong = [line for route in internal for line in tried(route)]
    assert not wrong, "\n".join(wrong)


def test_a_peer_comes_in(cast: Cast, internal: list[Route]) -> None:
    """Or the other tests would show nothing."""
    for route in internal:
        codes = []
        for peer in peers_of(route.service):
            headers = {"Authorization": f"Bearer {cast.mint.service(route.service, by=peer)}"}
            codes.append(cast.fleet.call(route.method, route.filled, at=route.service, headers=headers).status_code)
        assert set(codes) - {401, 403, 405}, (str(route), codes)


def tricks(route: Route) -> list[str]:
    """Targets that somebody may take for the internal path."""
    rest, own = route.filled[1:], topology.service(route.service).paths[0]
    return [
        f"/{rest}",
        f"//{rest}",
        f"/./{rest}",
        f"/%69{rest[1:]}",
        f"/I{rest[1:]}",
        f"/api/{rest}",
        f"/api/v1/{rest}",
        f"/api/../{rest}",
        f"/api/%2e%2e/{rest}",
        f"/api/v1/../../{rest}",
        f"/api/{own}/{rest}",
        f"/api/{own}/../../{rest}",
        f"/api/{own}/%2e%2e/%2E%2E/{rest}",
        f"/api/{own}/..%2f..%2f{rest}",
        f"/api/{own}/..;/..;/{rest}",
        f"/api/{own}/..\\..\\{rest}",
        f"/api/{own}%00/../../{rest}",
        f"http://localhost/{rest}",
        f"/{route.service}/{rest}",
    ]


def test_nothing_internal_is_behind_a_door(cast: Cast, internal: list[Route]) -> None:
    """Nor does the service behind hear of it, whatever a token would allow there."""
    door_of: dict[str, str] = {}

    def tried(door: str, route: Route) -> Iterator[str]:
        peer = cast.mint.service(route.service, by=peers_of(route.service)[0])
        # a router has internal paths of its own, at which it refuses
        refusals = (400, 401, 404) if door == "gateway" else (400, 401, 403, 404)
        staff = cast.boss.session["access"]
        for target, token in [(route.filled, peer), *((target, staff) for target in tricks(route))]:
            door_of[id_ := uuid.uuid4().hex] = door
            headers = {"Authorization": f"Bearer {token}", "X-Request-ID": id_}
            answer = raw.request(cast.fleet.port(door), route.method, target, headers=headers)
            if answer.status not in refusals:
                yield f"{door}: {route.method} {target}: {answer.status}"

    cases = [(door, route) for door in DOORS for route in internal if door != route.service]
    with ThreadPoolExecutor(4) as pool:
        wrong = [line for found in pool.map(lambda case: list(tried(*case)), cases) for line in found]
    assert not wrong, "\n".join(wrong)
    assert not [line for name in topology.SERVICES for line in heard(cast, name, door_of)]


def heard(cast: Cast, name: str, door_of: dict[str, str]) -> list[object]:
    """What a service logged of these requests, other than as the door that was knocked at, under an internal path."""
    lines = [line for line in cast.fleet.log(name) if door_of.get(str(line.get("request_id")), name) != name]
    return [line for line in lines if str(line.get("path", "/internal/")).startswith("/internal")]
