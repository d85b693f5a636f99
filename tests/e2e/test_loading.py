"""The sample data, loaded into a fleet that runs: what it says, that twice is as good as once, and how it fails."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from shopkit.config import ROOT
from tests.fleet import Fleet, environment_of

PATHS = {
    "cart_service.cart": "carts",
    "order_service.order": "orders",
    "paying_service.payment": "payments",
    "shipping_service.shipment": "shipments",
    "registered_customer.customer": "registered-customer",
    "vip_customer.customer": "vip-customer",
}
LOADER = ["./load_initial_data.sh"]
BENEFITS = [sys.executable, "vip_customer/init_benefits.py"]


def run(command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)


def benefits(fleet: Fleet) -> int:
    return int(fleet.get("/api/vip-customer/benefits/").json()["count"])


def test_loading_again_says_what_is_there_and_doubles_nothing(fleet: Fleet) -> None:
    before = fleet.get("/api/items/").json()["count"]
    done = run(LOADER, fleet.environment)
    assert done.returncode == 0, done.stderr
    lines = re.findall(r"(\w+) +(\d+) added, +(\d+) there already \((\d+) of (\d+)\)", done.stdout)
    files = {path.stem for path in (ROOT / "fixtures").glob("*.json")}
    assert {name for name, *_ in lines} == files
    assert [int(number) for *_, number, _ in lines] == list(range(1, len(files) + 1))
    assert {added for _, added, *_ in lines} == {"0"}
    assert all(int(kept) > 0 for _, _, kept, *_ in lines)
    assert fleet.get("/api/items/").json()["count"] == before


@pytest.mark.parametrize("model", PATHS)
def test_what_is_loaded_is_there_as_a_whole(fleet: Fleet, model: str) -> None:
    service = model.partition(".")[0]
    rows = [row for row in json.loads((ROOT / "fixtures" / f"{service}.json").read_text()) if row["model"] == model]
    for row in rows:
        found = fleet.get(f"/api/{PATHS[model]}/{row['pk']}/", at=service, allow_redirects=False)
        assert found.status_code in (200, 307), found.text


def test_what_is_missing_is_added_and_what_was_changed_stays(fleet: Fleet) -> None:
    book, other = "/api/books/book_clean-code/", "/api/books/book_g0001/"
    kept, lost = fleet.get(book).json()["description"], fleet.get(other).json()
    fleet.call("PATCH", book, json={"description": "changed by hand"})
    assert fleet.call("DELETE", other).status_code == 204
    try:
        assert "1 added" in run([*LOADER, "book_service"], fleet.environment).stdout
        assert fleet.get(book).json()["description"] == "changed by hand"
        assert fleet.get(other).json()["name"] == lost["name"]
    finally:
        fleet.call("PATCH", book, json={"description": kept})


def test_benefits_are_set_up_once_however_often_it_is_asked(fleet: Fleet) -> None:
    before = benefits(fleet)
    one = fleet.get("/api/vip-customer/benefits/?tier=gold&kind=discount").json()["results"][0]
    assert fleet.call("DELETE", f"/api/vip-customer/benefits/{one['id']}/").status_code == 204
    first, second = run(BENEFITS, fleet.environment), run(BENEFITS, fleet.environment)
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert re.search(rf"\b1 added, +{before - 1} there already", first.stdout)
    assert re.search(rf"\b0 added, +{before} there already", second.stdout)
    assert benefits(fleet) == before


@pytest.mark.parametrize("command", [LOADER, BENEFITS], ids=["load_initial_data", "init_benefits"])
def test_without_a_fleet_it_names_the_service_and_what_to_do(tmp_path: Path, command: list[str]) -> None:
    done = run(command, environment_of(tmp_path / "data", 1800))
    assert done.returncode != 0
    assert re.fullmatch(r"\w+: \w+ is not ready at http://\S+; start the fleet with `make run`, .*\n", done.stderr)


def test_a_name_that_is_no_service_is_refused(fleet: Fleet) -> None:
    done = run([*LOADER, "nonsense"], fleet.environment)
    assert done.returncode != 0
    assert "there is no service nonsense" in done.stderr


def test_what_does_not_load_is_named_with_the_reason(fleet: Fleet) -> None:
    lost = {"CART_SERVICE_DATABASE_URL": "sqlite:////dev/null/none.sqlite3"}
    done = run([*LOADER, "cart_service"], fleet.environment | lost)
    assert done.returncode != 0
    assert re.fullmatch(r"load_initial_data: cart_service: .*/dev/null.*\n", done.stderr)
