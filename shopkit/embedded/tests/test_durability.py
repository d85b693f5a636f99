"""What was acknowledged is there after the process is killed, whole; and one server has the file."""

import signal
import sqlite3
import threading
from pathlib import Path
from typing import Any

import bson
import pytest
from pymongo import MongoClient
from pymongo.errors import AutoReconnect, DuplicateKeyError

from shopkit.embedded.commands import execute
from shopkit.embedded.journal import Journal
from shopkit.embedded.store import Store
from shopkit.embedded.tests.conftest import Server

Document = dict[str, Any]
BATCH = 20
ENOUGH = 150


class Writers:
    """Threads that write until the server is gone, and remember what it acknowledged."""

    def __init__(self, client: MongoClient[Document], round_number: int) -> None:
        self.inserted: list[str] = []
        self.increments = 0
        self.batches: list[str] = []
        self.deleted: list[str] = []
        self.enough = threading.Event()
        self._database = client.shop
        self._round = round_number
        works = (self._insert, self._increment, self._insert_batch, self._insert_and_delete)
        self._threads = [threading.Thread(target=self._until_gone, args=(work,)) for work in works]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join(20)
            assert not thread.is_alive()

    def _until_gone(self, work: Any) -> None:
        n = 0
        while True:
            try:
                work(n)
            except AutoReconnect:
                return
            n += 1
            if n == ENOUGH:
                self.enough.set()

    def _insert(self, n: int) -> None:
        identity = f"{self._round}-{n}"
        self._database.single.insert_one({"_id": identity, "sku": identity})
        self.inserted.append(identity)

    def _increment(self, _: int) -> None:
        self._database.counter.update_one({"_id": 1}, {"$inc": {"n": 1}}, upsert=True)
        self.increments += 1

    def _insert_batch(self, n: int) -> None:
        batch = f"{self._round}-{n}"
        self._database.batches.insert_many({"batch": batch, "n": i} for i in range(BATCH))
        self.batches.append(batch)

    def _insert_and_delete(self, n: int) -> None:
        identity = f"{self._round}-{n}"
        self._database.deleted.insert_one({"_id": identity})
        self._database.deleted.delete_one({"_id": identity})
        self.deleted.append(identity)


def test_no_acknowledged_write_is_lost_in_five_kills(server: Server) -> None:
    inserted: set[str] = set()
    batches: set[str] = set()
    increments = 0
    with server.start() as client:
        client.shop.single.create_index("sku", unique=True)
    server.end(signal.SIGKILL)
    for round_number in range(5):
        with server.start() as client:
            before = (client.shop.counter.find_one({}) or {"n": 0})["n"]
            writers = Writers(client, round_number)
            writers.start()
            assert writers.enough.wait(20)
            server.end(signal.SIGKILL)
            writers.join()
        inserted |= set(writers.inserted)
        batches |= set(writers.batches)
        increments = before + writers.increments
        with server.start() as client:
            shop = client.shop
            assert inserted <= {document["_id"] for document in shop.single.find()}
            # One increment may have been done and not acknowledged.
            assert shop.counter.find_one({"_id": 1})["n"] in (increments, increments + 1)
            sizes = {
                g["_id"]: g["n"] for g in shop.batches.aggregate([{"$group": {"_id": "$batch", "n": {"$sum": 1}}}])
            }
            assert batches <= sizes.keys()
            assert set(sizes.values()) == {BATCH}
            assert shop.deleted.count_documents({"_id": {"$in": writers.deleted}}) == 0
            with pytest.raises(DuplicateKeyError):
                shop.single.insert_one({"sku": writers.inserted[0]})
        server.end(signal.SIGKILL)


def test_everything_is_the_same_after_a_restart(server: Server) -> None:
    with server.start() as client:
        client.shop.create_collection("empty")
        client.shop.gone.insert_one({"_id": 1})
        client.shop.gone.drop()
        items = client.shop["items.sub"]
        items.create_index([("kind", 1), ("sku", -1)], unique=True, name="by_sku")
        items.create_index("dropped")
        items.drop_index("dropped_1")
        items.insert_many([{"_id": n, "kind": "b", "sku": n} for n in (3, 1, 2)])
        items.update_one({"_id": 3}, {"$set": {"v": [1.0, {"x": None}]}})
        items.replace_one({"_id": 1}, {"kind": "c", "sku": 1})
        items.delete_one({"_id": 2})
        indexes = items.index_information()
    assert server.end(signal.SIGTERM) == 0
    with server.start() as client:
        items = client.shop["items.sub"]
        assert sorted(client.shop.list_collection_names()) == ["empty", "items.sub"]
        assert items.index_information() == indexes
        assert list(items.find()) == [
            {"_id": 3, "kind": "b", "sku": 3, "v": [1.0, {"x": None}]},
            {"_id": 1, "kind": "c", "sku": 1},
        ]
        with pytest.raises(DuplicateKeyError):
            items.insert_one({"kind": "c", "sku": 1})


def test_a_second_server_on_the_same_file_is_refused_in_a_sentence(server: Server) -> None:
    with server.start() as client:
        client.shop.items.insert_one({"_id": 1})
        second = server.run_second()
        assert second.returncode == 1
        assert second.stderr.strip() == f"{server.path} is in use by another embedded development store"
        client.shop.items.insert_one({"_id": 2})
        assert client.shop.items.count_documents({}) == 2


def test_a_file_that_is_no_store_is_refused(server: Server) -> None:
    server.path.write_bytes(b"not a database, and longer than a header of one hundred bytes" * 4)
    second = server.run_second()
    assert second.returncode == 1
    assert "Traceback" not in second.stderr


def test_a_write_that_the_disk_refuses_is_not_in_memory_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path / "store.sqlite")
    insert = {"insert": "items", "documents": [{"_id": 1}], "$db": "shop"}
    assert execute(store, insert)["n"] == 1

    def full(_: Journal) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "commit", full)
        reply = execute(store, {**insert, "documents": [{"_id": 2}]})
    assert (reply["ok"], reply["code"]) == (0.0, 1)
    found = execute(store, {"find": "items", "$db": "shop"})["cursor"]["firstBatch"]
    assert [bson.decode(document.raw) for document in found] == [{"_id": 1}]
    assert execute(store, {**insert, "documents": [{"_id": 2}]})["n"] == 1
