"""docker-compose.yml and the Dockerfile, held against the Compose specification, the topology, and what must be secret.

There is no Docker engine where this runs: what the containers' commands do is tested natively, in tests/e2e.
"""

import re
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

from shopkit import topology
from shopkit.config import ROOT
from shopkit.topology import Service, Store

TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
CONTAINERS: dict[str, Any] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
STORES = {"mysql": "mysql:8.4", "postgres": "postgres:17", "mongodb": "mongo:8", "redis": "valkey/valkey:8"}
WORKERS = {
    f"{service.name}-worker".replace("_", "-"): service for service in topology.SERVICES.values() if service.worker
}
STORE_OF = {Store.MYSQL: "mysql", Store.POSTGRES: "postgres", Store.MONGO: "mongodb"}
every_service = pytest.mark.parametrize("service", topology.SERVICES.values(), ids=lambda service: service.name)


def container(service: Service) -> dict[str, Any]:
    return CONTAINERS[service.name.replace("_", "-")]  # a host name with _ is none (RFC 952)


def test_the_file_is_a_valid_compose_file() -> None:
    assert set(PyCompose.from_yaml(_as_docker_reads_it(TEXT)).service_names()) == set(CONTAINERS)


def _as_docker_reads_it(text: str) -> str:
    """Variables filled in with their default or something else, and YAML's merge keys merged."""
    filled = re.sub(r"\$\{\w+(?::-([^}]*)|:\?[^}]*)?\}", lambda match: match[1] if match[1] is not None else "x", text)
    merged = yaml.safe_load(filled)
    return yaml.safe_dump({key: value for key, value in merged.items() if not key.startswith("x-")})


def test_there_is_a_container_for_each_service_worker_and_store_and_no_other() -> None:
    services = {name.replace("_", "-") for name in topology.SERVICES}
    assert set(CONTAINERS) == services | set(STORES) | set(WORKERS)
    assert {name: CONTAINERS[name]["image"] for name in STORES} == STORES


@every_service
def test_a_service_runs_the_one_image_as_itself(service: Service) -> None:
    assert container(service)["image"] == "polyshop"
    assert container(service)["environment"]["SHOP_SERVICE"] == service.name


@pytest.mark.parametrize("name", WORKERS)
def test_a_worker_is_the_container_of_its_service_with_a_command_of_its_own(name: str) -> None:
    own = dict(CONTAINERS[name])
    service = own.pop("extends")["service"]
    assert service == name.removesuffix("-worker")
    assert own.pop("depends_on") == {service: {"condition": "service_healthy"}}  # which has made its tables
    assert "shopkit.worker" in " ".join(own.pop("command"))
    assert "--check" in " ".join(own.pop("healthcheck")["test"])
    assert own == {}


@every_service
def test_a_service_finds_its_peers_at_their_ports(service: Service) -> None:
    environment = container(service)["environment"]
    for peer in topology.SERVICES.values():
        assert environment[f"{peer.name.upper()}_URL"] == f"http://{peer.name.replace('_', '-')}:{peer.port}"


@every_service
def test_a_service_waits_until_what_it_needs_is_healthy(service: Service) -> None:
    needs = {peer.replace("_", "-") for peer in service.calls} | {"redis"}
    needs |= {STORE_OF[service.store]} if service.store in STORE_OF else set()
    waits = container(service)["depends_on"]
    assert set(waits) == needs
    assert {each["condition"] for each in waits.values()} == {"service_healthy"}


@every_service
def test_a_service_keeps_its_data_in_the_store_of_the_topology(service: Service) -> None:
    environment = container(service)["environment"]
    schemes = {Store.MYSQL: "mysql://", Store.POSTGRES: "postgresql://"}
    if service.store in schemes:
        assert environment["DATABASE_URL"].startswith(schemes[service.store])
        assert environment["DATABASE_URL"].endswith(f"/{service.name}")
    assert ("MONGO_URL" in environment) == (service.store is Store.MONGO)
    assert ("volumes" in container(service)) == (service.store is Store.SQLITE or service.keeps_files)


