"""Requests generated from each service's own schema, valid and not: whatever comes, never a 5xx.

`SCHEMATHESIS_SEED` chooses others than those that are always tried.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from shopkit import topology
from shopkit.config import ROOT
from shopkit.topology import Store
from tests.e2e.conftest import ON_SERVERS
from tests.e2e.objects import PICTURE
from tests.fleet import Fleet

SEED = os.environ.get("SCHEMATHESIS_SEED", "20260131")
EXAMPLES = 9  # for each operation, beside those that cover its schema systematically
TAIL = 4000  # characters of a failed run
# Where Hypothesis keeps its tables of Unicode, which take it a second; examples, which would differ, it keeps nowhere.
KEEPING = {**os.environ, "HYPOTHESIS_STORAGE_DIRECTORY": str(ROOT / ".hypothesis")}


def _differs_here(service: topology.Service) -> bool:
    """Whether it has not been tried just so on the embedded stores. What the gateway describes is the others'."""
    elsewhere = {Store.POSTGRES, Store.MYSQL} | ({Store.MONGO} if os.environ.get("MONGO_URL") else set())
    return service.name != "gateway" and (not ON_SERVERS or service.store in elsewhere)


DESCRIBED = [name for name, service in topology.SERVICES.items() if _differs_here(service)]

Runs = dict[str, Future[subprocess.CompletedProcess[str]]]


@pytest.fixture(scope="module")
def runs(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    """All runs, two at a time; the gateway's last, over all services."""
    with ThreadPoolExecutor(2) as pool:
        configs = {name: _with(_known_ids(fleet, topology.service(name))) for name in DESCRIBED} | {"gateway": ""}
        yield {
            name: pool.submit(_run, name, fleet.url(name), tmp_path_factory.mktemp(name), config)
            for name, config in configs.items()
        }


@pytest.mark.parametrize("name", [*DESCRIBED, "gateway"])
def test_nothing_that_a_schema_allows_or_forbids_makes_a_service_fail(runs: Runs, name: str) -> None:
    done = runs[name].result()
    print(" ".join(done.args))
    assert done.returncode == 0, f"seed {SEED}\n{(done.stdout + done.stderr)[-TAIL:]}"
    assert re.search(r"^  [1-9][0-9]* generated, ", done.stdout, re.MULTILINE)


def _with(known: dict[str, str]) -> str:
    """A configuration that asks for what is there, but deletes only what is generated, so that it stays there."""
    lines = [f'"path.{name}" = {json.dumps(id_)}' for name, id_ in known.items()]
    return "\n".join(['[[operations]]\nexclude-method = "DELETE"\n\n[operations.parameters]', *lines, ""])


def _run(name: str, url: str, folder: Path, config: str) -> subprocess.CompletedProcess[str]:
    """Schemathesis, from its command line, in one thread (CPython 3.11's parser, which it uses, fails in several)."""
    (folder / "schemathesis.toml").write_text(config)
    phases, examples = ("fuzzing", EXAMPLES // 3) if name == "gateway" else ("examples,coverage,fuzzing", EXAMPLES)
    command = [str(Path(sys.executable).with_name("st")), "--config-file", "schemathesis.toml"]
    command += ["run", f"{url}/api/schema/", "--checks", "not_a_server_error", "--phases", phases]
    command += ["--seed", SEED, "--max-examples", str(examples), "--workers", "1", "--request-timeout", "15"]
    command += ["--generation-with-security-parameters", "false", "--generation-database", "none"]
    command += ["--no-color", "--warnings", "off"]
    return subprocess.run(command, cwd=folder, env=KEEPING, capture_output=True, text=True, timeout=300, check=False)


def _known_ids(fleet: Fleet, service: topology.Service) -> dict[str, str]:
    """For each parameter in the service's paths, the id of something that is there."""
    if service.name == "customer_router":  # whose own calls move customers
        registered = topology.by_customer_type()["registered"]
        return {"customer_id": _known_ids(fleet, registered)["customer_id"]}
    path = f"/api/{service.paths[-1 if service.name == 'items_router' else 0]}/"
    if service.name == "cart_service":
        return _cart(fleet, path)
    record: dict[str, Any] = fleet.get(path, at=service.name).json()["results"][0]
    id_ = str(record["id"])
    if service.item_type:
        return {"item_id": id_, "image_name": _image(fleet, f"{path}{id_}/images/")}
    if service.customer_type:
        return {"customer_id": id_, **_address(fleet, service, f"{path}{id_}/addresses/")}
    own = {"order_service": "order_id", "paying_service": "payment_id", "shipping_service": "shipment_id"}
    known = {own.get(service.name, "slug"): id_}
    return known | {name: str(record[name]) for name in ("order_id", "tracking_number") if record.get(name)}


def _cart(fleet: Fleet, path: str) -> dict[str, str]:
    """A new cart with one line."""
    item = fleet.get("/api/items/?in_stock=true&min_price=1&page_size=1").json()["results"][0]["id"]
    cart = fleet.call("POST", path, json={}).json()
    fleet.call("POST", f"{path}{cart['id']}/items/", json={"item_id": item, "quantity": 1})
    return {"cart_id": cart["id"], "line_id": fleet.get(f"{path}{cart['id']}/").json()["items"][0]["id"]}


def _image(fleet: Fleet, path: str) -> str:
    made = fleet.call("POST", path, json={"image": PICTURE})
    assert made.status_code == 201, made.text
    return str(made.json()["name"])


def _address(fleet: Fleet, service: topology.Service, path: str) -> dict[str, str]:
    if service.customer_type == "guest":
        return {}
    address = {"name": "A", "line1": "1 Road", "city": "Oslo", "postal_code": "0150", "country": "NO"}
    made = fleet.call("POST", path, at=service.name, json=address)
    assert made.status_code == 201, made.text
    return {"address_id": str(made.json()["id"])}
