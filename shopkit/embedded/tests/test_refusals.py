"""What the store does not know it refuses in a sentence, and changes nothing; nonsense costs the connection only."""

import random
import socket
import struct
from collections.abc import Callable
from typing import Any

import bson
import pytest
from bson import Code, DBRef, Decimal128, Int64, MaxKey, MinKey, Regex
from pymongo import IndexModel, MongoClient
from pymongo.collection import Collection
from pymongo.errors import OperationFailure

from shopkit.embedded.tests.conftest import Server

Document = dict[str, Any]
Items = Collection[Document]
Shared = tuple[Server, MongoClient[Document]]

BEFORE: list[Document] = [
    {"_id": 1, "v": 1, "l": [1, 2], "m": [{"a": 1}], "d": Decimal128("1")},
    {"_id": 2, "v": "text"},
]

QUERIES: list[Document] = [
    {"$expr": {"$gt": ["$v", 0]}},
    {"$where": "true"},
    {"$text": {"$search": "x"}},
    {"$comment": "x"},
    {"$jsonSchema": {}},
    {"v": {"$mod": [2, 1]}},
    {"v": {"$type": "int"}},
    {"v": {"$near": [0, 0]}},
    {"v": {"$bitsAllSet": 1}},
    {"v": {"$unknown": 1}},
    {"v": {"$in": [Regex("x")]}},
    {"v": {"$ne": Regex("x")}},
    {"l": {"$all": [{"$elemMatch": {"$gt": 1}}]}},
    {"l.0": 1},
    {"m.0.a": 1},
    {"v": {"$regex": r"\d"}},
    {"v": {"$regex": "[[:alpha:]]"}},
    {"v": {"$regex": "(?P<n>x)"}},
    {"v": {"$regex": "(?i)x"}},
    {"v": {"$regex": "a{,2}"}},
    {"v": {"$regex": "x", "$options": "x"}},
    {"v": {"$gt": MinKey()}},
    {"v": Code("x")},
    {"l.$": 1},
]

UPDATES: list[Any] = [
    {"$rename": {"v": "w"}},
    {"$mul": {"v": 2}},
    {"$bit": {"v": {"and": 1}}},
    {"$pop": {"l": 1}},
    {"$pullAll": {"l": [1]}},
    {"$set": {"l.$": 1}},
    {"$set": {"l.$[]": 1}},
    {"$set": {"l.$[x]": 1}},
    {"$set": {"l.0": 1}},
    {"$inc": {"m.0.a": 1}},
    {"$unset": {"l.0": ""}},
    {"$push": {"l": {"$each": [1], "$sort": 1}}},
    {"$push": {"l": {"$each": [1], "$position": 0}}},
    {"$pull": {"l": {"$unknown": 1}}},
    {"$currentDate": {"v": {"$type": "timestamp"}}},
    {"$inc": {"d": 1}},
    {"$set": {"v": {"$x": 1}}},
    {"$set": {"v": {"a.b": 1}}},
    {"$set": {"v": MaxKey()}},
    [{"$set": {"v": 1}}],
]

STAGES: list[Document] = [
    {"$lookup": {"from": "x", "localField": "v", "foreignField": "v", "as": "w"}},
    {"$addFields": {"w": 1}},
    {"$sample": {"size": 1}},
    {"$sortByCount": "$v"},
    {"$bucket": {"groupBy": "$v", "boundaries": [0, 1]}},
    {"$out": "other"},
    {"$merge": "other"},
    {"$unionWith": "other"},
    {"$graphLookup": {}},
    {"$project": {"w": "$v"}},
    {"$project": {"w": {"$add": ["$v", 1]}}},
    {"$group": {"_id": {"$toUpper": "$v"}}},
    {"$group": {"_id": "$$ROOT"}},
    {"$group": {"_id": None, "x": {"$stdDevPop": "$v"}}},
    {"$group": {"_id": None, "x": {"$sum": {"$multiply": ["$v", 2]}}}},
    {"$group": {"_id": None, "x": {"$sum": "$d"}}},
    {"$unwind": {"path": "$l", "includeArrayIndex": "i"}},
    {"$sort": {"v": {"$meta": "textScore"}}},
    {"$facet": {"x": [{"$lookup": {}}]}},
    {"$match": {"$expr": True}},
]

