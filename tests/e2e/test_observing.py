"""What those who run the fleet see of it: request ids, logs, metrics, health; and what nobody may see in a log."""

import re
import uuid

import pytest
from prometheus_client.parser import text_string_to_metric_families

from shopkit import topology
from tests.e2e import raw
from tests.fleet import Fleet, unheard
from tests.waiting import wait_for

at_each_port = pytest.mark.parametrize("name", topology.SERVICES)

# A path, and the services that a request for it passes on its way.
WAYS = {
    "/api/books/": ("gateway", "items_router", "book_service"),
    "/api/items/?type=clothes": ("gateway", "items_router", "clothes_service"),
    "/api/items/": ("gateway", "items_router"),
    "/api/customers/": ("gateway", "customer_router", "guest_customer"),
    "/api/vip-customer/": ("gateway", "customer_router", "vip_customer"),
    "/api/registered-customer/": ("gateway", "customer_router", "registered_customer"),
    "/api/carts/": ("gateway", "cart_service"),
    "/api/orders/": ("gateway", "order_service"),
    "/api/payments/": ("gateway", "paying_service"),
    "/api/shipments/": ("gateway", "shipping_service"),
}


# -- request ids


@pytest.mark.parametrize("path", WAYS)
def test_a_request_id_is_returned_and_logged_by_each_service_on_the_way(fleet: Fleet, path: str) -> None:
    request_id = f"e2e-{uuid.uuid4().hex}"
    answer = fleet.get(unheard(path), headers={"X-Request-ID": request_id})
    assert answer.headers["X-Request-ID"] == request_id
    for name in WAYS[path]:
        line = fleet.wait_logged(name, request_id=request_id)
        assert line["service"] == name
        assert line["method"] == "GET"
        assert line["path"].startswith("/api/")
        assert line["status"] == answer.status_code
        assert line["ms"] >= 0


@pytest.mark.parametrize("path", WAYS)
def test_one_is_made_where_none_came_and_is_the_same_on_the_whole_way(fleet: Fleet, path: str) -> None:
    ids = {fleet.get(unheard(path)).headers["X-Request-ID"] for _ in range(2)}
    assert len(ids) == 2
    for request_id in ids:
        assert re.fullmatch("[0-9a-f]{32}", request_id)
        for name in WAYS[path]:
            fleet.wait_logged(name, request_id=request_id)


@at_each_port
@pytest.mark.parametrize("odd", ["a b", "x" * 65, "<script>", "a;b", "é".encode().decode("latin-1")])
def test_an_id_that_is_not_sane_is_replaced(fleet: Fleet, name: str, odd: str) -> None:
    answer = fleet.get("/api/schema/", at=name, headers={"X-Request-ID": odd.encode("latin-1")})
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-ID"])


# -- metrics


