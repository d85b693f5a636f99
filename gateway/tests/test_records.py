"""What the gateway counts and logs of the requests that have passed it."""

import json

import psutil
import pytest

from shopkit import records
from shopkit.entry import application
from shopkit.proxy import Proxy
from shopkit.testing import access_token
from shopkit.tests import wire
from shopkit.tests.wire import Server

ENV = {"SHOP_SERVICE": "gateway", "SHOP_LOG_LEVEL": "ERROR", "REDIS_URL": ""}


def slow() -> Proxy:
    """A gateway that would record what has passed in an hour."""
    records.EVERY_S = 3600
    return application()  # type: ignore[no-any-return]


def lines(output: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in output.splitlines() if '"proxied"' in line]


def ask(server: Server, path: str, *headers: str) -> wire.Response:
    return server.raw(wire.request(path, *headers, "Connection: close", host="localhost"))


def test_each_request_has_a_line_when_the_process_has_ended_without_what_is_secret(
    capfd: pytest.CaptureFixture[str],
) -> None:
    token = access_token("ada")
    with wire.gunicorn("gateway.tests.test_records:slow()", "ProxyWorker", env=ENV) as server:
        ids = [
            ask(server, f"/nowhere/{number}/%C3%B6?secret=1", f"Authorization: Bearer {token}").all("x-request-id")[0]
            for number in range(20)
        ]
        assert not lines(capfd.readouterr().out)
        ask(server, "/health/live")
    output = capfd.readouterr().out
    found = lines(output)
    assert [line["request_id"] for line in found] == ids
    assert [line["path"] for line in found] == [f"/nowhere/{number}/ö" for number in range(20)]
    assert {(line["service"], line["upstream"], line["status"], line["client"]) for line in found} == {
        ("gateway", "gateway", 404, "127.0.0.1")
    }
    assert "secret" not in output
    assert token not in output


def test_a_request_that_is_cut_off_at_the_end_has_a_line(capfd: pytest.CaptureFixture[str]) -> None:
    cart = wire.Upstream(0)
    env = {**ENV, "CART_SERVICE_URL": f"http://{cart.authority}"}
    app = "gateway.tests.test_records:slow()"
    with wire.gunicorn(app, "ProxyWorker", "--graceful-timeout", "1", env=env) as server:
        client = server.connect()
        client.send(wire.request("/api/carts/x/", "X-Request-ID: cut-off", host="localhost"))
        cart.accept().head()
        worker = psutil.Process(server.process.pid).children()[0]
        worker.terminate()  # alone, since its leader would not wait for it
        worker.wait(wire.PATIENCE)
    cart.close()
    assert [line["request_id"] for line in lines(capfd.readouterr().out)] == ["cut-off"]


def test_who_asks_for_metrics_finds_what_they_have_done_before() -> None:
    with wire.gunicorn("gateway.tests.test_records:slow()", "ProxyWorker", env=ENV) as server:
        for _ in range(3):
            ask(server, "/nowhere/")
        told = ask(server, "/metrics").body.decode()
    assert 'shop_upstream_seconds_count{status="404",upstream="gateway"} 3.0' in told
