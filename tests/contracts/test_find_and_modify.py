"""Reading and writing a document in one step."""

import pytest
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from tests.contracts.helpers import Items, ids


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


def test_an_upsert_of_an_id_that_is_there_in_another_state_is_a_duplicate(items: Items) -> None:
    said = {"$set": {"gone": False, "v": 1}}
    for expected in ({"_id": 1, "gone": False, "v": 1}, DuplicateKeyError, DuplicateKeyError):
        try:
            found = items.find_one_and_update({"_id": 1, "gone": True}, said, upsert=True, return_document=True)
        except DuplicateKeyError as error:
            found = type(error)
        assert found == expected
    items.update_one({"_id": 1}, {"$set": {"gone": True, "v": 0}})
    after = items.find_one_and_update({"_id": 1, "gone": True}, said, upsert=True, return_document=True)
    assert after == {"_id": 1, "gone": False, "v": 1}


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
