"""The topology, held against the folders, the documents and the routes it stands for."""

import re
import subprocess
from graphlib import TopologicalSorter

import pytest

from shopkit import server, topology
from shopkit.config import ROOT, Config
from shopkit.topology import Service

PORTS = {
    "gateway": 8000,
    "guest_customer": 8001,
    "cart_service": 8002,
    "order_service": 8003,
    "paying_service": 8004,
    "items_router": 8005,
    "shipping_service": 8006,
    "registered_customer": 8007,
    "vip_customer": 8008,
    "customer_router": 8009,
    "book_service": 8010,
    "laptop_service": 8011,
    "mobile_service": 8012,
    "clothes_service": 8013,
}
every_service = pytest.mark.parametrize("service", topology.SERVICES.values(), ids=lambda service: service.name)


def test_the_fourteen_are_at_their_ports_and_no_other_service_is_at_one_of_them() -> None:
    ports = {service.name: service.port for service in topology.SERVICES.values()}
    assert PORTS.items() <= ports.items()
    assert len(set(ports.values())) == len(ports)


def test_no_two_services_claim_a_path() -> None:
    paths = [path for service in topology.SERVICES.values() for path in service.paths]
    assert len(paths) == len(set(paths))


def test_calls_name_services_and_have_no_circle() -> None:
    graph = {service.name: set(service.calls) for service in topology.SERVICES.values()}
    assert set().union(*graph.values()) <= set(graph)
    assert len(list(TopologicalSorter(graph).static_order())) == len(graph)


@every_service
def test_a_service_has_its_folder_with_readme_settings_routes_and_tests(service: Service) -> None:
    folder = ROOT / service.name
    for name in ("README.md", "settings.py", "urls.py", "__init__.py"):
        assert (folder / name).is_file(), name
    assert list((folder / "tests").glob("test_*.py"))
    assert 10 <= len((folder / "README.md").read_text().splitlines()) <= 30
    assert (folder / "migrations" / "0001_initial.py").exists() == (folder / "models.py").exists()


@every_service
def test_what_a_service_calls_is_what_the_topology_says(service: Service) -> None:
    source = "\n".join(path.read_text() for path in (ROOT / service.name).glob("*.py"))
    named = set(re.findall(r'http\.(?:get\(|call\(\s*"[A-Z]+",)\s*"(\w+)"', source))
    assert named <= {*service.calls, *service.tells}


@every_service
def test_the_readme_lists_the_service_with_its_port(service: Service) -> None:
    assert re.search(rf"\| \[?{service.name}\b.*\| {service.port} \|", (ROOT / "README.md").read_text())


def test_peers_are_found_by_environment_or_by_port(monkeypatch: pytest.MonkeyPatch) -> None:
    book = topology.service("book_service")
    monkeypatch.setenv("SHOP_PORT_OFFSET", "100")
    assert book.url == "http://127.0.0.1:8110"
    monkeypatch.setenv("BOOK_SERVICE_URL", "http://books:80")
    assert book.url == "http://books:80"


@pytest.mark.parametrize(
    ("bind", "listens", "peers"),
    [
        ("", "127.0.0.1:8010", "127.0.0.1:8010"),
        ("::1", "[::1]:8010", "[::1]:8010"),
        ("127.0.0.2", "127.0.0.2:8010", "127.0.0.2:8010"),
        ("0.0.0.0", "0.0.0.0:8010", "127.0.0.1:8010"),
        ("::", "[::]:8010", "[::1]:8010"),
    ],
)
def test_a_service_is_found_where_it_listens(
    monkeypatch: pytest.MonkeyPatch, bind: str, listens: str, peers: str
) -> None:
    monkeypatch.setenv("SHOP_BIND", bind)
    monkeypatch.setattr(server, "config", lambda: Config(SHOP_ACCESS="secure"))
    book = topology.service("book_service")
    assert (server.options(book)["bind"], book.url) == (listens, f"http://{peers}")


def test_an_unknown_service_names_those_there_are() -> None:
    with pytest.raises(KeyError, match="gateway"):
        topology.service("nothing")


def test_no_tracked_file_is_large() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert [name for name in tracked if (ROOT / name).exists() and (ROOT / name).stat().st_size > 200_000] == []
