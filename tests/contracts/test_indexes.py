"""Indexes, above all unique ones."""

from collections.abc import Callable

import pytest
from pymongo import IndexModel
from pymongo.errors import DuplicateKeyError, OperationFailure

from tests.contracts.helpers import Items


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
