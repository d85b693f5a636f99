"""Values come back as they went in."""

from datetime import UTC, datetime
from decimal import Decimal

from bson import Decimal128, Int64, ObjectId
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.datetime_ms import DatetimeMS
from pymongo.database import Database

from tests.contracts.helpers import Document, Items, only


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
