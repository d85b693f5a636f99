"""What the services may rely on from MongoDB, whichever server stands behind `MONGO_URL`.

Every expectation is MongoDB's documented behaviour; nothing here is particular to the embedded development store.
"""

import operator
import random
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from bson import Decimal128, Int64, ObjectId
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.datetime_ms import DatetimeMS
from pymongo import (
    ASCENDING,
    DESCENDING,
    DeleteOne,
    IndexModel,
    InsertOne,
    MongoClient,
    ReplaceOne,
    ReturnDocument,
    UpdateMany,
    UpdateOne,
    WriteConcern,
)
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import (
    BulkWriteError,
    CollectionInvalid,
    CursorNotFound,
    DuplicateKeyError,
    OperationFailure,
    WriteError,
)
from pymongo.read_concern import ReadConcern

Document = dict[str, Any]
Items = Collection[Document]


def ids(documents: Any) -> list[Any]:
    return [document["_id"] for document in documents]


def only(items: Items, identity: object = 1) -> Document:
    document = items.find_one({"_id": identity})
    assert document is not None
    return document


# Queries

MIXED: list[Document] = [
    {"_id": "missing"},
    {"_id": "null", "v": None},
    {"_id": "one", "v": 1},
    {"_id": "float", "v": 1.0},
    {"_id": "two", "v": 2},
    {"_id": "nan", "v": float("nan")},
    {"_id": "text", "v": "1"},
    {"_id": "true", "v": True},
    {"_id": "false", "v": False},
    {"_id": "map", "v": {"a": 1, "b": 2}},
    {"_id": "turned", "v": {"b": 2, "a": 1}},
    {"_id": "empty", "v": []},
    {"_id": "array", "v": [1, "x", None]},
    {"_id": "nested", "v": [[1]]},
    {"_id": "date", "v": datetime(2024, 1, 2)},
    {"_id": "decimal", "v": Decimal128("2")},
]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (1, "one float array"),
        ({"$eq": 1.0}, "one float array"),
        (True, "true"),
        (0, ""),
        ("1", "text"),
        (None, "missing null array"),
        ({"$ne": None}, "one float two nan text true false map turned empty nested date decimal"),
        ({"$in": [None, "x", True]}, "missing null array true"),
        ({"$in": []}, ""),
        ({"$nin": [1, None]}, "two nan text true false map turned empty nested date decimal"),
        ({"a": 1, "b": 2}, "map"),
        ([], "empty"),
        ([1], "nested"),
        ([1, "x", None], "array"),
        ({"$gt": 1}, "two decimal"),
        ({"$gte": 1, "$lt": 2}, "one float array"),
        ({"$lte": 0}, ""),
        ({"$gte": "0"}, "text array"),
        ({"$gt": False}, "true"),
        ({"$gte": None}, "missing null array"),
        ({"$gt": None}, ""),
        ({"$lt": datetime(2025, 1, 1)}, "date"),
        ({"$gte": float("nan")}, "nan"),
        ({"$exists": False}, "missing"),
        ({"$exists": True, "$in": [None]}, "null array"),
        ({"$size": 0}, "empty"),
        ({"$size": 1}, "nested"),
        ({"$all": [1, "x"]}, "array"),
        ({"$all": [1]}, "one float array"),
        ({"$all": []}, ""),
        ({"$regex": "^1"}, "text"),
        ({"$regex": "X", "$options": "i"}, "array"),
        (re.compile("x"), "array"),
        ({"$not": {"$exists": True}}, "missing"),
        ({"$not": {"$gte": 1}}, "missing null nan text true false map turned empty nested date"),
        ({"$not": re.compile("1|x")}, "missing null one float two nan true false map turned empty nested date decimal"),
    ],
)
def test_a_condition_finds_what_mongodb_finds(items: Items, condition: Any, expected: str) -> None:
    items.insert_many(MIXED)
    assert set(ids(items.find({"v": condition}))) == set(expected.split())
    assert items.count_documents({"v": condition}) == len(expected.split())


NESTED: list[Document] = [
    {"_id": "none"},
    {"_id": "scalar", "a": 4},
    {"_id": "null", "a": None},
    {"_id": "bare", "a": {}},
    {"_id": "b_null", "a": {"b": None}},
    {"_id": "b_1", "a": {"b": 1}},
    {"_id": "empty", "a": []},
    {"_id": "scalars", "a": [1, 2]},
    {"_id": "maps", "a": [{"b": 1, "c": 1}, {"b": 2, "c": 2}]},
    {"_id": "some", "a": [{"b": 3}, {}]},
]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"a.b": 1}, "b_1 maps"),
        ({"a.b": None}, "none scalar null bare b_null some"),
        ({"a.b": {"$exists": True}}, "b_null b_1 maps some"),
        ({"a.b": {"$exists": False}}, "none scalar null bare empty scalars"),
        ({"a.b": {"$ne": 1}}, "none scalar null bare b_null empty scalars some"),
        ({"a.b": {"$gt": 1}}, "maps some"),
        ({"a.b": 1, "a.c": 2}, "maps"),
        ({"a": {"$elemMatch": {"b": 1, "c": 2}}}, ""),
        ({"a": {"$elemMatch": {"b": {"$gte": 2}, "c": 2}}}, "maps"),
        ({"a": {"$elemMatch": {"$gt": 1, "$lt": 3}}}, "scalars"),
        ({"a": {"$elemMatch": {"$or": [{"b": 3}, {"c": 2}]}}}, "maps some"),
        ({"$or": [{"a": 4}, {"a.b": 3}]}, "scalar some"),
        ({"$and": [{"a.b": 1}, {"a.b": 2}]}, "maps"),
        ({"$nor": [{"a": {"$exists": True}}]}, "none"),
        ({"$or": [{"$and": [{"a": 1}, {"a": 2}]}, {"a": {}}]}, "scalars bare some"),
        ({}, "none scalar null bare b_null b_1 empty scalars maps some"),
    ],
)
def test_a_path_leads_through_maps_and_arrays(items: Items, query: Document, expected: str) -> None:
    items.insert_many(NESTED)
    assert set(ids(items.find(query))) == set(expected.split())


