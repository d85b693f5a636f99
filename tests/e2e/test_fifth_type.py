"""A new item type is one folder that declares its fields, and one line of the topology."""

import shutil
from collections.abc import Iterator

import pytest
import requests

from shopkit.config import ROOT
from tests.fleet import Fleet, running
from tests.waiting import wait_for

LEFT_OUT = (".git", ".venv", "data", ".data", "*.pyc", "__pycache__", ".*_cache", ".hypothesis", "tests", "bench")

TOPOLOGY_LINE = '    item("toy_service", 8014, "toys", "toy"),\n'
FOLDER = {
    "__init__.py": '"""Toys: their fields and filters, declared on the items kernel."""\n',
    "settings.py": ('from shopkit.settings import settings_for\n\nglobals().update(settings_for("toy_service"))\n'),
    "urls.py": (
        "from shopkit.items.urls import item_urls\n"
        "from toy_service.documents import KIND\n\n"
        "urlpatterns = item_urls(KIND)\n"
    ),
    "serializers.py": (
        "from rest_framework import serializers\n\n"
        "from shopkit.items.serializers import ItemSerializer, TextField\n\n\n"
        "class ToySerializer(ItemSerializer):\n"
        "    min_age = serializers.IntegerField(min_value=0, max_value=99)\n"
        "    material = TextField()\n"
    ),
    "documents.py": (
        "from shopkit.items.filters import at_least, contains\n"
        "from shopkit.items.kind import ItemKind\n"
        "from toy_service.serializers import ToySerializer\n\n"
        "KIND = ItemKind(\n"
        '    type="toy",\n'
        '    path="toys",\n'
        "    serializer=ToySerializer,\n"
        '    filters={"material": contains("material"), "min_age": at_least("min_age")},\n'
        '    searched=("material",),\n'
        ")\n"
    ),
}
TRAIN = {"type": "toy", "name": "Wooden Train", "material": "Beech", "min_age": 3, "price": "24.90", "stock": 5}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """The repository with toys, running."""
    root = tmp_path_factory.mktemp("fifth") / "polyshop"
    shutil.copytree(ROOT, root, ignore=shutil.ignore_patterns(*LEFT_OUT))
    (root / "toy_service").mkdir()
    for name, text in FOLDER.items():
        (root / "toy_service" / name).write_text(text)
    topology = root / "shopkit" / "topology.py"
    before, last_item, after = topology.read_text().partition(
        '    item("clothes_service", 8013, "clothes", "clothes"),\n'
    )
    topology.write_text(before + last_item + TOPOLOGY_LINE + after)
    services = ("gateway", "items_router", "book_service", "laptop_service", "mobile_service", "clothes_service")
    with running(root.parent / "data", offset=1700, root=root, services=(*services, "toy_service")) as running_fleet:
        yield running_fleet


@pytest.fixture(scope="module")
def train(own: Fleet) -> dict[str, object]:
    answer = own.call("POST", "/api/items/", json=TRAIN)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def test_it_is_made_at_the_gateway_by_its_type(train: dict[str, object]) -> None:
    assert TRAIN.items() <= train.items()
    assert str(train["id"]).startswith("toy_")
    assert (train["version"], train["currency"]) == (1, "USD")


def test_its_own_rules_hold(own: Fleet) -> None:
    answer = own.call("POST", "/api/items/", json={**TRAIN, "min_age": 100})
    assert answer.status_code == 400
    assert set(answer.json()["details"]) == {"min_age"}


def test_it_is_found_by_id_and_by_its_typed_path(own: Fleet, train: dict[str, object]) -> None:
    for path in ("/api/items/", "/api/products/", "/api/toys/"):
        assert own.get(f"{path}{train['id']}/").json() == train
    at_home = requests.get(f"http://localhost:{8014 + own.offset}/api/toys/{train['id']}/", timeout=10)
    assert at_home.json() == train


@pytest.mark.parametrize("path", ["/api/items/?type=toy", "/api/toys/"])
def test_it_is_listed_by_type_and_filtered_by_its_own_fields(own: Fleet, train: dict[str, object], path: str) -> None:
    more = f"{path}{'&' if '?' in path else '?'}"
    for found in (path, f"{more}material=beech", f"{more}min_age=3", f"{more}search=beech", f"{more}max_price=24.90"):
        assert own.get(found).json()["results"] == [train], found
    for not_found in (f"{more}material=plastic", f"{more}min_age=4", f"{more}search=plastic", f"{more}in_stock=false"):
        assert own.get(not_found).json()["results"] == [], not_found


def test_the_combined_list_contains_it(own: Fleet, train: dict[str, object]) -> None:
    wait_for(lambda: own.get("/api/items/").json()["sources"]["toy"] == "live")
    assert own.get("/api/items/").json()["results"] == [train]


def test_it_can_be_changed_and_deleted_like_any_other(own: Fleet, train: dict[str, object]) -> None:
    made = own.call("POST", "/api/toys/", json={**TRAIN, "name": "Kite"}).json()
    changed = own.call("PATCH", f"/api/items/{made['id']}/", json={"min_age": 6}, headers={"If-Match": '"1"'})
    assert (changed.status_code, changed.json()["min_age"], changed.json()["version"]) == (200, 6, 2)
    assert own.call("DELETE", f"/api/toys/{made['id']}/").status_code == 204
    assert own.get(f"/api/items/{made['id']}/").status_code == 404


def test_the_fleet_speaks_of_it(own: Fleet) -> None:
    refused = own.call("POST", "/api/items/", json={"type": "spaceship"})
    assert "toy" in refused.json()["error"]
    assert {"/api/toys/", "/api/toys/{item_id}/"} <= set(own.get("/api/schema/").json()["paths"])
    assert own.get("/health/ready").json()["dependencies"]["toy_service"] == "ok"