CALLS: dict[str, Callable[[Items], object]] = {
    "collation": lambda items: list(items.find({}, collation={"locale": "de"})),
    "collation of an update": lambda items: items.update_one({}, {"$set": {"v": 9}}, collation={"locale": "de"}),
    "hint": lambda items: list(items.find({}).hint("_id_")),
    "hint of a delete": lambda items: items.delete_one({}, hint="_id_"),
    "let": lambda items: list(items.find({}, let={"x": 1})),
    "let of an aggregation": lambda items: list(items.aggregate([], let={"x": 1})),
    "arrayFilters": lambda items: items.update_one({}, {"$set": {"v": 9}}, array_filters=[{"x": 1}]),
    "arrayFilters of findAndModify": lambda items: items.find_one_and_update(
        {}, {"$set": {"v": 9}}, array_filters=[{"x": 1}]
    ),
    "sort of an update": lambda items: items.update_one({}, {"$set": {"v": 9}}, sort={"v": 1}),
    "tailable cursors": lambda items: list(items.find({}, cursor_type=2)),
    "min and max": lambda items: list(items.find({}).min([("v", 1)]).hint("v_1")),
    "natural order": lambda items: list(items.find({}).sort("$natural", -1)),
    "explain": lambda items: items.find({}).explain(),
    "$slice in a projection": lambda items: items.find_one({}, {"l": {"$slice": 1}}),
    "$elemMatch in a projection": lambda items: items.find_one({}, {"l": {"$elemMatch": {"$gt": 1}}}),
    "the positional projection": lambda items: items.find_one({"l": 1}, {"l.$": 1}),
    "a computed projection": lambda items: items.find_one({}, {"x": "$v"}),
    "TTL indexes": lambda items: items.create_index("v", expireAfterSeconds=1),
    "sparse indexes": lambda items: items.create_index("v", sparse=True),
    "partial indexes": lambda items: items.create_index("v", partialFilterExpression={"v": 1}),
    "text indexes": lambda items: items.create_index([("v", "text")]),
    "hashed indexes": lambda items: items.create_index([("v", "hashed")]),
    "wildcard indexes": lambda items: items.create_index("$**"),
    "one unknown index of two": lambda items: items.create_indexes([IndexModel("v"), IndexModel([("w", "2d")])]),
    "a unique index over arrays": lambda items: items.create_index("l", unique=True),
    "change streams": lambda items: items.watch().__enter__(),
    "aggregation of a database": lambda items: list(items.database.aggregate([{"$currentOp": {}}])),
    "capped collections": lambda items: items.database.create_collection("other", capped=True, size=1000),
    "views": lambda items: items.database.create_collection("other", viewOn="items", pipeline=[]),
    "rename": lambda items: items.rename("other"),
    "serverStatus": lambda items: items.database.command("serverStatus"),
    "mapReduce": lambda items: items.database.command("mapReduce", "items"),
    "an upsert from $or": lambda items: items.update_one({"$or": [{"x": 1}]}, {"$set": {"v": 9}}, upsert=True),
    "an upsert from $in": lambda items: items.update_one({"x": {"$in": [1]}}, {"$set": {"v": 9}}, upsert=True),
    "code": lambda items: items.insert_one({"v": Code("x")}),
    "references": lambda items: items.insert_one({"v": DBRef("items", 1)}),
    "a regex as a value": lambda items: items.insert_one({"v": Regex("x")}),
    "field names with dots": lambda items: items.insert_one({"a.b": 1}),
    "field names with dollars": lambda items: items.insert_one({"m": {"$a": 1}}),
    "one bad document of many": lambda items: items.insert_many([{"_id": 7}, {"_id": 8, "v": MinKey()}]),
    "snapshot reads": lambda items: items.database.command("find", "items", readConcern={"level": "snapshot"}),
    "two acknowledgements": lambda items: items.database.command(
        "insert", "items", documents=[{"_id": 9}], writeConcern={"w": 2}
    ),
}