@pytest.mark.parametrize(
    ("query", "code"),
    [({"$or": []}, 2), ({"v": {"$in": 1}}, 2), ({"v": {"$gt": 1, "x": 2}}, 2), ({"v": {"$regex": "("}}, 51091)],
)
def test_a_query_that_makes_no_sense_is_refused(items: Items, query: Document, code: int) -> None:
    with pytest.raises(OperationFailure) as error:
        items.find_one(query)
    assert error.value.code == code


def test_numbers_are_one_type_however_they_are_stored(items: Items) -> None:
    items.insert_many([{"_id": 1, "v": 5}, {"_id": 2, "v": Int64(5)}, {"_id": 3, "v": 5.0}])
    assert ids(items.find({"v": 5}).sort("_id", 1)) == [1, 2, 3]
    assert only(items, 1.0)["v"] == 5
    with pytest.raises(DuplicateKeyError):
        items.insert_one({"_id": 1.0})


def test_an_indexed_field_finds_the_same_as_an_unindexed_one(items: Items) -> None:
    items.insert_many(MIXED)
    conditions: list[Any] = [1, None, True, "1", [1], [], {"$in": [1, None]}, {"$eq": 2}, {"$in": []}, "no"]
    without = [set(ids(items.find({"v": condition}))) for condition in conditions]
    items.create_index("v")
    assert [set(ids(items.find({"v": condition}))) for condition in conditions] == without
    items.update_many({"v": 1}, {"$set": {"v": "moved"}})
    items.delete_one({"_id": "float"})
    assert set(ids(items.find({"v": "moved"}))) == {"one", "array"}
    assert items.count_documents({"v": 1}) == 0


# Sort, skip, limit, projection, cursors


def test_mixed_types_sort_by_type_first_and_the_missing_lead(items: Items) -> None:
    items.insert_many(
        [
            {"_id": 9, "v": datetime(2024, 1, 1)},
            {"_id": 8, "v": False},
            {"_id": 7, "v": ObjectId()},
            {"_id": 6, "v": {"a": 1}},
            {"_id": 5, "v": "a"},
            {"_id": 4, "v": "Z"},
            {"_id": 3, "v": 10},
            {"_id": 2, "v": 9.5},
            {"_id": 1},
            {"_id": 0, "v": []},
        ]
    )
    assert ids(items.find().sort("v", ASCENDING)) == list(range(10))
    assert ids(items.find().sort("v", DESCENDING)) == list(range(9, -1, -1))


def test_arrays_sort_by_their_least_or_greatest_member(items: Items) -> None:
    items.insert_many([{"_id": 1, "v": [5, 1]}, {"_id": 2, "v": 3}, {"_id": 3, "v": [2, 4]}])
    assert ids(items.find().sort("v", 1)) == [1, 3, 2]
    assert ids(items.find().sort("v", -1)) == [1, 3, 2]


def test_a_compound_sort_goes_field_by_field(items: Items) -> None:
    rows = [(1, "b", 2), (2, "a", 1), (3, "a", 2), (4, "b", 1), (5, "a", 2)]
    items.insert_many({"_id": i, "g": {"x": x}, "n": n} for i, x, n in rows)
    assert ids(items.find().sort([("g.x", 1), ("n", -1), ("_id", -1)])) == [5, 3, 2, 1, 4]


def test_skip_and_limit_cut_a_window_from_the_sorted_whole(items: Items) -> None:
    items.insert_many({"_id": i} for i in range(10))
    assert ids(items.find().sort("_id", -1).skip(2).limit(3)) == [7, 6, 5]
    assert ids(items.find().sort("_id", 1).skip(8).limit(5)) == [8, 9]
    assert ids(items.find().sort("_id", 1).limit(0)) == list(range(10))
    assert items.count_documents({}, skip=3, limit=5) == 5
    assert items.count_documents({"_id": {"$gte": 5}}, skip=3) == 2
    assert items.estimated_document_count() == 10


@pytest.mark.parametrize(
    ("projection", "expected"),
    [
        ({"a": 1}, {"_id": 1, "a": 1}),
        ({"a": True, "_id": 0}, {"a": 1}),
        ({"_id": 1}, {"_id": 1}),
        ({"_id": 0, "m": 0, "l": 0}, {"a": 1}),
        ({"m.x": 1}, {"_id": 1, "m": {"x": 1}}),
        ({"m.x": 0, "l": 0}, {"_id": 1, "a": 1, "m": {"y": {"z": 2}}}),
        ({"m.y.z": 1, "_id": 0}, {"m": {"y": {"z": 2}}}),
        ({"l.x": 1, "_id": 0}, {"l": [{"x": 1}, {}]}),
        ({"l.x": 0, "m": 0}, {"_id": 1, "a": 1, "l": [{"y": 1}, {"y": 2}, 5]}),
        ({"a.x": 1, "_id": 0}, {}),
        ({"nothing": 1}, {"_id": 1}),
        ({}, {"_id": 1, "a": 1, "m": {"x": 1, "y": {"z": 2}}, "l": [{"x": 1, "y": 1}, {"y": 2}, 5]}),
        (["a"], {"_id": 1, "a": 1}),
    ],
)
def test_a_projection_keeps_or_leaves_out(items: Items, projection: Any, expected: Document) -> None:
    items.insert_one({"_id": 1, "a": 1, "m": {"x": 1, "y": {"z": 2}}, "l": [{"x": 1, "y": 1}, {"y": 2}, 5]})
    assert items.find_one({}, projection) == expected


