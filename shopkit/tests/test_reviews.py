"""Reviews and likes: one a customer and item; their sum on the item is right whoever writes at once, or dies midway."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from shopkit.items import changes, services
from shopkit.items.likes import LIKES
from shopkit.items.opinions import Opinions
from shopkit.items.reviews import REVIEWS
from shopkit.testing import Caller, at_once, caller

pytestmark = pytest.mark.usefixtures("store")
BOTH = [REVIEWS, LIKES]
Shown = Callable[[], Any]


@pytest.fixture
def book(staff: Caller) -> str:
    services.ensure_indexes()
    body = {"name": "Emma", "author": "Jane Austen", "price": "9.99", "stock": 3}
    return str(staff.post("/api/books/", body).json()["id"])


@pytest.fixture
def path(book: str) -> str:
    return f"/api/books/{book}/"


@pytest.fixture
def shown(path: str) -> Shown:
    return lambda: caller("anyone").get(path).json()


def post(path: str, who: str, rating: int, **more: Any) -> Any:
    return caller(who).post(f"{path}reviews/", {"rating": rating, **more})


def average(ratings: list[int]) -> dict[str, float]:
    return {"average": sum(ratings) / len(ratings) if ratings else 0.0, "count": len(ratings)}


def test_of_fifty_reviewers_at_once_the_average_is_exact(path: str, shown: Shown) -> None:
    chance = random.Random(5)
    ratings = [chance.randint(1, 5) for _ in range(50)]
    assert set(at_once(lambda n: post(path, f"c{n}", ratings[n]).status_code, 50)) == {201}
    assert shown()["rating"] == average(ratings)
    assert REVIEWS.stored.count_documents({"due": True}) == 0


def test_it_still_is_when_they_change_and_withdraw_and_are_removed_and_like_at_once(
    path: str, shown: Shown, staff: Caller
) -> None:
    ratings: dict[int, int] = dict(enumerate([1 + n % 5 for n in range(50)]))
    ids = at_once(lambda n: post(path, f"c{n}", ratings[n]).json()["id"], 50)

    def act(n: int) -> int:
        who = caller(f"c{n}")
        if n % 3 == 0:
            return who.patch(f"{path}reviews/mine/", {"rating": 6 - ratings[n]}).status_code
        if n % 3 == 1:
            return who.delete(f"{path}reviews/mine/").status_code
        return (who.post(f"{path}like/") if n % 2 else staff.delete(f"{path}reviews/{ids[n]}/")).status_code

    assert set(at_once(act, 50)) == {200, 204}
    left = [6 - ratings[n] if n % 3 == 0 else ratings[n] for n in ratings if n % 3 == 0 or (n % 3 == 2 and n % 2)]
    assert (shown()["rating"], shown()["likes"]) == (average(left), len([n for n in ratings if n % 3 == 2 and n % 2]))
    assert caller("anyone").get(f"{path}reviews/").json()["count"] == len(left)
    assert REVIEWS.stored.count_documents({}) == len(left)


def test_two_posts_of_one_customer_at_once_make_one_review(path: str, shown: Shown) -> None:
    answers = at_once(lambda n: post(path, "ada", 1 + n % 5), 8)
    assert sorted(each.status_code for each in answers) == [201] + [409] * 7
    assert {each.json()["code"] for each in answers if each.status_code == 409} == {"already_reviewed"}
    assert shown()["rating"]["count"] == 1


def test_likes_of_many_at_once_each_several_times_are_counted_once_each(path: str, shown: Shown) -> None:
    assert set(at_once(lambda n: caller(f"c{n % 15}").post(f"{path}like/").status_code, 45)) == {200}
    assert shown()["likes"] == 15
    assert set(at_once(lambda n: caller(f"c{n % 5}").delete(f"{path}like/").status_code, 15)) == {204}
    assert shown()["likes"] == 10


def test_who_withdrew_a_review_may_write_another_however_often(path: str, shown: Shown) -> None:
    def again(n: int) -> None:
        who = f"c{n % 10}"
        post(path, who, 1 + n % 5)
        if n % 2:
            caller(who).delete(f"{path}reviews/mine/")

    at_once(again, 60)
    kept = caller("anyone").get(f"{path}reviews/?page_size=100").json()["results"]
    assert shown()["rating"] == average([each["rating"] for each in kept])


@pytest.mark.parametrize("opinions", BOTH, ids=lambda each: each.name)
def test_what_was_written_by_a_process_that_died_before_it_counted_is_counted_by_the_sweep(
    book: str, path: str, shown: Shown, monkeypatch: pytest.MonkeyPatch, opinions: Opinions
) -> None:
    opinions.say(book, "bob", rating=2)
    with monkeypatch.context() as dies:
        dies.setattr(Opinions, "count", lambda *_args: changes.items().find_one({}))
        opinions.say(book, "ada", rating=5)
        opinions.withdraw(opinions.mine(book, "bob")["_id"], book)  # type: ignore[index]
    assert counts(shown())[opinions.name] == 1
    before = shown()["version"]
    assert opinions.count_due() == 1
    assert (counts(shown())[opinions.name], shown()["version"]) == (1, before + 1)
    assert opinions is LIKES or shown()["rating"] == average([5])
    assert (opinions.count_due(), shown()["version"]) == (0, before + 1)
    assert opinions.stored.count_documents({}) == 1


def counts(item: Any) -> dict[str, int]:
    return {"reviews": item["rating"]["count"], "likes": item["likes"]}


@pytest.mark.parametrize("opinions", BOTH, ids=lambda each: each.name)
def test_a_sum_that_was_made_before_another_was_put_there_is_made_again(
    book: str, shown: Shown, monkeypatch: pytest.MonkeyPatch, opinions: Opinions
) -> None:
    """Between summing up and putting it on the item, another customer has their say."""
    change, others = changes.change, iter(["bob", "eve"])

    def overtaken(where: Any, **update: Any) -> Any:
        for other in others:
            opinions.say(book, other, rating=1)
        return change(where, **update)

    monkeypatch.setattr(changes, "change", overtaken)
    opinions.say(book, "ada", rating=4)
    assert counts(shown())[opinions.name] == 3


def test_what_changes_right_after_it_was_summed_up_stays_to_be_counted(
    book: str, shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the process that changed it dies."""
    settle = Opinions._settle

    def late(self: Opinions, due: Any) -> None:
        self._write({"item_id": book}, {"rating": 1})
        settle(self, due)

    with monkeypatch.context() as dies:
        dies.setattr(Opinions, "_settle", late)
        REVIEWS.say(book, "ada", rating=5)
    assert shown()["rating"] == average([5])
    assert REVIEWS.count_due() == 1
    assert shown()["rating"] == average([1])


