"""Many writers at once: no update is lost, no guard is passed twice."""

from concurrent.futures import ThreadPoolExecutor

from pymongo.errors import DuplicateKeyError

from tests.contracts.helpers import Items, only


def test_guarded_updates_of_many_threads_are_exact(items: Items) -> None:
    """The stock rule: reserve only what is available, once an order."""
    items.insert_one({"_id": "i", "available": 500, "holds": {}})
    won: list[str] = []

    def reserve(worker: int) -> None:
        for n in range(100):
            # Every order is tried by two workers, and half of all tries cannot be served.
            order = f"o{worker // 2}_{n}"
            query = {"_id": "i", "available": {"$gte": 2}, f"holds.{order}": {"$exists": False}}
            change = {"$inc": {"available": -2}, "$set": {f"holds.{order}": {"n": 2, "expires": 5}}}
            if items.update_one(query, change).modified_count:
                won.append(order)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(reserve, range(8)))
    document = only(items, "i")
    assert document["available"] == 0
    assert len(won) == len(set(won)) == 250
    assert set(document["holds"]) == set(won)


def test_one_of_many_wins_a_unique_key(items: Items) -> None:
    items.create_index("sku", unique=True)

    def insert(n: int) -> bool:
        try:
            items.insert_one({"sku": n % 25})
        except DuplicateKeyError:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(insert, range(150)))
    assert outcomes.count(True) == 25
    assert sorted(items.distinct("sku")) == list(range(25))
