"""One cart put into another: what becomes of each line by policy, what limits it, and that it happens once."""

from typing import Any

import pytest

from cart_service.models import MAX_LINES, Cart, CartLine
from cart_service.tests.conftest import Sells
from cart_service.tests.shop import Shop
from shopkit.testing import Caller, at_once, caller

pytestmark = pytest.mark.django_db(transaction=True)
NO_CART = "00000000-0000-4000-8000-000000000000"
ITEMS = ("book_1", "book_2", "book_3")


def filled(who: Caller, **quantities: int) -> str:
    """The id of a new cart of theirs with these lines."""
    made = str(who.post("/api/carts/").data["id"])
    for item_id, quantity in quantities.items():
        added = who.post(f"/api/carts/{made}/items/", {"item_id": item_id, "quantity": quantity})
        assert added.status_code == 201, added.content
    return made


@pytest.fixture
def both(ada: Caller, sells: Sells) -> tuple[str, str]:
    """Two carts of Ada's: in the first 2 of `book_1` and 3 of `book_2`, in the second 5 of `book_2`, 1 of `book_3`."""
    for item_id in ITEMS:
        sells(item_id)
    return filled(ada, book_1=2, book_2=3), filled(ada, book_2=5, book_3=1)


def merge(who: Caller, target: str, source: str, **more: Any) -> Any:
    headers = {"HTTP_IF_MATCH": more.pop("if_match")} if "if_match" in more else {}
    return who.post(f"/api/carts/{target}/merge/", {"from_cart": source, **more}, **headers)


def quantities(cart_id: str) -> dict[str, int]:
    return dict(CartLine.objects.filter(cart=cart_id).values_list("item_id", "quantity"))