def test_each_change_raises_the_items_version_and_leaves_it_to_be_told_of(book: str, path: str, shown: Shown) -> None:
    changes.items().update_one({"_id": book}, {"$unset": {"untold": ""}})
    post(path, "ada", 4)
    item = changes.items().find_one({"_id": book})
    assert item
    assert (item["version"], item["untold"]) == (2, True)
    assert "counted" not in shown()


@pytest.mark.parametrize("dies", [False, True])
def test_what_is_said_of_a_deleted_item_goes_with_it(
    book: str, path: str, staff: Caller, monkeypatch: pytest.MonkeyPatch, dies: bool
) -> None:
    for who in ("ada", "bob"):
        post(path, who, 3)
        caller(who).post(f"{path}like/")
    if dies:
        monkeypatch.setattr(services, "_forget", lambda _item: None)
    assert staff.delete(path).status_code == 204
    for opinions in BOTH:
        opinions.count_due()
        assert opinions.stored.count_documents({}) == 0
    assert post(path, "eve", 3).status_code == 404


def test_a_review_that_comes_while_its_item_is_deleted_is_not_kept(
    book: str, path: str, staff: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Opinions._write

    def late(self: Opinions, *args: Any, **more: Any) -> Any:
        services.delete(item_id=book, version=None)
        return write(self, *args, **more)

    monkeypatch.setattr(Opinions, "_write", late)
    assert post(path, "ada", 3).status_code == 404
    assert REVIEWS.stored.count_documents({}) == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "rating"),
        ({"rating": 0}, "rating"),
        ({"rating": 6}, "rating"),
        ({"rating": 4.5}, "rating"),
        ({"rating": None}, "rating"),
        ({"rating": True}, "rating"),
        ({"rating": 10**400}, "rating"),
        ({"rating": 5, "text": "x" * 5001}, "text"),
        ({"rating": 5, "text": {"$ne": 1}}, "text"),
    ],
)
def test_a_review_that_is_none_is_refused(path: str, ada: Caller, body: dict[str, Any], field: str) -> None:
    answer = ada.post(f"{path}reviews/", body)
    assert (answer.status_code, list(answer.json()["details"])) == (400, [field])


def test_what_is_not_the_authors_to_say_never_takes_effect(path: str, ada: Caller) -> None:
    lies = {"verified": True, "id": "x", "customer_id": "bob", "created_at": "2000-01-01", "withdrawn": True}
    made = ada.post(f"{path}reviews/", {"rating": 3, **lies}).json()
    changed = ada.patch(f"{path}reviews/mine/", {"rating": 4, **lies}).json()
    assert (changed["id"], changed["verified"], changed["created_at"]) == (made["id"], False, made["created_at"])
    assert caller("bob").get(f"{path}reviews/mine/").status_code == 404


def test_reviews_are_listed_in_pages_the_latest_first_or_as_asked(path: str, ada: Caller) -> None:
    for n in range(12):
        post(path, f"zoe-{n}", 1 + n % 5, text=f"n{n}")
    first = ada.get(f"{path}reviews/").json()
    assert (first["count"], len(first["results"]), first["previous"]) == (12, 10, None)
    assert len(ada.get(first["next"]).json()["results"]) == 2
    by_rating = ada.get(f"{path}reviews/?ordering=-rating&page_size=100").json()["results"]
    assert [each["rating"] for each in by_rating] == sorted((1 + n % 5 for n in range(12)), reverse=True)
    assert ada.get(f"{path}reviews/?ordering=customer_id").status_code == 400
    assert ada.get(f"{path}reviews/?page=9").status_code == 404
    assert "zoe" not in ada.get(f"{path}reviews/?page_size=100").content.decode()


def test_in_open_access_who_is_no_customer_has_no_opinion(path: str, staff: Caller) -> None:
    for answer in (
        staff.post(f"{path}reviews/", {"rating": 3}),
        staff.post(f"{path}like/"),
        staff.delete(f"{path}like/"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "no_customer")
    assert staff.get(f"{path}like/").json() == {"liked": False, "likes": 0}
    assert staff.get(f"{path}reviews/mine/").status_code == 404