def test_a_projection_does_not_mix_keeping_and_leaving_out(items: Items) -> None:
    items.insert_one({"_id": 1})
    for projection, code in (({"a": 1, "b": 0}, 31254), ({"a": 0, "b": 1}, 31253)):
        with pytest.raises(OperationFailure) as error:
            items.find_one({}, projection)
        assert error.value.code == code


@pytest.mark.parametrize("batch_size", [None, 1, 7, 101, 1000])
def test_a_cursor_gives_every_document_once_whatever_the_batches(items: Items, batch_size: int | None) -> None:
    items.insert_many({"_id": i} for i in range(250))
    cursor = items.find().sort("_id", 1)
    assert ids(cursor if batch_size is None else cursor.batch_size(batch_size)) == list(range(250))


def test_batches_stay_below_the_message_limit(items: Items) -> None:
    items.insert_many({"_id": i, "fill": "x" * 5_000_000} for i in range(12))
    assert ids(items.find().sort("_id", 1)) == list(range(12))


def test_a_closed_cursor_is_gone(items: Items) -> None:
    items.insert_many({"_id": i} for i in range(10))
    cursor = items.find().batch_size(2)
    next(cursor)
    number = cursor.cursor_id
    cursor.close()
    with pytest.raises(CursorNotFound):
        items.database.command("getMore", Int64(number or 0), collection=items.name)


def test_what_is_not_there_is_empty(items: Items, database: Database[Document]) -> None:
    assert items.find_one({}) is None
    assert list(items.find()) == []
    assert items.count_documents({}) == 0
    assert items.distinct("v") == []
    assert items.update_one({"_id": 1}, {"$set": {"v": 1}}).matched_count == 0
    assert items.delete_many({}).deleted_count == 0
    assert database.list_collection_names() == []


def test_distinct_counts_members_of_arrays_and_numbers_once(items: Items) -> None:
    items.insert_many([{"v": [1, "a"], "k": 1}, {"v": 1.0, "k": 1}, {"v": True, "k": 1}, {"k": 1}, {"v": "b", "k": 2}])
    assert sorted(map(str, items.distinct("v", {"k": 1}))) in (["1", "True", "a"], ["1.0", "True", "a"])
    assert sorted(map(str, items.distinct("v"))) in (["1", "True", "a", "b"], ["1.0", "True", "a", "b"])


# Values


def test_values_come_back_as_they_went_in(items: Items) -> None:
    when = datetime(2024, 5, 6, 7, 8, 9, 123000, tzinfo=UTC)
    document = {
        "_id": ObjectId(),
        "small": 7,
        "wide": Int64(7),
        "huge": 2**62,
        "float": 7.0,
        "decimal": Decimal128(Decimal("1.10")),
        "when": when,
        "bytes": b"\x00\xff",
        "text": "ü\u0000☃",
        "nested": {"deep": [{"empty": {}}, [], None, True]},
    }
    items.insert_one(document)
    aware: Items = items.with_options(CodecOptions(tz_aware=True))
    stored = aware.find_one({})
    assert stored == document
    assert {name: type(value) for name, value in stored.items() if name != "huge"} == {
        name: type(value) for name, value in document.items() if name != "huge"
    }
    assert type(stored["huge"]) is Int64


def test_dates_beyond_pythons_are_kept(database: Database[Document]) -> None:
    options: CodecOptions[Document] = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_AUTO)
    items: Items = database.get_collection("items", codec_options=options)
    items.insert_one({"_id": 1, "v": DatetimeMS(2**55)})
    assert only(items)["v"] == DatetimeMS(2**55)


def test_a_result_does_not_change_with_what_is_stored(items: Items) -> None:
    items.insert_many({"_id": i, "v": [i]} for i in range(5))
    cursor = items.find().sort("_id", 1)
    first = next(cursor)
    items.update_many({}, {"$push": {"v": 9}})
    assert first["v"] == [0]
    assert only(items, 0)["v"] == [0, 9]


# Inserts and errors


def test_an_insert_reports_its_ids_and_makes_missing_ones(items: Items) -> None:
    result = items.insert_many([{"v": 1}, {"_id": "own"}, {"v": 3}])
    assert result.inserted_ids[1] == "own"
    assert set(ids(items.find())) == set(result.inserted_ids)


def test_a_second_document_with_the_same_id_is_refused_with_its_key(items: Items) -> None:
    items.insert_one({"_id": 1, "v": 1})
    with pytest.raises(DuplicateKeyError) as error:
        items.insert_one({"_id": 1, "v": 2})
    details = error.value.details or {}
    assert (error.value.code, details["keyPattern"], details["keyValue"]) == (11000, {"_id": 1}, {"_id": 1})
    assert only(items)["v"] == 1


def test_an_array_is_no_id(items: Items) -> None:
    with pytest.raises(WriteError):
        items.insert_one({"_id": [1]})


def test_an_ordered_batch_ends_with_its_first_error(items: Items) -> None:
    with pytest.raises(BulkWriteError) as error:
        items.insert_many([{"_id": 1}, {"_id": 1}, {"_id": 2}])
    details = error.value.details
    assert details["nInserted"] == 1
    assert [(e["index"], e["code"]) for e in details["writeErrors"]] == [(1, 11000)]
    assert ids(items.find()) == [1]


def test_an_unordered_batch_does_all_it_can(items: Items) -> None:
    with pytest.raises(BulkWriteError) as error:
        items.insert_many([{"_id": 1}, {"_id": 1}, {"_id": 2}, {"_id": 2}], ordered=False)
    assert [e["index"] for e in error.value.details["writeErrors"]] == [1, 3]
    assert sorted(ids(items.find())) == [1, 2]


