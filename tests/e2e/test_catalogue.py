"""The combined catalogue on a real fleet: fresh to who writes, soon fresh to all, and there when services are not."""

import contextlib
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from pymongo import MongoClient

from shopkit import topology
from shopkit.config import ROOT
from shopkit.runner import state
from tests.e2e.conftest import started
from tests.fleet import Fleet, unheard
from tests.waiting import at_most, wait_for

TYPES = topology.by_item_type()
EXAMPLES: dict[str, dict[str, Any]] = {
    "book": {"author": "Ada Quill"},
    "laptop": {"brand": "Velmora", "cpu": "Intel Core i5-1335U", "ram_gb": 16, "storage_gb": 512, "screen_size": 14.0},
    "mobile": {"brand": "Velmora", "screen_size": 6.1, "storage_gb": 128},
    "clothes": {"brand": "Velmora", "size": "M", "color": "red"},
}
SERVICES = ("gateway", "items_router", *(service.name for service in TYPES.values()))
each_type = pytest.mark.parametrize("kind", list(TYPES))
# seconds until a change shows everywhere, a service is seen to hang, it is given up, anything is answered
SOON, NOTICED, HOPE, DEADLINE = 2.0, 4.0, 7.0, 10.0


@pytest.fixture(scope="module")
def shop() -> Iterator[Fleet]:
    often = {"SHOP_CATALOGUE_HEAL_SECONDS": "2"}
    with started("polyshop-catalogue-", offset=8200, environment=often, services=SERVICES) as fleet:
        for kind, service in TYPES.items():
            fleet.wait_ready(service.name)
            for number in range(3):
                make(fleet, kind, name=f"{kind} number {number}")
        wait_for(lambda: set(sources(fleet).values()) == {"live"})
        yield fleet