def test_the_image_is_built_once_and_never_pulled() -> None:
    ours = {name: each for name, each in CONTAINERS.items() if each.get("image") == "polyshop"}
    assert [name for name, each in ours.items() if "build" in each] == ["gateway"]
    assert {each["pull_policy"] for each in ours.values()} == {"never"}


def test_each_database_is_made_when_its_server_is_new() -> None:
    for kind, script in ((Store.MYSQL, "mysql-init.sh"), (Store.POSTGRES, "postgres-init.sh")):
        names = {service.name for service in topology.SERVICES.values() if service.store is kind}
        listed = re.search(r"for name in (.*); do", (ROOT / "deploy" / script).read_text())
        assert listed
        assert set(listed[1].split()) == names
        assert any(f"./deploy/{script}:" in volume for volume in CONTAINERS[STORE_OF[kind]]["volumes"])


def test_every_named_volume_is_declared_and_used() -> None:
    mounts = [mount.partition(":")[0] for each in CONTAINERS.values() for mount in each.get("volumes", [])]
    assert {name for name in mounts if not name.startswith(".")} == set(COMPOSE["volumes"])


def test_every_container_says_when_it_is_healthy() -> None:
    assert "HEALTHCHECK" in DOCKERFILE
    assert all("healthcheck" in CONTAINERS[name] for name in STORES)


def test_only_the_gateway_is_reached_from_outside_and_on_loopback() -> None:
    published = {name: each["ports"] for name, each in CONTAINERS.items() if "ports" in each}
    assert published == {"gateway": ["${GATEWAY_ADDRESS:-127.0.0.1:8000}:8000"]}


def test_access_is_secure_and_the_environment_production() -> None:
    for service in topology.SERVICES.values():
        environment = container(service)["environment"]
        assert (environment["SHOP_ACCESS"], environment["SHOP_ENV"]) == ("secure", "production")
    assert "SHOP_ENV=production SHOP_ACCESS=secure" in DOCKERFILE


def test_no_secret_is_in_the_file_and_none_that_is_needed_may_be_left_out() -> None:
    used = set(re.findall(r"\$\{(\w*(?:PASSWORD|SECRET_KEY)\w*)", TEXT))
    optional = {"EMAIL_HOST_PASSWORD", "SHOP_STAFF_PASSWORD", "SHOP_STRIPE_SECRET_KEY"}
    assert used - optional == {
        "SECRET_KEY",
        "MYSQL_PASSWORD",
        "MYSQL_ROOT_PASSWORD",
        "POSTGRES_PASSWORD",
        "MONGO_PASSWORD",
        "REDIS_PASSWORD",
    }
    given = re.sub(rf"\$\{{(?:{'|'.join(optional)}):-\}}", "", TEXT.replace("$$", ""))
    assert not re.search(r"\$\{\w*(?:PASSWORD|SECRET_KEY)\w*(?!:\?|\w)", given)
    example = dict(
        line.split("=", 1)
        for line in (ROOT / ".env.example").read_text().splitlines()
        if "=" in line and line[0] != "#"
    )
    assert {name: example[name] for name in used} == dict.fromkeys(used, "")


def test_what_the_page_on_deployment_says_to_set_reaches_the_containers() -> None:
    """Except for what it says to set in another file."""
    page = (ROOT / "docs" / "deployment.md").read_text().partition("## What to set")[2].partition("\n## ")[0]
    rows = [row for row in page.splitlines() if row.startswith("| `") and "docker-compose.override.yml" not in row]
    named = set(re.findall(r"`([A-Z][A-Z0-9_]+)`", "".join(rows)))
    named |= {f"{name.upper()}_SIGNING_KEY" for name in topology.SERVICES if "`<SERVICE>_SIGNING_KEY`" in page}
    assert len(named) > 40
    assert named - set(re.findall(r"\$\{(\w+)", TEXT)) == set()


def test_the_image_does_not_run_as_root_and_carries_no_data_and_no_secrets() -> None:
    assert re.findall(r"^USER (\w+)$", DOCKERFILE, re.MULTILINE) == ["shop"]
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {".git", ".env", ".venv", "data"} <= set(ignored)