def test_a_bulk_of_different_writes_reports_each_kind(items: Items) -> None:
    result = items.bulk_write(
        [
            InsertOne({"_id": 1, "v": 1}),
            InsertOne({"_id": 2, "v": 1}),
            UpdateMany({"v": 1}, {"$inc": {"v": 1}}),
            UpdateOne({"_id": 3}, {"$set": {"v": 5}}, upsert=True),
            ReplaceOne({"_id": 1}, {"w": 1}),
            DeleteOne({"_id": 2}),
        ]
    )
    assert (result.inserted_count, result.matched_count, result.modified_count) == (2, 3, 3)
    assert (result.deleted_count, result.upserted_ids) == (1, {3: 3})
    assert list(items.find().sort("_id", 1)) == [{"_id": 1, "w": 1}, {"_id": 3, "v": 5}]


def test_a_large_batch_is_split_and_kept_whole(items: Items) -> None:
    items.insert_many({"_id": i, "v": i % 7} for i in range(5000))
    assert items.count_documents({"v": 3}) == 714


def test_an_unacknowledged_write_is_done(items: Items) -> None:
    items.with_options(write_concern=WriteConcern(w=0)).insert_one({"_id": 1})
    # The read may take another connection and overtake the write.
    assert any(items.find_one({"_id": 1}) for _ in range(1000))


def test_majority_concerns_are_understood(items: Items) -> None:
    safe = items.with_options(write_concern=WriteConcern(w="majority"), read_concern=ReadConcern("majority"))
    safe.insert_one({"_id": 1})
    assert safe.find_one({"_id": 1}) == {"_id": 1}


def test_a_session_may_be_given(client: MongoClient[Document], items: Items) -> None:
    with client.start_session() as session:
        items.insert_one({"_id": 1}, session=session)
        assert items.find_one({"_id": 1}, session=session) == {"_id": 1}


# Updates


@pytest.mark.parametrize(
    ("before", "update", "after"),
    [
        ({"a": 1}, {"$set": {"a": 2, "b": 3}}, {"a": 2, "b": 3}),
        ({}, {"$set": {"m.x.y": 1}}, {"m": {"x": {"y": 1}}}),
        ({"m": {"x": 1}}, {"$set": {"m.y": 2}}, {"m": {"x": 1, "y": 2}}),
        ({"a": 1, "b": 2}, {"$unset": {"a": "", "none": "", "b.x": "", "no.ne": ""}}, {"b": 2}),
        ({"m": {"x": 1, "y": 2}}, {"$unset": {"m.x": ""}}, {"m": {"y": 2}}),
        ({"m": {"x": 1}}, {"$unset": {"m.x": ""}}, {"m": {}}),
        ({"a": 1}, {"$inc": {"a": 2, "b": -3, "m.n": 1}}, {"a": 3, "b": -3, "m": {"n": 1}}),
        ({"a": 1}, {"$inc": {"a": 0.5}}, {"a": 1.5}),
        ({"a": 2**31 - 1}, {"$inc": {"a": 1}}, {"a": 2**31}),
        ({"a": 5, "b": 5}, {"$min": {"a": 3, "b": 7, "c": 1}}, {"a": 3, "b": 5, "c": 1}),
        ({"a": 5, "b": 5}, {"$max": {"a": 3, "b": 7, "c": 1}}, {"a": 5, "b": 7, "c": 1}),
        ({"a": 5}, {"$max": {"a": "text"}}, {"a": "text"}),
        ({}, {"$push": {"l": 1}}, {"l": [1]}),
        ({"l": [1]}, {"$push": {"l": [2, 3]}}, {"l": [1, [2, 3]]}),
        ({"l": [1]}, {"$push": {"l": {"$each": [2, 3]}}}, {"l": [1, 2, 3]}),
        ({"l": [1, 2]}, {"$push": {"l": {"$each": [3, 4], "$slice": -3}}}, {"l": [2, 3, 4]}),
        ({"l": [1, 2]}, {"$push": {"l": {"$each": [3, 4], "$slice": 3}}}, {"l": [1, 2, 3]}),
        ({"l": [1, 2]}, {"$push": {"l": {"$each": [3], "$slice": 0}}}, {"l": []}),
        ({"l": [1]}, {"$addToSet": {"l": 1.0}}, {"l": [1]}),
        ({"l": [1]}, {"$addToSet": {"l": True}}, {"l": [1, True]}),
        ({"l": [1]}, {"$addToSet": {"l": {"$each": [2, 2, 1]}}}, {"l": [1, 2]}),
        ({}, {"$addToSet": {"l": {"a": 1}}}, {"l": [{"a": 1}]}),
        ({"l": [1, 2, 1, "1"]}, {"$pull": {"l": 1}}, {"l": [2, "1"]}),
        ({"l": [1, 5, 9]}, {"$pull": {"l": {"$gte": 5}}}, {"l": [1]}),
        ({"l": [1, 5, 9]}, {"$pull": {"l": {"$in": [1, 9]}}}, {"l": [5]}),
        ({"l": [{"a": 1, "b": 1}, {"a": 2}, 3]}, {"$pull": {"l": {"a": 1}}}, {"l": [{"a": 2}, 3]}),
        ({"l": [[1], 1]}, {"$pull": {"l": [1]}}, {"l": [1]}),
        ({"a": 1}, {"$pull": {"none": 1}}, {"a": 1}),
        ({"a": 1}, {"$setOnInsert": {"a": 2, "b": 2}}, {"a": 1}),
        ({"a": 1}, {"$set": {"b": 1}, "$inc": {"a": 1}, "$push": {"l": 1}}, {"a": 2, "b": 1, "l": [1]}),
    ],
)
def test_an_update_does_what_its_operators_say(
    items: Items, before: Document, update: Document, after: Document
) -> None:
    items.insert_one({"_id": 1, **before})
    result = items.update_one({"_id": 1}, update)
    assert only(items) == {"_id": 1, **after}
    assert (result.matched_count, result.modified_count) == (1, int(before != after))


