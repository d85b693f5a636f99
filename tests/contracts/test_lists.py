"""Sorted, windowed, projected, batched: what a list gives, also against a naive oracle."""

import operator
import random
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from bson import Int64, ObjectId
from pymongo import ASCENDING, DESCENDING
from pymongo.database import Database
from pymongo.errors import CursorNotFound, OperationFailure

from tests.contracts.helpers import Document, Items, ids


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