def refused(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


@pytest.mark.parametrize(("policy", "second"), [("sum", 8), ("max", 5), ("keep", 3), ("replace", 5)])
def test_each_policy_says_how_many_there_are_of_what_was_in_both(
    ada: Caller, both: tuple[str, str], policy: str, second: int
) -> None:
    answer = merge(ada, *both, policy=policy)
    assert answer.status_code == 200
    assert quantities(both[0]) == {"book_1": 2, "book_2": second, "book_3": 1}
    assert {line["item_id"]: line["quantity"] for line in answer.json()["cart"]["items"]} == quantities(both[0])
    report = {each["item_id"]: each for each in answer.json()["report"]}
    of_both = {"item_id": "book_2", "name": "Clean Code", "had": 3, "came": 5, "has": second, "limited_by": None}
    assert report["book_2"] == of_both
    assert (report["book_3"]["had"], report["book_3"]["has"], len(report)) == (0, 1, 2)


def test_a_dry_run_says_the_same_and_changes_nothing(ada: Caller, both: tuple[str, str]) -> None:
    before = list(Cart.objects.order_by("pk").values())
    dry = merge(ada, *both, policy="sum", dry_run=True).json()
    assert (list(Cart.objects.order_by("pk").values()), quantities(both[1])) == (before, {"book_2": 5, "book_3": 1})
    done = merge(ada, *both, policy="sum").json()
    assert (dry["report"], dry["dry_run"], done["dry_run"]) == (done["report"], True, False)


def test_what_was_merged_sends_on_and_a_repetition_reports_the_same(ada: Caller, both: tuple[str, str]) -> None:
    first, again = merge(ada, *both), merge(ada, *both)
    assert first.json() == again.json()
    moved = ada.get(f"/api/carts/{both[1]}/")
    assert (moved.status_code, moved["Location"]) == (307, f"/api/carts/{both[0]}/")
    third = filled(ada)
    assert refused(merge(ada, third, both[1])) == (409, "cart_merged")


@pytest.mark.parametrize(
    ("policy", "stock", "has", "why"),
    [
        ("sum", 6, 6, "out_of_stock"),
        ("sum", 2, 3, "out_of_stock"),
        ("max", 4, 4, "out_of_stock"),
        ("replace", 4, 4, "out_of_stock"),
        ("sum", 0, 3, "out_of_stock"),
        ("keep", 0, 3, None),
    ],
)
def test_there_are_never_more_than_the_stock_nor_fewer_than_there_were(
    ada: Caller, both: tuple[str, str], sells: Sells, policy: str, stock: int, has: int, why: str | None
) -> None:
    sells("book_2", stock=stock)
    report = {each["item_id"]: each for each in merge(ada, *both, policy=policy).json()["report"]}
    assert (report["book_2"]["has"], report["book_2"]["limited_by"]) == (has, why)
    assert quantities(both[0])["book_2"] == has


@pytest.mark.parametrize(
    ("change", "why"),
    [({"price": None}, "not_for_sale"), ({"currency": "EUR"}, "foreign_currency"), ({"stock": 0}, "out_of_stock")],
)
def test_what_cannot_be_bought_does_not_come_along(
    ada: Caller, both: tuple[str, str], sells: Sells, change: dict[str, Any], why: str
) -> None:
    sells("book_3", **change)
    report = {each["item_id"]: each for each in merge(ada, *both).json()["report"]}
    assert (report["book_3"]["has"], report["book_3"]["limited_by"]) == (0, why)
    assert "book_3" not in quantities(both[0])


def test_a_merged_line_is_at_the_present_price(ada: Caller, both: tuple[str, str], sells: Sells) -> None:
    sells("book_2", price="1.00")
    lines = {line["item_id"]: line for line in merge(ada, *both).json()["cart"]["items"]}
    assert (lines["book_2"]["unit_price"], lines["book_2"]["price_changed"]) == ("1.00", False)


def test_a_cart_takes_only_so_many_lines_from_another(ada: Caller, both: tuple[str, str]) -> None:
    values = {"cart_id": both[0], "item_type": "book", "name": "B", "unit_price": 1, "quantity": 1}
    CartLine.objects.bulk_create([CartLine(item_id=f"book_x{n}", **values) for n in range(MAX_LINES - 2)])
    report = {each["item_id"]: each for each in merge(ada, *both).json()["report"]}
    assert (report["book_3"]["has"], report["book_3"]["limited_by"]) == (0, "cart_full")
    assert (report["book_2"]["has"], len(quantities(both[0]))) == (8, MAX_LINES)


def test_while_nobody_can_say_what_there_is_nothing_is_merged(ada: Caller, both: tuple[str, str], shop: Shop) -> None:
    shop.items["book_3"] = None
    assert merge(ada, *both).status_code == 503
    assert (quantities(both[0]), quantities(both[1])) == ({"book_1": 2, "book_2": 3}, {"book_2": 5, "book_3": 1})


def test_only_ones_own_carts_go_together(ada: Caller, bob: Caller, staff: Caller, both: tuple[str, str]) -> None:
    theirs = filled(bob, book_1=1)
    assert refused(merge(ada, both[0], theirs)) == (400, "unknown_cart")
    assert refused(merge(bob, both[0], theirs)) == (404, "not_found")
    assert refused(merge(ada, both[0], NO_CART)) == (400, "unknown_cart")
    assert refused(merge(ada, both[0], both[0])) == (400, "same_cart")
    assert refused(merge(staff, both[0], theirs)) == (409, "other_owner")
    assert (quantities(theirs), quantities(both[0])) == ({"book_1": 1}, {"book_1": 2, "book_2": 3})


@pytest.mark.parametrize("wrong", [{"policy": "most"}, {"from_cart": "x"}, {"dry_run": "perhaps"}, {"from_cart": None}])
def test_a_wish_that_makes_no_sense_is_refused_by_field(
    ada: Caller, both: tuple[str, str], wrong: dict[str, Any]
) -> None:
    answer = ada.post(f"/api/carts/{both[0]}/merge/", {"from_cart": both[1], **wrong})
    assert (answer.status_code, list(answer.json()["details"])) == (400, list(wrong))


def test_a_version_that_is_no_more_is_412(ada: Caller, both: tuple[str, str]) -> None:
    assert merge(ada, *both, if_match='"1"').status_code == 412
    assert quantities(both[1])
    answer = merge(ada, *both, if_match='"3"')
    assert (answer.status_code, answer["ETag"]) == (200, '"4"')


def test_a_cart_that_was_ordered_neither_comes_nor_takes(ada: Caller, both: tuple[str, str]) -> None:
    Cart.objects.filter(pk=both[1]).update(ordered_at="2026-01-01T00:00:00Z")
    assert refused(merge(ada, *both)) == (409, "cart_closed")
    assert refused(merge(ada, both[1], both[0])) == (409, "cart_closed")


def test_carts_in_different_currencies_do_not_go_together(ada: Caller, both: tuple[str, str]) -> None:
    Cart.objects.filter(pk=both[1]).update(currency="EUR")
    assert refused(merge(ada, *both)) == (409, "foreign_currency")


def test_however_many_merge_at_once_it_counts_once(ada: Caller, both: tuple[str, str]) -> None:
    answers = at_once(lambda _turn: merge(caller("ada"), *both), 16)
    assert {answer.status_code for answer in answers} == {200}
    assert quantities(both[0]) == {"book_1": 2, "book_2": 8, "book_3": 1}


def test_two_carts_put_into_each_other_at_once_end_as_one(ada: Caller, both: tuple[str, str]) -> None:
    """Each waits for the other's rows; taken in one order, nobody waits for ever."""
    codes = at_once(lambda turn: merge(caller("ada"), *both[:: 1 if turn % 2 else -1]).status_code, 16)
    assert set(codes) <= {200, 307, 409}
    lines = quantities(both[0]) | quantities(both[1])
    assert lines == {"book_1": 2, "book_2": 8, "book_3": 1}
    assert Cart.objects.filter(merged_into=None).count() == 1


def test_what_is_put_in_while_carts_are_merged_is_not_lost(ada: Caller, both: tuple[str, str]) -> None:
    def act(turn: int) -> int:
        if turn == 5:
            return int(merge(caller("ada"), *both).status_code)
        line = {"item_id": "book_1", "quantity": 1}
        return int(caller("ada").post(f"/api/carts/{both[0]}/items/", line).status_code)

    codes = at_once(act, 16)
    assert sorted(codes) == [200] + [201] * 15
    assert quantities(both[0]) == {"book_1": 17, "book_2": 8, "book_3": 1}