def test_numbers_keep_their_width_through_inc(items: Items) -> None:
    items.insert_one({"_id": 1, "small": 1, "wide": Int64(1), "edge": 2**31 - 1, "float": 1.0})
    items.update_one({"_id": 1}, {"$inc": {"small": 1, "wide": 1, "edge": 1, "float": 1}})
    types = {name: type(value) for name, value in only(items).items() if name != "_id"}
    assert types == {"small": int, "wide": Int64, "edge": Int64, "float": float}


def test_a_change_of_nothing_modifies_nothing(items: Items) -> None:
    items.insert_one({"_id": 1, "a": 1, "l": [1]})
    for update in ({"$set": {"a": 1}}, {"$addToSet": {"l": 1}}, {"$inc": {"a": 0}}, {"$max": {"a": 0}}):
        result = items.update_one({"_id": 1}, update)
        assert (result.matched_count, result.modified_count) == (1, 0)


@pytest.mark.parametrize(
    ("update", "code"),
    [
        ({"$inc": {"text": 1}}, 14),
        ({"$inc": {"null": 1}}, 14),
        ({"$inc": {"n": "1"}}, 14),
        ({"$push": {"n": 1}}, 2),
        ({"$addToSet": {"n": 1}}, 2),
        ({"$pull": {"n": 1}}, 2),
        ({"$set": {"n.x": 1}}, 28),
        ({"$pull": {"n.x": 1}}, 28),
        ({"$set": {"null.x": 1}}, 28),
        ({"$set": {"l.x": 1}}, 28),
        ({"$set": {"_id": 2}}, 66),
        ({"$unset": {"_id": ""}}, 66),
        ({"$set": {"a": 1}, "$inc": {"a": 1}}, 40),
        ({"$set": {"a": 1, "a.b": 1}}, 40),
        ({"$nonsense": {"a": 1}}, 9),
        ({"$set": {"a..b": 1}}, 56),
        ({"$set": 5}, 9),
    ],
)
def test_an_update_that_cannot_be_done_changes_nothing(items: Items, update: Document, code: int) -> None:
    document = {"_id": 1, "n": 1, "text": "x", "null": None, "l": [], "good": 1}
    items.insert_one(document)
    good: Document = {"$set": {"aaa": 1}} if "$set" not in update else {"$max": {"aaa": 1}}
    for change in (update, {**good, **update}):
        with pytest.raises(OperationFailure) as error:
            items.update_one({"_id": 1}, change)
        assert error.value.code == code
        assert only(items) == document


def test_current_date_is_now(items: Items) -> None:
    items.insert_one({"_id": 1})
    items.update_one({"_id": 1}, {"$currentDate": {"at": True, "m.at": {"$type": "date"}}})
    document = only(items)
    assert abs((datetime.now(UTC).replace(tzinfo=None) - document["at"]).total_seconds()) < 60
    assert isinstance(document["m"]["at"], datetime)


def test_update_many_counts_the_matched_and_the_modified(items: Items) -> None:
    items.insert_many({"_id": i, "v": i % 2} for i in range(6))
    result = items.update_many({"_id": {"$lt": 4}}, {"$set": {"v": 1}})
    assert (result.matched_count, result.modified_count) == (4, 2)
    assert items.count_documents({"v": 1}) == 5


def test_update_one_changes_one(items: Items) -> None:
    items.insert_many({"_id": i, "v": 0} for i in range(3))
    assert items.update_one({"v": 0}, {"$set": {"v": 1}}).modified_count == 1
    assert items.count_documents({"v": 1}) == 1


def test_a_replacement_keeps_the_id_only(items: Items) -> None:
    items.insert_one({"_id": 1, "a": 1, "b": 2})
    assert items.replace_one({"a": 1}, {"c": 3}).modified_count == 1
    assert only(items) == {"_id": 1, "c": 3}
    with pytest.raises(WriteError) as error:
        items.replace_one({"_id": 1}, {"_id": 2})
    assert error.value.code == 66


def test_an_upsert_starts_from_what_the_filter_demands(items: Items) -> None:
    query = {"_id": "x", "kind": {"$eq": "book"}, "n": {"$gte": 3}, "m.k": 1, "$and": [{"also": True}]}
    update = {"$set": {"price": 5}, "$setOnInsert": {"made": 1}, "$inc": {"times": 1}}
    result = items.update_one(query, update, upsert=True)
    assert (result.matched_count, result.modified_count, result.upserted_id) == (0, 0, "x")
    expected = {"_id": "x", "kind": "book", "m": {"k": 1}, "also": True, "price": 5, "made": 1, "times": 1}
    assert only(items, "x") == expected


def test_an_upsert_that_finds_something_updates_it(items: Items) -> None:
    items.insert_one({"_id": 1, "times": 1})
    result = items.update_one({"_id": 1}, {"$inc": {"times": 1}, "$setOnInsert": {"made": 1}}, upsert=True)
    assert (result.matched_count, result.modified_count, result.upserted_id) == (1, 1, None)
    assert only(items) == {"_id": 1, "times": 2}


def test_an_upsert_without_an_id_makes_one(items: Items) -> None:
    result = items.update_one({"sku": "s"}, {"$set": {"v": 1}}, upsert=True)
    assert isinstance(result.upserted_id, ObjectId)
    assert items.find_one({"sku": "s"}) == {"_id": result.upserted_id, "sku": "s", "v": 1}


def test_an_upsert_by_replacement_takes_the_filters_id(items: Items) -> None:
    assert items.replace_one({"_id": 7, "a": 1}, {"b": 2}, upsert=True).upserted_id == 7
    assert only(items, 7) == {"_id": 7, "b": 2}


