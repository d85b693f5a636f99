"""The one MongoDB client of the process, with deadlines on everything."""

from functools import cache
from typing import Any

from django.conf import settings
from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.database import Database

Document = dict[str, Any]


@cache
def _client() -> MongoClient[Document]:
    return MongoClient(
        settings.MONGO_URL,
        tz_aware=True,
        connect=False,
        appname=settings.SERVICE.name,
        serverSelectionTimeoutMS=2000,
        connectTimeoutMS=3000,  # of the monitor's questions too: who is late for one has all calls to it broken off
        socketTimeoutMS=5000,
        waitQueueTimeoutMS=2000,
        maxPoolSize=32,
    )


def database() -> Database[Document]:
    return _client()[settings.MONGO_DATABASE]


def collection(name: str) -> Collection[Document]:
    return database()[name]


def close() -> None:
    """Forgets the client; the next use makes a new one."""
    if _client.cache_info().currsize:
        _client().close()
        _client.cache_clear()


def ping() -> None:
    _client().admin.command("ping")
