"""What must hold of moves in every customer service: its tests subclass `MovesTests` and say who its customers are."""

import uuid
from datetime import date
from typing import Any, ClassVar

import pytest
from django.apps import apps
from django.conf import settings
from django.utils import timezone
from rest_framework.response import Response

from shopkit.auth import Identity
from shopkit.customers import moves, services
from shopkit.errors import Conflict
from shopkit.testing import Caller, at_once, staff_caller

PROFILE = {
    "first_name": "Ada",
    "last_name": "Lovelace",
    "phone": "+44 20 7946 0000",
    "preferences": {"colour": "blue"},
    "email": "ada@example.com",
    "birth_date": date(1990, 5, 4),
}
ADDRESS = {"name": "Ada", "line1": "1 Main St", "city": "London", "postal_code": "N1", "country": "GB"}
TOLD = {"order_id": "o1", "version": 4, "status": "paid", "total": 34_99, "goods": 29_99, "refunded": 0}
TOLD |= {"currency": "USD", "placed_at": "2026-01-02T03:04:05Z"}
FIRST, SECOND, THIRD = (uuid.UUID(int=number) for number in (1, 2, 3))
TICKET = "the-ticket"
Told = tuple[str, uuid.UUID, int, str]
STORIES: dict[str, list[Told]] = {
    "held, released, and late": [
        ("hold", FIRST, 200, ""),
        ("hold", FIRST, 200, ""),
        ("hold", SECOND, 409, "moving"),
        ("leave", SECOND, 409, "move_undone"),
        ("release", FIRST, 200, ""),
        ("release", FIRST, 200, ""),
        ("hold", FIRST, 409, "move_undone"),
        ("leave", FIRST, 409, "move_undone"),
        ("arrive", SECOND, 409, "already_here"),
        ("refuse", SECOND, 200, ""),
        ("hold", SECOND, 200, ""),
    ],
    "released before held": [("release", FIRST, 200, ""), ("hold", FIRST, 409, "move_undone")],
    "left": [
        ("leave", FIRST, 409, "move_undone"),
        ("hold", FIRST, 200, ""),
        ("leave", FIRST, 200, ""),
        ("leave", FIRST, 200, ""),
        ("release", FIRST, 409, "has_left"),
        ("hold", FIRST, 409, "move_undone"),
        ("hold", SECOND, 409, "move_undone"),
    ],
    "left, and refused on return": [
        ("hold", FIRST, 200, ""),
        ("leave", FIRST, 200, ""),
        ("arrive", SECOND, 200, ""),
        ("arrive", SECOND, 200, ""),
        ("refuse", SECOND, 200, ""),
        ("refuse", SECOND, 200, ""),
        ("arrive", SECOND, 409, "move_undone"),
        ("settle", SECOND, 409, "move_undone"),
    ],
    "left, and back": [
        ("hold", FIRST, 200, ""),
        ("leave", FIRST, 200, ""),
        ("refuse", SECOND, 200, ""),
        ("arrive", SECOND, 409, "move_undone"),
        ("arrive", THIRD, 200, ""),
        ("refuse", SECOND, 200, ""),
        ("settle", THIRD, 200, ""),
        ("settle", THIRD, 200, ""),
        ("arrive", THIRD, 200, ""),
        ("refuse", THIRD, 200, ""),
        ("hold", SECOND, 409, "move_undone"),
    ],
}
"""Steps of moves of a customer who is here at first, and how each is answered: status, and code where it is refused.

The services have to keep to them, and so does who stands for them where the customer router is tested.
"""


def customers() -> Any:
    return apps.get_model(settings.SERVICE.name, "Customer").objects


def router() -> Caller:
    """The customer router, for itself."""
    client = Caller(HTTP_HOST="localhost")
    client.force_authenticate(user=Identity(service="customer_router"))  # type: ignore[arg-type]
    return client


def step(name: str, move: uuid.UUID = FIRST, **body: Any) -> Response:
    return router().post(f"/internal/customers/c1/moves/{move}/{name}/", body)  # type: ignore[return-value]


def ok(answer: Any) -> Any:
    assert answer.status_code == 200, answer.content
    return answer.json()


def refused(answer: Any, code: str, status: int = 409) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def made() -> Any:
    """Customer c1, with everything that a customer of this service can have."""
    model = customers().model
    customer = model(id="c1", **{name: value for name, value in PROFILE.items() if hasattr(model, name)})
    customer.save()
    if hasattr(customer, "addresses"):
        for default in ("default_shipping", "default_billing"):
            customer.addresses.create(**ADDRESS, **{default: True})
    customer.viewed_items.create(item_id="book_1", viewed_at=timezone.now())
    ok(router().post("/internal/customers/c1/orders/", TOLD))
    return customer


def everything() -> Any:
    """All that is known of c1, as it would go along."""
    return moves.packed(customers().get(pk="c1"))


def states() -> Any:
    """The customer's row as it is, but for when it was last written."""
    row = customers().filter(pk="c1").values().first()
    return row and {name: value for name, value in row.items() if name != "updated_at"}