def test_a_guarded_upsert_that_misses_its_guard_is_a_duplicate(items: Items) -> None:
    items.insert_one({"_id": 1, "version": 2})
    with pytest.raises(DuplicateKeyError):
        items.update_one({"_id": 1, "version": 1}, {"$set": {"v": 1}}, upsert=True)
    assert only(items) == {"_id": 1, "version": 2}


# Find and modify


def test_find_one_and_update_gives_the_document_before_or_after(items: Items) -> None:
    items.insert_one({"_id": 1, "v": 1, "other": 0})
    assert items.find_one_and_update({"_id": 1}, {"$inc": {"v": 1}}) == {"_id": 1, "v": 1, "other": 0}
    after = items.find_one_and_update(
        {"_id": 1}, {"$inc": {"v": 1}}, projection={"v": 1}, return_document=ReturnDocument.AFTER
    )
    assert after == {"_id": 1, "v": 3}
    assert items.find_one_and_update({"_id": 2}, {"$inc": {"v": 1}}) is None


def test_find_one_and_update_takes_the_first_by_its_sort(items: Items) -> None:
    items.insert_many({"_id": i, "due": 10 - i, "state": "new"} for i in range(3))
    taken = items.find_one_and_update({"state": "new"}, {"$set": {"state": "taken"}}, sort=[("due", 1)])
    assert taken == {"_id": 2, "due": 8, "state": "new"}


def test_find_one_and_update_may_upsert(items: Items) -> None:
    update = {"$setOnInsert": {"v": 1}}
    assert items.find_one_and_update({"_id": 1}, update, upsert=True) is None
    after = items.find_one_and_update({"_id": 2}, update, upsert=True, return_document=ReturnDocument.AFTER)
    assert after == {"_id": 2, "v": 1}


def test_find_one_and_replace_and_delete(items: Items) -> None:
    items.insert_many([{"_id": 1, "v": 1}, {"_id": 2, "v": 2}])
    assert items.find_one_and_replace({"_id": 1}, {"w": 1}, return_document=ReturnDocument.AFTER) == {"_id": 1, "w": 1}
    assert items.find_one_and_delete({}, sort=[("_id", -1)], projection={"_id": 0}) == {"v": 2}
    assert items.find_one_and_delete({"_id": 2}) is None
    assert ids(items.find()) == [1]


def test_find_one_and_update_reports_a_duplicate_key(items: Items) -> None:
    items.create_index("sku", unique=True)
    items.insert_many([{"_id": 1, "sku": "a"}, {"_id": 2, "sku": "b"}])
    with pytest.raises(DuplicateKeyError) as error:
        items.find_one_and_update({"_id": 2}, {"$set": {"sku": "a"}})
    details = error.value.details or {}
    assert (details["keyPattern"], details["keyValue"]) == ({"sku": 1}, {"sku": "a"})


# Deletes


def test_deletes_take_one_or_all_that_match(items: Items) -> None:
    items.insert_many({"_id": i, "v": i % 2} for i in range(6))
    assert items.delete_one({"v": 0}).deleted_count == 1
    assert items.delete_many({"v": 0}).deleted_count == 2
    assert items.delete_one({"_id": 99}).deleted_count == 0
    assert sorted(ids(items.find())) == [1, 3, 5]
    assert items.delete_many({}).deleted_count == 3


# Indexes


def test_a_unique_index_holds_for_inserts_updates_and_upserts(items: Items) -> None:
    items.create_index("sku", unique=True)
    items.insert_many([{"_id": 1, "sku": "a"}, {"_id": 2, "sku": "b"}])
    writes: list[Callable[[], object]] = [
        lambda: items.insert_one({"sku": "a"}),
        lambda: items.update_one({"_id": 2}, {"$set": {"sku": "a"}}),
        lambda: items.replace_one({"_id": 2}, {"sku": "a"}),
        lambda: items.update_one({"_id": 3}, {"$set": {"sku": "a"}}, upsert=True),
    ]
    for write in writes:
        with pytest.raises(DuplicateKeyError) as error:
            write()
        details = error.value.details or {}
        assert (error.value.code, details["keyPattern"], details["keyValue"]) == (11000, {"sku": 1}, {"sku": "a"})
    assert list(items.find().sort("_id", 1)) == [{"_id": 1, "sku": "a"}, {"_id": 2, "sku": "b"}]
    items.update_one({"_id": 1}, {"$set": {"sku": "a", "v": 1}})
    items.delete_one({"_id": 1})
    items.insert_one({"_id": 4, "sku": "a"})


def test_a_unique_compound_index_compares_all_its_fields(items: Items) -> None:
    items.create_index([("kind", 1), ("m.sku", -1)], unique=True)
    items.insert_many([{"_id": 1, "kind": "x", "m": {"sku": 1}}, {"_id": 2, "kind": "x", "m": {"sku": 2}}])
    with pytest.raises(DuplicateKeyError) as error:
        items.insert_one({"kind": "x", "m": {"sku": 2.0}})
    details = error.value.details or {}
    assert (details["keyPattern"], details["keyValue"]) == ({"kind": 1, "m.sku": -1}, {"kind": "x", "m.sku": 2})
    items.insert_one({"_id": 3, "kind": "x", "m": {"sku": "2"}})


def test_a_unique_index_takes_the_missing_for_null(items: Items) -> None:
    items.create_index("sku", unique=True)
    items.insert_one({"_id": 1})
    with pytest.raises(DuplicateKeyError) as error:
        items.insert_one({"_id": 2, "sku": None})
    assert (error.value.details or {})["keyValue"] == {"sku": None}


def test_a_unique_index_is_not_made_over_duplicates(items: Items) -> None:
    items.insert_many([{"v": 1}, {"v": 1}])
    with pytest.raises(DuplicateKeyError):
        items.create_index("v", unique=True)
    assert list(items.index_information()) == ["_id_"]