def transaction(items: Items) -> None:
    with items.database.client.start_session() as session, session.start_transaction():
        items.insert_one({"_id": 9}, session=session)


ALL: dict[str, Callable[[Items], object]] = {
    **{f"query {query}": lambda items, query=query: list(items.find(query)) for query in QUERIES},  # type: ignore[misc]
    **{f"update {u}": lambda items, u=u: items.update_many({}, u) for u in UPDATES},  # type: ignore[misc]
    **{f"stage {stage}": lambda items, stage=stage: list(items.aggregate([stage])) for stage in STAGES},  # type: ignore[misc]
    **CALLS,
    "transactions": transaction,
}


@pytest.mark.parametrize("what", ALL)
def test_the_unsupported_is_refused_in_a_sentence_and_changes_nothing(shared: Shared, what: str) -> None:
    _, client = shared
    client.drop_database("refusals")
    items = client.refusals.items
    items.insert_many(BEFORE)
    with pytest.raises(OperationFailure) as error:
        ALL[what](items)
    assert "the embedded development store does not support" in str(error.value)
    assert "set MONGO_URL to a real MongoDB" in str(error.value)
    assert error.value.code in (9, 59, 115)
    assert list(items.find()) == BEFORE
    assert client.refusals.list_collection_names() == ["items"]
    assert list(items.index_information()) == ["_id_"]


def test_an_array_under_a_unique_index_is_refused_at_its_insert(shared: Shared) -> None:
    items = shared[1].arrays.items
    items.create_index("sku", unique=True)
    with pytest.raises(OperationFailure, match="an array under the unique index sku_1"):
        items.insert_one({"sku": [1, 2]})
    assert items.count_documents({}) == 0


def test_each_refusal_is_one_line_of_the_log(shared: Shared) -> None:
    server, client = shared
    with pytest.raises(OperationFailure):
        client.admin.command("replSetGetStatus")
    line = next(line for line in server.log.read_text().splitlines() if "replSetGetStatus" in line)
    assert "WARNING" in line


def test_a_batch_with_something_unsupported_is_undone_whole(shared: Shared) -> None:
    items = shared[1].undone.items
    items.insert_one({"_id": 1, "v": 1})
    command = {"update": "items", "updates": [{"q": {}, "u": {"$set": {"v": 2}}}, {"q": {}, "u": {"$mul": {"v": 2}}}]}
    with pytest.raises(OperationFailure):
        shared[1].undone.command(command)
    assert list(items.find()) == [{"_id": 1, "v": 1}]


# Bytes


def frame(body: bytes, code: int = 2013, length: int | None = None) -> bytes:
    return struct.pack("<iiii", 16 + len(body) if length is None else length, 1, 0, code) + body


def message(command: Document, flags: int = 0) -> bytes:
    return frame(struct.pack("<I", flags) + b"\0" + bson.encode(command))


