"""What the runner prints once all is ready: where each service is, and three calls that do as they are."""

import json
import re
import subprocess
from decimal import Decimal
from typing import Any

from shopkit import topology
from tests.fleet import Fleet


def _tried(fleet: Fleet, call: int) -> Any:
    """What the first, second or third call answers, run as it is printed."""
    calls = re.findall(r"^  (curl .*)$", fleet.output.read_text(), re.MULTILINE)
    assert len(calls) == 3
    done = subprocess.run(["bash", "-c", calls[call]], capture_output=True, text=True, timeout=30, check=True)
    return json.loads(done.stdout)


def test_each_service_has_a_row_with_its_address_and_its_paths(fleet: Fleet) -> None:
    rows = re.findall(r"^  (\w+) +http://localhost:(\d+) +(.*)$", fleet.output.read_text(), re.MULTILINE)
    paths = {name: [f"/api/{path}/" for path in service.paths] for name, service in topology.SERVICES.items()}
    paths["gateway"] = ["everything,", "and", "/docs/"]
    assert {name: (int(port), shown.split()) for name, port, shown in rows} == {
        name: (fleet.port(name), paths[name]) for name in topology.SERVICES
    }
    assert len(rows) == len(topology.SERVICES)


def test_the_first_call_lists_items_by_price(fleet: Fleet) -> None:
    found = _tried(fleet, 0)["results"]
    prices = [Decimal(item["price"]) for item in found if item["price"] is not None]
    assert len(found) == 10
    assert prices == sorted(prices)


def test_the_second_finds_an_authors_books(fleet: Fleet) -> None:
    found = _tried(fleet, 1)["results"]
    assert found
    assert all(item["type"] == "book" and "martin" in item["author"].lower() for item in found)


def test_the_third_is_a_vips_own_record(fleet: Fleet) -> None:
    assert [(each["id"], each["customer_type"]) for each in _tried(fleet, 2)["results"]] == [("456", "vip")]