def test_indexes_are_listed_made_once_and_dropped(items: Items) -> None:
    models = [IndexModel([("a", 1), ("b", -1)]), IndexModel("sku", name="by_sku", unique=True)]
    assert items.create_indexes(models) == ["a_1_b_-1", "by_sku"]
    assert items.create_indexes(models) == ["a_1_b_-1", "by_sku"]
    information = items.index_information()
    assert {name: index["key"] for name, index in information.items()} == {
        "_id_": [("_id", 1)],
        "a_1_b_-1": [("a", 1), ("b", -1)],
        "by_sku": [("sku", 1)],
    }
    assert [name for name, index in information.items() if index.get("unique")] == ["by_sku"]
    items.drop_index("by_sku")
    items.drop_index([("a", 1), ("b", -1)])
    assert list(items.index_information()) == ["_id_"]
    with pytest.raises(OperationFailure) as error:
        items.drop_index("by_sku")
    assert error.value.code == 27
    items.create_index("a")
    items.drop_indexes()
    assert list(items.index_information()) == ["_id_"]


def test_an_index_may_not_change_under_its_name(items: Items) -> None:
    items.create_index("a", name="n")
    with pytest.raises(OperationFailure) as error:
        items.create_index("b", name="n")
    assert error.value.code == 86
    with pytest.raises(OperationFailure) as error:
        items.create_index("a", name="other")
    assert error.value.code == 85


# Aggregation

SALES: list[Document] = [
    {"_id": 1, "kind": "book", "price": 10, "tags": ["a", "b"], "m": {"x": 1}},
    {"_id": 2, "kind": "book", "price": 20, "tags": [], "m": {"x": 1}},
    {"_id": 3, "kind": "phone", "price": 2.5, "tags": "a"},
    {"_id": 4, "price": None, "tags": None, "m": {"x": 2}},
    {"_id": 5, "kind": "phone", "price": "n/a"},
]


@pytest.mark.parametrize(
    ("pipeline", "expected"),
    [
        ([{"$match": {"kind": "book"}}, {"$count": "n"}], [{"n": 2}]),
        ([{"$match": {"kind": "none"}}, {"$count": "n"}], []),
        (
            [{"$group": {"_id": "$kind", "n": {"$sum": 1}, "total": {"$sum": "$price"}}}, {"$sort": {"_id": 1}}],
            [
                {"_id": None, "n": 1, "total": 0},
                {"_id": "book", "n": 2, "total": 30},
                {"_id": "phone", "n": 2, "total": 2.5},
            ],
        ),
        (
            [
                {
                    "$group": {
                        "_id": None,
                        "avg": {"$avg": "$price"},
                        "min": {"$min": "$price"},
                        "max": {"$max": "$price"},
                    }
                }
            ],
            [{"_id": None, "avg": 32.5 / 3, "min": 2.5, "max": "n/a"}],
        ),
        (
            [{"$match": {"_id": 4}}, {"$group": {"_id": 1, "a": {"$avg": "$price"}, "m": {"$max": "$price"}}}],
            [{"_id": 1, "a": None, "m": None}],
        ),
        ([{"$match": {"_id": 99}}, {"$group": {"_id": None, "n": {"$sum": 1}}}], []),
        (
            [
                {"$sort": {"_id": -1}},
                {"$group": {"_id": "$kind", "f": {"$first": "$_id"}, "l": {"$last": "$m"}, "p": {"$push": "$m.x"}}},
                {"$sort": {"_id": 1}},
            ],
            [
                {"_id": None, "f": 4, "l": {"x": 2}, "p": [2]},
                {"_id": "book", "f": 2, "l": {"x": 1}, "p": [1, 1]},
                {"_id": "phone", "f": 5, "l": None, "p": []},
            ],
        ),
        (
            [
                {"$group": {"_id": "$none", "s": {"$addToSet": "$m.x"}}},
                {"$unwind": "$s"},
                {"$sort": {"s": 1}},
                {"$count": "n"},
            ],
            [{"n": 2}],
        ),
        (
            [
                {"$group": {"_id": {"k": "$kind", "x": "$m.x"}, "n": {"$sum": 1}}},
                {"$sort": {"n": -1, "_id.x": 1}},
                {"$limit": 2},
            ],
            [{"_id": {"k": "phone"}, "n": 2}, {"_id": {"k": "book", "x": 1}, "n": 2}],
        ),
        ([{"$sort": {"_id": -1}}, {"$skip": 1}, {"$limit": 2}, {"$project": {"_id": 1}}], [{"_id": 4}, {"_id": 3}]),
        ([{"$match": {"_id": 1}}, {"$project": {"m": 0, "tags": 0}}], [{"_id": 1, "kind": "book", "price": 10}]),
        (
            [{"$unwind": "$tags"}, {"$group": {"_id": "$tags", "n": {"$sum": 1}}}, {"$sort": {"n": -1, "_id": 1}}],
            [{"_id": "a", "n": 2}, {"_id": "b", "n": 1}],
        ),
        (
            [
                {"$unwind": {"path": "$tags", "preserveNullAndEmptyArrays": True}},
                {"$project": {"tags": 1}},
                {"$sort": {"_id": 1, "tags": 1}},
            ],
            [
                {"_id": 1, "tags": "a"},
                {"_id": 1, "tags": "b"},
                {"_id": 2},
                {"_id": 3, "tags": "a"},
                {"_id": 4, "tags": None},
                {"_id": 5},
            ],
        ),
        (
            [
                {"$match": {"kind": {"$exists": True}}},
                {
                    "$facet": {
                        "kinds": [{"$group": {"_id": "$kind", "n": {"$sum": 1}}}, {"$sort": {"_id": 1}}],
                        "page": [{"$sort": {"_id": -1}}, {"$limit": 1}, {"$project": {"_id": 1}}],
                        "total": [{"$count": "n"}],
                        "none": [{"$match": {"_id": 99}}],
                    }
                },
            ],
            [
                {
                    "kinds": [{"_id": "book", "n": 2}, {"_id": "phone", "n": 2}],
                    "page": [{"_id": 5}],
                    "total": [{"n": 4}],
                    "none": [],
                }
            ],
        ),
    ],
)
def test_a_pipeline_gives_what_its_stages_say(items: Items, pipeline: list[Document], expected: list[Document]) -> None:
    items.insert_many(SALES)
    assert list(items.aggregate(pipeline)) == expected