PING = message({"ping": 1, "$db": "admin"})
NONSENSE: dict[str, bytes] = {
    "http": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "zeros": bytes(64),
    "a negative length": frame(b"", length=-1),
    "a length below the header's": frame(b"", length=15),
    "an oversized frame": frame(b"", length=48_000_001),
    "the largest length": frame(b"", length=2**31 - 1),
    "a truncated header": PING[:9],
    "a truncated frame": PING[:-3],
    "an unknown opcode": frame(PING[16:], code=2012),
    "an unknown flag": message({"ping": 1, "$db": "admin"}, flags=1 << 5),
    "an unknown section": frame(bytes(4) + b"\x07" + bson.encode({"ping": 1})),
    "a section that overruns": frame(bytes(4) + b"\1" + struct.pack("<i", 10_000) + b"documents\0"),
    "a section that is negative": frame(bytes(4) + b"\1" + struct.pack("<i", -5) + b"documents\0"),
    "a sequence with no name": frame(bytes(4) + b"\1" + struct.pack("<i", 8) + b"docs"),
    "no section": frame(bytes(4)),
    "an empty command": message({}),
    "broken bson": frame(bytes(5) + struct.pack("<i", 9) + b"\x02\xff\xff\xff\0"),
    "a query that is no hello": frame(struct.pack("<I", 0) + b"shop.items\0" + bytes(8) + bson.encode({}), code=2004),
    "a query with no end": frame(b"x" * 30, code=2004),
}


def answer(port: int, data: bytes) -> bytes:
    """What the server sends before it closes the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as peer:
        peer.sendall(data)
        peer.shutdown(socket.SHUT_WR)
        received = b""
        try:
            while part := peer.recv(65536):
                received += part
        except ConnectionResetError:
            pass
        return received


@pytest.mark.parametrize("what", NONSENSE)
def test_nonsense_closes_the_connection_and_the_server_goes_on(shared: Shared, what: str) -> None:
    server, client = shared
    assert answer(server.port, NONSENSE[what]) == b""
    assert server.running
    assert client.admin.command("ping")["ok"] == 1


def test_an_oversized_frame_closes_before_its_end_is_sent(shared: Shared) -> None:
    with socket.create_connection(("127.0.0.1", shared[0].port), timeout=5) as peer:
        peer.sendall(NONSENSE["the largest length"])
        assert peer.recv(1) == b""


def test_random_bytes_and_bent_messages_never_end_the_server(shared: Shared) -> None:
    server, client = shared
    seed = random.randrange(10**9)
    dice = random.Random(seed)
    insert = message({"insert": "items", "documents": [{"_id": 1, "v": [1, {"a": None}]}], "$db": "fuzz"})
    for _ in range(200):
        bent = bytearray(insert)
        for _ in range(dice.randrange(1, 6)):
            bent[dice.randrange(4, len(bent))] = dice.randrange(256)
        answer(server.port, bytes(bent))
    assert server.running, f"seed {seed}"
    assert client.admin.command("ping")["ok"] == 1


@pytest.mark.parametrize(
    "command",
    [
        {"find": "items", "filter": 5},
        {"find": 5},
        {"find": "items", "sort": "v"},
        {"find": "items", "skip": -1},
        {"find": "items", "limit": float("nan")},
        {"find": "items", "projection": {"a": 1, "a.b": 1}},
        {"insert": "items"},
        {"insert": "items", "documents": 5},
        {"insert": "items", "documents": [5]},
        {"update": "items", "updates": [{"q": {}}]},
        {"update": "items", "updates": [{"q": 5, "u": {}}]},
        {"delete": "items", "deletes": [{"q": {}}]},
        {"aggregate": "items", "pipeline": {}},
        {"aggregate": "items", "pipeline": [5]},
        {"aggregate": "items", "pipeline": [{"$match": {}, "$limit": 1}]},
        {"getMore": Int64(12345), "collection": "items"},
        {"getMore": "x", "collection": "items"},
        {"findAndModify": "items"},
        {"createIndexes": "items", "indexes": [{}]},
        {"createIndexes": "items", "indexes": [{"key": 5, "name": "x"}]},
        {"distinct": "items"},
        {"killCursors": "items"},
    ],
)
def test_a_command_of_the_wrong_shape_is_an_error_and_nothing_more(shared: Shared, command: Document) -> None:
    server, client = shared
    reply = bson.decode(answer(server.port, message({**command, "$db": "shapes"}))[21:])
    assert reply.get("code") or reply["writeErrors"][0]["code"]
    assert client.shapes["items"].count_documents({}) == 0