@pytest.mark.django_db
class MovesTests:
    """`kind` of customers, the `path` of the service, and `other`, the type to which and from which they move here."""

    kind: ClassVar[str]
    path: ClassVar[str]
    other: ClassVar[str]
    other_path: ClassVar[str]

    def see(self, query: str = "", path: str = "", **more: Any) -> Any:
        """What staff get at the typed path."""
        return staff_caller().get(f"/api/{path or self.path}/c1/{query}", **more)

    def listed(self) -> bool:
        return "c1" in {row["id"] for row in ok(staff_caller().get(f"/api/{self.path}/"))["results"]}

    def hold(self, move: uuid.UUID = FIRST) -> Any:
        return step("hold", move, to=self.other)

    def leave(self, move: uuid.UUID = FIRST) -> Any:
        held = ok(self.hold(move))
        ok(step("leave", move))
        return held

    def arrive(self, move: uuid.UUID = FIRST, ticket: str = TICKET, **changes: Any) -> Response:
        given = {name: value for name, value in PROFILE.items() if name != "birth_date"}
        rows = {
            "addresses": [{**ADDRESS, "default_shipping": True, "default_billing": False}],
            "viewed_items": [{"item_id": "book_1", "viewed_at": "2026-01-02T03:04:05+00:00"}],
            "purchases": [{**{k: v for k, v in TOLD.items() if k != "version"}, "order_version": 4}],
        }
        customer = {"profile": {**given, "birth_date": "1990-05-04", **changes}, "rows": rows}
        return step("arrive", move, origin=self.other, ticket=ticket, customer=customer)

    def at_other(self, answer: Any) -> None:
        assert (answer.status_code, answer["Location"].partition("?")[0]) == (307, f"/api/{self.other_path}/c1/")

    @pytest.mark.parametrize("story", STORIES)
    def test_the_steps_are_answered_as_the_customer_router_expects(self, story: str) -> None:
        made()
        for name, move, status, code in STORIES[story]:
            more = {"origin": self.other} if name == "refuse" else {"to": self.other} if name == "hold" else {}
            answer: Any = self.arrive(move) if name == "arrive" else step(name, move, **more)
            assert (answer.status_code, answer.json().get("code", "")) == (status, code), (name, move)

    # -- who leaves

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

    # -- who comes

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

    # -- there and back

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

    # -- at once

    @pytest.mark.django_db(transaction=True)
    def test_what_is_written_while_they_leave_goes_along_or_is_refused(self) -> None:
        made()
        one, told = f"/api/{self.path}/c1/", "/internal/customers/c1/orders/"
        taken: list[Any] = []

        def act(number: int) -> int:
            if number == 7:
                taken.append(self.leave())
                return 200
            if number % 3 == 0:
                return staff_caller().patch(one, {"preferences": {f"p{number}": "x"}, "phone": str(number)}).status_code
            if number % 3 == 1:
                return staff_caller().post(f"{one}history/", {"item_id": f"book_{number}"}).status_code
            return router().post(told, {**TOLD, "order_id": f"o{number}"}).status_code

        codes = at_once(act, 24)
        assert set(codes) <= {200, 201, 409, 307}
        rows = taken[0]["customer"]["rows"]
        seen = {each["item_id"] for each in rows["viewed_items"]}
        ordered = {each["order_id"] for each in rows["purchases"]}
        for number, code in enumerate(codes):
            if code in (200, 201) and number != 7 and number % 3:
                assert f"book_{number}" in seen if number % 3 == 1 else f"o{number}" in ordered
        patched = [number for number, code in enumerate(codes) if code == 200 and number % 3 == 0]
        phone = taken[0]["customer"]["profile"]["phone"]
        assert phone in ({str(number) for number in patched} or {PROFILE["phone"]})

    @pytest.mark.django_db(transaction=True)
    def test_of_moves_that_begin_at_once_one_holds(self) -> None:
        made()
        codes = at_once(lambda number: self.hold(uuid.UUID(int=number + 1)).status_code, 8)
        assert sorted(codes) == [200] + [409] * 7

    @pytest.mark.django_db(transaction=True)
    def test_of_leaving_and_being_released_at_once_one_counts(self) -> None:
        made()
        ok(self.hold())
        codes = at_once(lambda number: step(("leave", "release")[number % 2]).status_code, 8)
        left = bool(customers().get(pk="c1").moved_to)
        assert codes == ([200, 409] * 4 if left else [409, 200] * 4)

    @pytest.mark.django_db(transaction=True)
    def test_of_arriving_and_being_refused_at_once_the_refusal_counts(self) -> None:
        at_once(lambda number: [self.arrive, lambda: step("refuse", origin=self.other)][number % 2]().status_code, 8)
        self.at_other(self.see(f"?moved={TICKET}"))
        assert not any(everything()["rows"].values())

    @pytest.mark.django_db(transaction=True)
    def test_who_brings_the_ticket_at_once_with_settling_finds_one_customer(self) -> None:
        ok(self.arrive())
        codes = at_once(lambda number: (self.see(f"?moved={TICKET}") if number % 2 else step("settle")).status_code, 8)
        assert codes == [200] * 8
        assert len(everything()["rows"]["purchases"]) == 1

    def test_the_steps_are_for_our_own_services_only(self) -> None:
        made()
        for who in (staff_caller(), Caller(HTTP_HOST="localhost", HTTP_X_USER_ID="c1", HTTP_X_CUSTOMER_TYPE=self.kind)):
            for name in ("hold", "arrive", "leave", "settle", "release", "refuse"):
                assert who.post(f"/internal/customers/c1/moves/{FIRST}/{name}/", {}).status_code == 403