def test_a_long_aggregation_comes_in_batches(items: Items) -> None:
    items.insert_many({"_id": i} for i in range(300))
    assert ids(items.aggregate([{"$sort": {"_id": 1}}], batchSize=50)) == list(range(300))


# Databases and collections


def test_collections_are_made_listed_and_dropped(database: Database[Document]) -> None:
    database.create_collection("empty")
    database.full.insert_one({"_id": 1})
    assert sorted(database.list_collection_names()) == ["empty", "full"]
    assert database.list_collection_names(filter={"name": "full"}) == ["full"]
    with pytest.raises(CollectionInvalid):
        database.create_collection("full")
    database.full.drop()
    database.full.drop()
    assert database.list_collection_names() == ["empty"]


def test_a_dropped_database_is_gone_with_its_indexes(
    client: MongoClient[Document], database: Database[Document]
) -> None:
    database.items.create_index("sku", unique=True)
    database.items.insert_one({"_id": 1, "sku": 1})
    assert database.name in client.list_database_names()
    client.drop_database(database.name)
    assert database.name not in client.list_database_names()
    database.items.insert_many([{"sku": 1}, {"sku": 1}])


def test_the_server_says_what_it_is(client: MongoClient[Document]) -> None:
    assert client.admin.command("ping")["ok"] == 1
    assert client.admin.command("hello")["isWritablePrimary"]
    assert int(client.server_info()["version"].split(".")[0]) >= 7


# Many at once


def test_guarded_updates_of_many_threads_are_exact(items: Items) -> None:
    """The stock rule: reserve only what is available, once an order."""
    items.insert_one({"_id": "i", "available": 500, "holds": {}})
    won: list[str] = []

    def reserve(worker: int) -> None:
        for n in range(100):
            # Every order is tried by two workers, and half of all tries cannot be served.
            order = f"o{worker // 2}_{n}"
            query = {"_id": "i", "available": {"$gte": 2}, f"holds.{order}": {"$exists": False}}
            change = {"$inc": {"available": -2}, "$set": {f"holds.{order}": {"n": 2, "expires": 5}}}
            if items.update_one(query, change).modified_count:
                won.append(order)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(reserve, range(8)))
    document = only(items, "i")
    assert document["available"] == 0
    assert len(won) == len(set(won)) == 250
    assert set(document["holds"]) == set(won)


def test_one_of_many_wins_a_unique_key(items: Items) -> None:
    items.create_index("sku", unique=True)

    def insert(n: int) -> bool:
        try:
            items.insert_one({"sku": n % 25})
        except DuplicateKeyError:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(insert, range(150)))
    assert outcomes.count(True) == 25
    assert sorted(items.distinct("sku")) == list(range(25))


# Random lists against a naive oracle

_VALUES: list[Any] = [None, -1, 0, 1, 1.0, 2, 2.5, 10**12, "", "a", "B", "b", True, False]
_COMPARES: dict[str, Callable[[Any, Any], bool]] = {
    "$eq": operator.eq,
    "$gt": operator.gt,
    "$gte": operator.ge,
    "$lt": operator.lt,
    "$lte": operator.le,
}


def _bracket(value: Any) -> int:
    kinds: list[tuple[Any, int]] = [(type(None), 0), (bool, 3), ((int, float), 1), (str, 2)]
    return next(rank for kind, rank in kinds if isinstance(value, kind))


def _compares(name: str, value: Any, bound: Any) -> bool:
    if _bracket(value) != _bracket(bound):
        return False
    if value is None:
        return name in ("$eq", "$gte", "$lte")
    return _COMPARES[name](value, bound)


def _matches(document: Document, query: Document) -> bool:
    return all(_compares(op, document.get(name), bound) for name, c in query.items() for op, bound in c.items())


def _sorted(documents: list[Document], sort: list[tuple[str, int]]) -> list[Document]:
    for name, direction in reversed(sort):

        def key(document: Document, name: str = name) -> tuple[int, Any]:
            value = document.get(name)
            return (_bracket(value), 0 if value is None else value)

        documents = sorted(documents, key=key, reverse=direction == -1)
    return documents


def test_random_lists_agree_with_a_naive_oracle(items: Items) -> None:
    seed = random.randrange(10**9)
    dice = random.Random(seed)
    documents: list[Document] = [
        {"_id": i} | {name: dice.choice(_VALUES) for name in "abc" if dice.random() < 0.8} for i in range(120)
    ]
    items.insert_many(documents)
    items.create_index("a")
    for _ in range(300):
        names = dice.sample("abc", dice.randrange(3))
        query = {name: {dice.choice(list(_COMPARES)): dice.choice(_VALUES)} for name in names}
        sort = [(name, dice.choice((1, -1))) for name in dice.sample("abc", dice.randrange(3))] + [("_id", 1)]
        skip, limit = dice.randrange(5), dice.randrange(1, 30)
        expected = _sorted([d for d in documents if _matches(d, query)], sort)
        found = list(items.find(query).sort(sort).skip(skip).limit(limit))
        assert found == expected[skip : skip + limit], f"seed {seed}: {query} {sort} {skip} {limit}"
        assert items.count_documents(query) == len(expected), f"seed {seed}: {query}"
