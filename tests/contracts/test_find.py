"""What a query finds: by conditions, by paths, with an index and without."""

import re
from datetime import datetime
from typing import Any

import pytest
from bson import Decimal128, Int64
from pymongo.errors import DuplicateKeyError, OperationFailure

from tests.contracts.helpers import Document, Items, ids, only

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
