"""The MongoDB that the contract is held against: `MONGO_URL`'s if set, else the embedded development store."""

import os
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.database import Database

_ROOT = Path(__file__).parents[2]
Document = dict[str, Any]


@pytest.fixture(scope="session")
def mongo_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if url := os.environ.get("MONGO_URL"):
        yield url
        return
    port, path = _free_port(), tmp_path_factory.mktemp("store") / "store.sqlite"
    server = subprocess.Popen([sys.executable, "-m", "shopkit.embedded", str(port), str(path)], cwd=_ROOT)
    yield f"mongodb://127.0.0.1:{port}"
    server.terminate()
    assert server.wait(5) == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def client(mongo_url: str) -> Iterator[MongoClient[Document]]:
    with MongoClient[Document](mongo_url, serverSelectionTimeoutMS=10_000) as client:
        client.admin.command("ping")
        yield client


@pytest.fixture
def database(client: MongoClient[Document]) -> Iterator[Database[Document]]:
    name = f"contract_{uuid.uuid4().hex}"
    yield client[name]
    client.drop_database(name)


@pytest.fixture
def items(database: Database[Document]) -> Collection[Document]:
    return database.items