def _metrics(fleet: Fleet, name: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    answer = fleet.get("/metrics", at=name)
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def _grown(fleet: Fleet, name: str, metric: str, **labels: str) -> float:
    """How much a counter is above what it was before; call it before and after what is to be counted."""
    return _metrics(fleet, name).get((metric, frozenset(labels.items())), 0.0)


@at_each_port
def test_metrics_count_each_request_by_route_and_status(fleet: Fleet, name: str) -> None:
    counted = [
        ("api/schema/", "200", "/api/schema/"),
        ("health/live", "200", "/health/live"),
        ("", "404", f"/nowhere/{uuid.uuid4()}"),
    ]
    for route, status, path in counted:
        labels = {"method": "GET", "route": route, "status": status}
        before = _grown(fleet, name, "shop_requests_total", **labels)
        fleet.get(path, at=name)
        wait_for(
            lambda labels=labels, before=before: (  # type: ignore[misc]
                _grown(fleet, name, "shop_requests_total", **labels) == before + 1
            )
        )


def test_metrics_count_what_went_through_by_upstream_and_status(fleet: Fleet) -> None:
    for name, upstream in (("gateway", "items_router"), ("items_router", "book_service")):
        before = _grown(fleet, name, "shop_upstream_seconds_count", upstream=upstream, status="200")
        fleet.get("/api/books/", at=name)
        after = _grown(fleet, name, "shop_upstream_seconds_count", upstream=upstream, status="200")
        assert after >= before + 1


# -- health


@at_each_port
def test_each_service_says_that_it_lives_and_is_ready(fleet: Fleet, name: str) -> None:
    live, ready = fleet.get("/health/live", at=name), fleet.get("/health/ready", at=name)
    assert (live.status_code, live.json()) == (200, {"status": "ok", "service": name})
    assert ready.status_code == 200, ready.text
    assert (ready.json()["status"], ready.json()["service"]) == ("ok", name)
    assert set(ready.json()["dependencies"].values()) <= {"ok"}


@pytest.mark.parametrize("name", [name for name, service in topology.SERVICES.items() if service.store])
def test_readiness_names_the_store(fleet: Fleet, name: str) -> None:
    store = "database" if topology.service(name).relational else "mongodb"
    assert fleet.get("/health/ready", at=name).json()["dependencies"][store] == "ok"


def test_the_gateway_is_ready_when_the_whole_fleet_is(fleet: Fleet) -> None:
    assert fleet.get("/health/ready").json()["dependencies"] == {
        name: "ok" for name in topology.SERVICES if name != "gateway"
    }


# -- what is nobody's business

SECRETS = {
    "Authorization": "Bearer {}",
    "Cookie": "sessionid={}",
    "X-Api-Key": "{}",
    "Idempotency-Key": "{}",
    "Proxy-Authorization": "Basic {}",
}
BODIES = (
    '{{"type": "book", "name": "{}", "password": "{}"}}',
    '{{"name": "{}",',
    '{{"email": "{}", "password": "{}", "payment": {{"token": "{}"}}}}',
)


def test_no_log_holds_a_secret_a_token_a_cookie_a_body_or_a_query(fleet: Fleet) -> None:
    mark = f"marker{uuid.uuid4().hex}"
    headers = {name: value.format(mark) for name, value in SECRETS.items()} | {"Content-Type": "application/json"}
    last = f"e2e-{uuid.uuid4().hex}"
    for name, service in topology.SERVICES.items():
        for path in service.paths or ("items", "customers", "carts", "orders", "payments", "shipments"):
            for body in BODIES:
                fleet.call("POST", f"/api/{path}/", at=name, headers=headers, data=body.replace("{}", mark))
                del headers["Authorization"]
                fleet.call("POST", f"/api/{path}/", at=name, headers=headers, data=body.replace("{}", mark))
                headers["Authorization"] = f"Bearer {mark}"
            fleet.get(f"/api/{path}/", at=name, headers=headers, params={"search": mark, "token": mark})
        for line in (f"GET /?token={mark}\x01 HTTP/1.1", f"{mark}", f"GET / HTTP/1.1\r\n{mark}", f"GET / {mark}"):
            raw.send(fleet.port(name), f"{line}\r\nHost: localhost\r\n\r\n".encode())
        fleet.get("/api/schema/", at=name, headers={"X-Request-ID": last})
    for name in topology.SERVICES:
        fleet.wait_logged(name, request_id=last)
    secrets = [mark, (fleet.data / "secret_key").read_text().strip()]
    secrets += [url for name, url in fleet.environment.items() if name.endswith("_DATABASE_URL")]
    for log in [fleet.output, *(fleet.data / "logs").iterdir()]:
        text = log.read_text(errors="replace")
        assert not [secret for secret in secrets if secret in text], log.name


@at_each_port
def test_a_service_logs_json_and_nothing_else(fleet: Fleet, name: str) -> None:
    lines = (fleet.data / "logs" / f"{name}.log").read_text().splitlines()
    assert lines
    parsed = fleet.log(name)
    assert len(parsed) == len(lines), [line for line in lines if not line.startswith("{")][:5]
    assert {line["service"] for line in parsed} == {name}
    assert all("timestamp" in line and "level" in line and "event" in line for line in parsed)
