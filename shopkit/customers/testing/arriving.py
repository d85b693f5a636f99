"""Who arrives, and settles or is refused; for the first time, or back again."""

from shopkit.customers.testing.steps import PROFILE, TICKET, Steps, everything, made, ok, refused, states, step
from shopkit.customers.testing.stories import FIRST, SECOND, THIRD
from shopkit.testing import staff_caller


class ArrivingTests(Steps):
    """The target's side of a move."""

    def test_who_is_to_arrive_is_not_here_yet(self) -> None:
        for _ in range(2):
            ok(self.arrive())
            self.at_other(self.see())
            assert not self.listed()

    def test_with_the_right_ticket_they_are_here_at_once(self) -> None:
        ok(self.arrive())
        for wrong in ("?moved=another", "?moved=", "?moved=%C3%A9"):
            self.at_other(self.see(wrong))
            assert not self.listed()
        assert ok(self.see(f"?moved={TICKET}"))["id"] == "c1"
        assert ok(self.see())["id"] == "c1"
        assert self.listed()
        ok(step("settle"))

    def test_who_settled_has_all_that_came_along(self) -> None:
        ok(self.arrive())
        for _ in range(2):
            ok(step("settle"))
        here = ok(self.see())
        assert (here["customer_type"], here["first_name"]) == (self.kind, "Ada")
        assert here["preferences"] == {"colour": "blue"}
        rows = everything()["rows"]
        assert [each["order_id"] for each in rows["purchases"]] == ["o1"]
        assert [each["item_id"] for each in rows["viewed_items"]] == ["book_1"]
        assert [each["default_shipping"] for each in rows.get("addresses", [])] in ([], [True])

    def test_arriving_twice_doubles_nothing(self) -> None:
        ok(self.arrive())
        once = everything()
        ok(self.arrive())
        assert everything() == once
        ok(step("settle"))

    def test_a_late_arrival_does_not_take_back_what_was_changed_here(self) -> None:
        ok(self.arrive())
        ok(step("settle"))
        ok(staff_caller().patch(f"/api/{self.path}/c1/", {"first_name": "Augusta"}))
        ok(self.arrive())
        assert ok(self.see())["first_name"] == "Augusta"

    def test_who_was_refused_leaves_nothing_and_comes_no_more(self) -> None:
        ok(self.arrive())
        for _ in range(2):
            ok(step("refuse", origin=self.other))
        self.at_other(self.see())
        nothing = everything()
        assert not any(nothing["rows"].values())
        assert not any(nothing["profile"].get(name) for name in PROFILE)
        before = states()
        for late in (self.arrive(), step("settle")):
            refused(late, "move_undone")
        assert states() == before
        self.at_other(self.see(f"?moved={TICKET}"))

    def test_who_is_refused_before_they_arrive_does_not_arrive(self) -> None:
        ok(step("refuse", origin=self.other))
        refused(self.arrive(), "move_undone")
        self.at_other(self.see())
        assert not self.listed()

    def test_who_was_refused_may_come_with_another_move(self) -> None:
        ok(self.arrive())
        ok(step("refuse", origin=self.other))
        ok(self.arrive(SECOND, "another"))
        before = states()
        ok(step("refuse", FIRST, origin=self.other))  # late
        refused(self.arrive(FIRST), "move_undone")
        assert states() == before
        for _ in range(2):
            ok(step("settle", SECOND))
            ok(step("release", FIRST))  # later still, and no reason for not settling
        assert ok(self.see())["first_name"] == "Ada"

    def test_who_has_settled_is_not_refused(self) -> None:
        ok(self.arrive())
        ok(step("settle"))
        before = states()
        for move in (FIRST, SECOND):
            ok(step("refuse", move, origin=self.other))
        assert states() == before

    def test_nobody_arrives_who_is_here(self) -> None:
        made()
        before = everything()
        refused(self.arrive(), "already_here")
        ok(step("refuse", origin=self.other))
        assert everything() == before

    def test_nobody_settles_who_has_not_arrived(self) -> None:
        refused(step("settle"), "not_found", 404)
        ok(self.arrive(SECOND))
        refused(step("settle"), "move_undone")

    def test_who_forgot_themselves_does_not_come_back(self) -> None:
        made()
        staff_caller().delete(f"/api/{self.path}/c1/")
        refused(self.arrive(), "already_here")
        ok(step("refuse", origin=self.other))
        assert self.see().status_code == 404

    def test_who_comes_back_is_here_again_with_what_they_have_now(self) -> None:
        made()
        self.leave(FIRST)
        ok(self.arrive(SECOND, first_name="Augusta"))
        self.at_other(self.see())
        ok(step("settle", SECOND))
        assert ok(self.see())["first_name"] == "Augusta"
        assert self.listed()
        ok(self.hold(THIRD))

    def test_who_does_not_come_back_after_all_is_still_elsewhere(self) -> None:
        made()
        self.leave(FIRST)
        ok(self.arrive(SECOND))
        ok(step("refuse", SECOND, origin=self.other))
        self.at_other(self.see())
        assert not any(everything()["rows"].values())
        ok(self.arrive(THIRD))
        ok(step("settle", THIRD))
        assert self.see().status_code == 200