def make(fleet: Fleet, kind: str, *, at: str = "gateway", **values: Any) -> dict[str, Any]:
    body = {"type": kind, "name": "Thing", "price": "5.00", "stock": 3, **EXAMPLES[kind], **values}
    answer = fleet.call("POST", "/api/items/", at=at, json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def listed(fleet: Fleet, query: str) -> list[dict[str, Any]]:
    return list(fleet.get(f"/api/items/?{query}").json()["results"])


def sources(fleet: Fleet) -> dict[str, str]:
    return dict(fleet.get("/api/items/").json()["sources"])


def within(promised: float, condition: Callable[[], object]) -> None:
    wait_for(condition, seconds=at_most(promised))


@each_type
def test_who_writes_reads_it_back_at_once(shop: Fleet, kind: str) -> None:
    item = make(shop, kind, name=f"Fresh {kind}", tags=["own"])
    path = f"/api/items/{item['id']}/"
    assert listed(shop, f"search=fresh {kind}") == [item]
    changed = shop.call("PATCH", path, json={"name": f"Changed {kind}", "price": "7.00"}).json()
    assert listed(shop, "tag=own") == [changed]
    assert listed(shop, f"search=fresh {kind}&type={kind},{kind}") == []
    stock = shop.call("POST", f"{path}stock/", json={"change": -3, "reason": "sold"}).json()
    assert listed(shop, "tag=own&in_stock=false") == [stock]
    assert shop.call("DELETE", path).status_code == 204
    assert listed(shop, "tag=own") == []


@each_type
def test_what_is_written_at_the_service_itself_shows_soon(shop: Fleet, kind: str) -> None:
    service = TYPES[kind].name
    item = make(shop, kind, at=service, tags=[f"aside-{kind}"])
    within(SOON, lambda: listed(shop, f"tag=aside-{kind}") == [item])
    changed = shop.call("PATCH", f"/api/items/{item['id']}/", at=service, json={"name": "Other"}).json()
    within(SOON, lambda: listed(shop, f"tag=aside-{kind}") == [changed])
    shop.call("DELETE", f"/api/items/{item['id']}/", at=service)
    within(SOON, lambda: not listed(shop, f"tag=aside-{kind}"))


def test_what_was_never_told_is_found_by_asking(shop: Fleet) -> None:
    item = make(shop, "book", tags=["lost"])
    with documents(shop, "book_service") as items:
        at = items.find_one({"_id": item["id"]})["updated_at"]
        items.update_one(
            {"_id": item["id"]}, {"$set": {"name": "Found", "version": 2, "updated_at": at, "untold": False}}
        )
    wait_for(lambda: [each["name"] for each in listed(shop, "tag=lost")] == ["Found"])


@contextlib.contextmanager
def documents(fleet: Fleet, service: str) -> Iterator[Any]:
    given = environment(fleet)
    with MongoClient(given["MONGO_URL"]) as client:  # type: ignore[var-annotated]
        yield client[given.get(f"{service.upper()}_MONGO_DATABASE", service)]["items"]


def environment(fleet: Fleet) -> dict[str, str]:
    """That of its services."""
    running = state.read(fleet.data)
    assert running
    return {**os.environ, **fleet.environment, **running.environment}


def stopped(fleet: Fleet, service: str) -> contextlib.AbstractContextManager[None]:
    return fleet.hanging(service)


@contextlib.contextmanager
def killed_again_and_again(fleet: Fleet, service: str) -> Iterator[None]:
    """Each time the runner has started it anew, for as long as the block lasts."""
    going_on = True

    def kill() -> None:
        while going_on:
            with contextlib.suppress(OSError, KeyError):
                os.killpg(fleet.pid(service), signal.SIGKILL)
            time.sleep(0.05)

    with ThreadPoolExecutor(1) as pool:
        killing = pool.submit(kill)
        try:
            yield
        finally:
            going_on = False
    killing.result()


def assert_refused_at_once(fleet: Fleet, kind: str, item: str) -> None:
    """All that only the service could answer is, sooner or later, refused without waiting for it."""

    def refused(method: str, path: str) -> bool:
        with contextlib.suppress(requests.Timeout):
            answer = fleet.call(method, path, json={"name": "Lost"}, timeout=at_most(1))
            return answer.status_code == 503 and int(answer.headers["Retry-After"]) >= 1
        return False

    for method, path in (("GET", f"/api/{TYPES[kind].paths[0]}/"), ("PATCH", item), ("GET", f"{item}stock/log/")):
        within(HOPE, lambda method=method, path=path: refused(method, path))  # type: ignore[misc]


@pytest.mark.parametrize("harm", [stopped, killed_again_and_again], ids=["hanging", "killed"])
@each_type
def test_a_service_that_is_away_is_answered_for(shop: Fleet, kind: str, harm: Any) -> None:
    service = TYPES[kind].name
    tag = f"kept-{uuid.uuid4().hex}"
    item = make(shop, kind, tags=[tag])
    gone = make(shop, kind)
    shop.call("DELETE", f"/api/items/{gone['id']}/")
    path = f"/api/items/{item['id']}/"
    with harm(shop, service):
        within(NOTICED, lambda: sources(shop)[kind] == "snapshot")
        began = time.monotonic()
        others = {other: "live" for other in TYPES if other != kind}
        answer = shop.get(f"/api/items/?tag={tag}")
        assert (answer.status_code, answer.json()["results"]) == (200, [item])
        assert answer.json()["sources"] == {**others, kind: "snapshot"}
        strict = shop.get("/api/items/?strict=true")
        assert (strict.status_code, int(strict.headers["Retry-After"]) >= 1) == (503, True)
        one = shop.get(f"/api/{TYPES[kind].paths[0]}/{item['id']}/")
        assert (one.status_code, one.json()) == (200, {**item, "source": "snapshot"})
        assert one.headers["X-Source"] == "snapshot"
        assert shop.get(f"/api/items/{gone['id']}/").status_code == 404
        assert time.monotonic() - began < at_most(DEADLINE / 4)
        if harm is killed_again_and_again:
            assert_refused_at_once(shop, kind, path)
    wait_for(lambda: sources(shop)[kind] == "live")
    wait_for(lambda: shop.call("PATCH", path, json={"tags": []}).status_code == 200)
    assert listed(shop, f"tag={tag}") == []


def test_who_hangs_is_waited_for_in_time_and_then_no_more(shop: Fleet) -> None:
    item = make(shop, "clothes")
    with shop.hanging("clothes_service"):
        began = time.monotonic()
        answer = shop.call("POST", "/api/clothes/", json={"name": "x", "price": "1.00", **EXAMPLES["clothes"]})
        assert answer.status_code in (503, 504)
        assert time.monotonic() - began < at_most(DEADLINE)
        assert_refused_at_once(shop, "clothes", f"/api/items/{item['id']}/")
    wait_for(lambda: sources(shop)["clothes"] == "live")


def test_lists_stay_right_while_services_come_and_go(shop: Fleet) -> None:
    before = listed(shop, "page_size=100&ordering=created_at")

    def read(_number: int) -> bool:
        return listed(shop, "page_size=100&ordering=created_at") == before

    with ThreadPoolExecutor(4) as pool:
        reading = [pool.submit(read, number) for number in range(200)]
        for service in (TYPES["book"].name, TYPES["mobile"].name):
            os.killpg(shop.pid(service), signal.SIGKILL)
        assert all(each.result() for each in reading)
    for kind in ("book", "mobile"):
        wait_for(lambda kind=kind: sources(shop)[kind] == "live")  # type: ignore[misc]


def test_the_router_comes_back_with_its_catalogue(shop: Fleet) -> None:
    before = shop.get(unheard("/api/items/")).json()["count"]
    os.killpg(shop.pid("items_router"), signal.SIGKILL)
    item = make(shop, "laptop", at="laptop_service", tags=["meanwhile"])
    shop.wait_ready("items_router")
    wait_for(lambda: listed(shop, "tag=meanwhile") == [item])
    assert shop.get(unheard("/api/items/")).json()["count"] == before + 1


def test_the_catalogue_is_made_anew_by_a_command_while_it_is_read(shop: Fleet) -> None:
    before = shop.get(unheard("/api/items/?page_size=100")).json()["results"]
    command = [sys.executable, "manage.py", "items_router", "rebuild_catalogue"]
    done = subprocess.run(command, cwd=ROOT, env=environment(shop), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert all(any(line.startswith(kind) for line in done.stdout.splitlines()) for kind in TYPES)
    assert shop.get(unheard("/api/items/?page_size=100")).json()["results"] == before


def test_the_metrics_say_how_fresh_it_is(shop: Fleet) -> None:
    def measured() -> bool:
        text = shop.get("/metrics", at="items_router").text
        names = ("shop_catalogue_items", "shop_catalogue_live", "shop_catalogue_seconds_since_contact")
        return all(f'{name}{{type="{kind}"}}' in text for name in names for kind in TYPES)

    wait_for(measured)
