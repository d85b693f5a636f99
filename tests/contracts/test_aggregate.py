"""Pipelines and their stages."""

import pytest

from tests.contracts.helpers import Document, Items, ids

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
