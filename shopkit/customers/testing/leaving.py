"""Who is held, and leaves or is released."""

from typing import Any

import pytest

from shopkit.customers import services
from shopkit.customers.testing.steps import (
    ADDRESS,
    PROFILE,
    TOLD,
    Steps,
    customers,
    everything,
    made,
    ok,
    refused,
    router,
    states,
    step,
)
from shopkit.customers.testing.stories import FIRST, SECOND, STORIES
from shopkit.errors import Conflict
from shopkit.testing import Caller, staff_caller


class LeavingTests(Steps):
    """The origin's side of a move."""

    @pytest.mark.parametrize("story", STORIES)
    def test_the_steps_are_answered_as_the_customer_router_expects(self, story: str) -> None:
        made()
        for name, move, status, code in STORIES[story]:
            more = {"origin": self.other} if name == "refuse" else {"to": self.other} if name == "hold" else {}
            answer: Any = self.arrive(move) if name == "arrive" else step(name, move, **more)
            assert (answer.status_code, answer.json().get("code", "")) == (status, code), (name, move)

    def test_the_steps_are_for_our_own_services_only(self) -> None:
        made()
        for who in (staff_caller(), Caller(HTTP_HOST="localhost", HTTP_X_USER_ID="c1", HTTP_X_CUSTOMER_TYPE=self.kind)):
            for name in ("hold", "arrive", "leave", "settle", "release", "refuse"):
                assert who.post(f"/internal/customers/c1/moves/{FIRST}/{name}/", {}).status_code == 403

    def test_all_that_a_customer_has_goes_along(self) -> None:
        made()
        taken = ok(self.hold())["customer"]
        assert taken == everything()
        profile = {name: value for name, value in PROFILE.items() if hasattr(customers().model, name)}
        if "birth_date" in profile:
            profile["birth_date"] = "1990-05-04"
        assert {name: taken["profile"][name] for name in profile} == profile
        assert [each["order_id"] for each in taken["rows"]["purchases"]] == ["o1"]
        assert [each["item_id"] for each in taken["rows"]["viewed_items"]] == ["book_1"]
        defaults = [(each["default_shipping"], each["default_billing"]) for each in taken["rows"].get("addresses", [])]
        assert defaults in ([], [(True, False), (False, True)])

    def test_who_is_held_is_still_here_but_does_not_change(self) -> None:
        made()
        held, before = ok(self.hold()), everything()
        assert self.see().status_code == 200
        assert self.listed()
        staff, one = staff_caller(), f"/api/{self.path}/c1/"
        writes = [
            staff.patch(one, {"first_name": "Eve"}),
            staff.put(one, {"first_name": "Eve"}),
            staff.delete(one),
            staff.post(f"{one}history/", {"item_id": "book_2"}),
            router().post("/internal/customers/c1/orders/", {**TOLD, "version": 5}),
        ]
        if hasattr(customers().model, "addresses"):
            address = f"{one}addresses/{customers().get(pk='c1').addresses.first().pk}/"
            writes += [staff.post(f"{one}addresses/", ADDRESS), staff.put(address, ADDRESS), staff.delete(address)]
        for answer in writes:
            refused(answer, "moving")
            assert answer["Retry-After"]
        assert everything() == before == held["customer"]

    def test_holding_again_gives_the_same(self) -> None:
        made()
        assert ok(self.hold()) == ok(self.hold())

    def test_another_move_can_not_hold_or_release_who_is_held(self) -> None:
        made()
        ok(self.hold())
        before = states()
        refused(self.hold(SECOND), "moving")
        ok(step("release", SECOND))
        assert states() == before

    def test_another_move_can_not_refuse_who_has_arrived(self) -> None:
        ok(self.arrive())
        before = states()
        ok(step("refuse", SECOND, origin=self.other))
        refused(self.arrive(SECOND), "move_undone")
        assert states() == before

    def test_who_is_released_is_as_before(self) -> None:
        made()
        before = everything()
        ok(self.hold())
        for _ in range(2):
            ok(step("release"))
        assert everything() == before
        assert ok(staff_caller().patch(f"/api/{self.path}/c1/", {"phone": "1"}))["phone"] == "1"

    def test_after_the_release_neither_hold_nor_leave_counts(self) -> None:
        made()
        for move in (FIRST, SECOND):
            if move == SECOND:
                ok(self.hold(move))
            ok(step("release", move))
            before = states()
            for late in (self.hold(move), step("leave", move)):
                refused(late, "move_undone")
            assert states() == before

    def test_a_late_step_of_an_earlier_move_changes_nothing(self) -> None:
        made()
        ok(self.hold(SECOND))
        for _held in (True, False):
            before = states()
            ok(step("release", FIRST))
            for late in (self.hold(FIRST), step("leave", FIRST)):
                refused(late, "move_undone")
            assert states() == before
            ok(step("release", SECOND))

    def test_nobody_leaves_who_was_not_held(self) -> None:
        made()
        refused(step("leave"), "move_undone")
        assert self.see().status_code == 200

    def test_who_left_is_said_to_be_elsewhere_and_nothing_of_them_stays(self) -> None:
        made()
        held = self.leave()
        ok(step("leave"))
        answer = self.see()
        self.at_other(answer)
        assert answer["Location"].endswith(f"?moved={held['ticket']}")
        assert not self.listed()
        left = everything()
        assert not any(left["rows"].values())
        assert not any(left["profile"].get(name) for name in PROFILE)

    def test_who_has_left_is_not_released_or_held(self) -> None:
        made()
        self.leave()
        before = states()
        refused(step("release"), "has_left")
        for late in (self.hold(), self.hold(SECOND)):
            refused(late, "move_undone")
        assert states() == before

    def test_orders_of_who_left_are_to_be_told_there(self) -> None:
        made()
        self.leave()
        answer = router().post("/internal/customers/c1/orders/", TOLD)
        assert answer.status_code == 307
        assert answer["Location"].startswith(f"/internal/{self.other_path}/c1/orders/?moved=")

    def test_nobody_is_held_who_is_not_here(self) -> None:
        refused(self.hold(), "not_found", 404)
        made()
        assert staff_caller().delete(f"/api/{self.path}/c1/").status_code == 204
        refused(self.hold(), "not_found", 404)

    def test_who_says_how_orders_are_while_they_leave_is_told_to_ask_again_or_elsewhere(self) -> None:
        made()
        ok(self.hold())
        refused(router().post(f"/internal/{self.path}/c1/orders/", TOLD), "moving")

    def test_an_address_found_before_they_left_is_not_written_after(self) -> None:
        customer = made()
        if not hasattr(customer, "addresses"):
            return
        address = customer.addresses.first()
        self.leave()
        for write in (services.keep_address, services.drop_address):
            with pytest.raises(Conflict) as stopped:
                write(address=address)
            assert stopped.value.code == "moving"
        assert not customer.addresses.exists()
