"""Databases, collections, and the server itself."""

import pytest
from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import CollectionInvalid

from tests.contracts.helpers import Document


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
