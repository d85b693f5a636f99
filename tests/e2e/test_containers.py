"""What each container of docker-compose.yml would run, run natively: its command, environment and health check, against
database servers, in production settings and secure access."""

import contextlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from shopkit import keys, topology
from shopkit.config import ROOT
from tests import stores
from tests.stores import free_port
from tests.waiting import wait_for

OFFSET = 7000
GATEWAY = f"http://localhost:{8000 + OFFSET}"
CONTAINERS: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
ADDRESS = re.compile(r"http://[a-z-]+:(80\d\d)$")
DEFAULT = re.compile(r"\$\{\w+:-([^}]*)\}")
Environment = dict[str, str]
KEYS: Environment = dict(line.split("=", 1) for line in keys.made(topology.SERVICES, ""))  # type: ignore[misc]


def command_after(instruction: str) -> list[str]:
    """The exec form that follows `instruction` in the Dockerfile."""
    found = re.search(rf"^{instruction}.*?(\[.*\])$", DOCKERFILE, re.MULTILINE)
    assert found
    return list(json.loads(found[1]))


def environment_of(name: str, servers: Environment, folder: Path) -> Environment:
    """The container's environment, with the addresses of this machine for those of the containers."""
    given: Environment = CONTAINERS[name]["environment"]
    service = given["SHOP_SERVICE"]
    given = {key: DEFAULT.sub(r"\1", value) for key, value in given.items()}
    here = {
        key: ADDRESS.sub(lambda at: f"http://127.0.0.1:{int(at[1]) + OFFSET}", value) for key, value in given.items()
    }
    here |= {
        "SECRET_KEY": "0123456789" * 5,
        "SHOP_PUBLIC_KEYS": KEYS["SHOP_PUBLIC_KEYS"],
        "SHOP_SIGNING_KEY": KEYS[f"{service.upper()}_SIGNING_KEY"],
        "ALLOWED_HOSTS": given["ALLOWED_HOSTS"].replace("${ALLOWED_HOSTS:-localhost}", "localhost"),
        "CORS_ALLOWED_ORIGINS": "",
        "SHOP_HSTS": "",
        "SHOP_RATE_LIMIT": "",
        "SHOP_AUTH_RATE_LIMIT": "",
        "EMAIL_HOST": "127.0.0.1",
        "SHOP_FRONT_URL": "https://shop.example.com",
        "SHOP_BEHIND_PROXY": "1",
        "REDIS_URL": servers["REDIS_URL"],
        "SHOP_BIND": "127.0.0.1",
        "SHOP_PORT_OFFSET": str(OFFSET),
        "SHOP_DATA": str(folder / name),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    here |= {"DATABASE_URL": servers[f"{service.upper()}_DATABASE_URL"]} if "DATABASE_URL" in given else {}
    return here | ({"MONGO_URL": servers["MONGO_URL"]} if "MONGO_URL" in given else {})


@contextlib.contextmanager
def mongo(folder: Path) -> Iterator[str]:
    """The server that `MONGO_URL` names, else the embedded one."""
    if url := os.environ.get("MONGO_URL"):
        yield url
        return
    port = free_port()
    command = [sys.executable, "-m", "shopkit.embedded", str(port), str(folder / "mongodb.sqlite3")]
    with stores.process(command, folder / "mongodb.log", port):
        yield f"mongodb://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Environment]]:
    """All containers' processes, started together, and healthy; their environments by name."""
    folder = tmp_path_factory.mktemp("containers")
    with contextlib.ExitStack() as stack:
        servers = stack.enter_context(stores.servers(folder, prefix="container_"))
        servers["MONGO_URL"] = stack.enter_context(mongo(folder))
        services = {name for name in CONTAINERS if "SHOP_SERVICE" in CONTAINERS[name].get("environment", {})}
        found = {name: environment_of(name, servers, folder) for name in services}
        processes = {name: stack.enter_context(container(env, folder / f"{name}.log")) for name, env in found.items()}
        for name, process in processes.items():
            wait_until_healthy(process, found[name], folder / f"{name}.log")
        yield found
        for process in processes.values():
            process.terminate()  # all at once; each is waited for as the stack unwinds


@contextlib.contextmanager
def container(environment: Environment, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The image's command, until the block ends."""
    with log.open("wb") as output:
        process = subprocess.Popen(command_after("CMD"), cwd=ROOT, env=environment, stdout=output, stderr=output)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=15)


def wait_until_healthy(process: subprocess.Popen[bytes], environment: Environment, log: Path) -> None:
    """By the image's own check."""

    def healthy() -> bool:
        assert process.poll() is None, log.read_text()[-3000:]
        return subprocess.run(command_after("HEALTHCHECK"), cwd=ROOT, env=environment, check=False).returncode == 0

    wait_for(healthy)


def test_all_containers_become_healthy_and_the_gateway_sees_them(environments: dict[str, Environment]) -> None:
    ready = requests.get(f"{GATEWAY}/health/ready", timeout=10)
    assert ready.status_code == 200
    assert set(ready.json()["dependencies"]) == set(topology.SERVICES) - {"gateway"}


def test_the_loader_fills_them_and_doubles_nothing(environments: dict[str, Environment], tmp_path: Path) -> None:
    docker = tmp_path / "docker"
    known = tmp_path / "environments.json"
    known.write_text(json.dumps(environments))
    docker.write_text(
        f"#!{sys.executable}\n"
        "import json, os, sys\n"
        "compose, run, no_terminal, name, *command = sys.argv[1:]\n"
        "assert (compose, run, no_terminal) == ('compose', 'exec', '-T')\n"
        f"os.execvpe(command[0], command, json.load(open({str(known)!r}))[name])\n"
    )
    docker.chmod(0o755)
    env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    first, second = (
        subprocess.run(
            ["./load_initial_data.sh", "--compose"], cwd=ROOT, env=env, capture_output=True, text=True, check=True
        )
        for _ in range(2)
    )
    assert "book_service" in first.stdout
    added = [int(number) for number in re.findall(r"(\d+) added", second.stdout)]
    assert len(added) == len(list((ROOT / "fixtures").glob("*.json")))
    assert set(added) == {0}
    assert requests.get(f"{GATEWAY}/api/items/", timeout=10).json()["count"] >= 1000


def test_nobody_is_anybody_by_saying_so(environments: dict[str, Environment]) -> None:
    claims = {"X-User-ID": "456", "X-Customer-Type": "vip", "X_User_ID": "456", "X-Staff": "1"}
    for port in (8000, 8008):
        answer = requests.get(f"http://localhost:{port + OFFSET}/api/customers/", headers=claims, timeout=10)
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
    made = requests.post(
        f"{GATEWAY}/api/items/", json={"type": "book", "name": "x", "author": "x"}, headers=claims, timeout=10
    )
    assert made.status_code == 401


def test_behind_a_proxy_that_ends_tls_links_are_what_the_client_called(environments: dict[str, Environment]) -> None:
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "localhost", "X-Forwarded-For": "203.0.113.9"}
    books = requests.get(f"{GATEWAY}/api/books/", headers=forwarded, timeout=10)
    assert books.json()["next"].startswith("https://localhost/api/books/?page=2")
    assert "max-age" in books.headers["Strict-Transport-Security"]


def test_a_host_that_is_not_ours_is_refused_in_the_one_form(environments: dict[str, Environment]) -> None:
    answer = requests.get(f"{GATEWAY}/api/items/", headers={"Host": "evil.example"}, timeout=10)
    assert (answer.status_code, set(answer.json())) == (400, {"error", "code", "details", "request_id"})
