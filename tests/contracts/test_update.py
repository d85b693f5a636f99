"""Updates, replacements and upserts."""

from datetime import UTC, datetime

import pytest
from bson import Int64, ObjectId
from pymongo.errors import DuplicateKeyError, OperationFailure, WriteError

from tests.contracts.helpers import Document, Items, only


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
