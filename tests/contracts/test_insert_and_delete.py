"""Inserts, bulks and deletes, and the errors they report."""

import pytest
from pymongo import DeleteOne, InsertOne, MongoClient, ReplaceOne, UpdateMany, UpdateOne, WriteConcern
from pymongo.errors import BulkWriteError, DuplicateKeyError, WriteError
from pymongo.read_concern import ReadConcern

from tests.contracts.helpers import Document, Items, ids, only


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


def test_deletes_take_one_or_all_that_match(items: Items) -> None:
    items.insert_many({"_id": i, "v": i % 2} for i in range(6))
    assert items.delete_one({"v": 0}).deleted_count == 1
    assert items.delete_many({"v": 0}).deleted_count == 2
    assert items.delete_one({"_id": 99}).deleted_count == 0
    assert sorted(ids(items.find())) == [1, 3, 5]
    assert items.delete_many({}).deleted_count == 3
