"""What customers, and services that tell of their orders, hear of moves; and what becomes of guests who sign in."""

import json
import uuid
from typing import Any

import pytest
import responses

from customer_router import services
from customer_router.models import Move
from customer_router.tests.peers import Killed, Peers, refusal
from customer_router.tests.test_journal import pass_lease
from shopkit import topology
from shopkit.auth import Identity
from shopkit.outbox import delivery
from shopkit.outbox.models import Message
from shopkit.testing import Caller, at_once, bearer, caller, staff_caller

pytestmark = pytest.mark.django_db
UPGRADE, DOWNGRADE = "/api/customers/c1/upgrade/", "/api/customers/c1/downgrade/"
ORDERS = "/internal/customers/c1/orders/"
REGISTRATION = str(uuid.UUID(int=9))
GUESTS_WISH = {"to": "registered", "email": "ada@example.com", "password": "correct horse battery"}
TOLD = {"customer_type": "guest", "order": {"order_id": "o1"}}
HOME = {kind: service.url for kind, service in topology.by_customer_type().items()}


def upgrade(who: Caller | None = None) -> Any:
    return (who or staff_caller()).post(UPGRADE, {"to": "vip"})


def said(answer: Any) -> tuple[int, str]:
    body = answer.json()
    return answer.status_code, body.get("code") or body["customer_type"]


def test_staff_make_a_vip(three: Peers) -> None:
    assert upgrade().json() == {"id": "c1", "customer_type": "vip", "location": "/api/vip-customer/c1/"}
    assert three.places == ["vip"]
    assert said(upgrade()) == (200, "vip")
    assert said(staff_caller().post(DOWNGRADE)) == (200, "registered")
    assert [move.reason for move in Move.objects.order_by("pk")] == ["staff", "staff"]


def test_who_has_spent_enough_becomes_one_by_themselves(three: Peers) -> None:
    three["registered"].spent = services.VIP_FROM - 1
    assert said(upgrade(caller("c1"))) == (403, "not_enough_spent")
    three["registered"].spent += 1
    assert said(upgrade(caller("c1"))) == (200, "vip")


def test_who_is_nowhere_is_not_found(services_played: Peers) -> None:
    assert said(upgrade()) == (404, "not_found")
    assert not Move.objects.exists()


@pytest.mark.parametrize(
    ("faults", "expected"),
    [
        ({"hold": ["unavailable"]}, (503, "unavailable")),
        ({"hold": ["timeout"]}, (504, "gateway_timeout")),
        ({"hold": ["nonsense"]}, (502, "bad_gateway")),
        ({"arrive": ["refused"]}, (409, "email_taken")),
        ({"arrive": ["unavailable"], "release": ["timeout"]}, (504, "gateway_timeout")),
        ({"settle": ["unavailable"]}, (503, "unavailable")),
        ({"leave": ["lost"]}, (200, "vip")),
    ],
)
def test_what_goes_wrong_is_said(three: Peers, faults: dict[str, list[str]], expected: tuple[int, str]) -> None:
    three.faults = faults
    assert said(upgrade()) == expected


def test_a_service_that_can_not_say_where_somebody_is_stops_the_move(three: Peers) -> None:
    three["vip"].place = lambda: refusal(503, "store_down")  # type: ignore[method-assign]
    assert said(upgrade()) == (503, "unavailable")
    assert three.calls == []


def test_who_moved_since_the_look_is_told_to_try_again(three: Peers) -> None:
    three.during["hold"] = lambda: vars(three["registered"]).update(here=False, gone="another")
    assert said(upgrade()) == (409, "move_in_progress")
    assert Move.objects.get().outcome == "undone"


def test_who_is_held_by_another_is_told_the_same(three: Peers) -> None:
    three["registered"].held = str(uuid.UUID(int=1))
    assert said(upgrade()) == (409, "move_in_progress")
    assert three["registered"].held == str(uuid.UUID(int=1))


def test_who_was_between_two_places_at_the_look_is_looked_for_again(three: Peers) -> None:
    looks = iter([refusal(404, "not_found")])
    earnest = three["registered"].place
    three["registered"].place = lambda: next(looks, None) or earnest()  # type: ignore[method-assign]
    assert said(upgrade()) == (200, "vip")


def test_while_a_move_is_under_way_another_is_refused(three: Peers) -> None:
    for step in ("hold", "arrive", "leave", "settle"):
        answers: list[Any] = []
        three.during[step] = lambda answers=answers: answers.extend([upgrade(), staff_caller().post(DOWNGRADE)])
        assert said(upgrade()) == (200, "vip")
        assert [said(answer) for answer in answers] == [(409, "move_in_progress")] * 2, step
        assert {answer["Retry-After"] for answer in answers} == {"1"}
        assert said(staff_caller().post(DOWNGRADE)) == (200, "registered")


@pytest.mark.django_db(transaction=True)
def test_of_many_who_ask_at_once_each_hears_yes_or_wait_and_one_move_is_made(three: Peers) -> None:
    answers = at_once(lambda _number: said(upgrade()), 16)
    assert set(answers) <= {(200, "vip"), (409, "move_in_progress")}
    assert (200, "vip") in answers
    assert Move.objects.filter(outcome="done").count() == 1
    assert three.places == ["vip"]
    assert three.at_rest


def test_ids_of_any_shape_name_nobody_else(three: Peers) -> None:
    for other in ("c1%3Fx=", "c1%23", "c1%2F..%2Fc1", "%2e%2e"):
        answer = staff_caller().post(f"/api/customers/{other}/upgrade/", {"to": "vip"})
        assert answer.status_code in (400, 404), other
    assert three.calls == []


# -- news of orders


def told(kind: str, path: str = ORDERS, **answer: Any) -> responses.BaseResponse:
    return responses.Response("POST", f"{HOME[kind]}{path}", **{"json": {"applied": True}, **answer})


def moved(path: str) -> dict[str, Any]:
    body = {"error": "", "code": "moved", "details": {"location": [path]}, "request_id": ""}
    return {"json": body, "status": 307, "headers": {"Location": path}}


def tell() -> Any:
    client = Caller(HTTP_HOST="localhost")
    client.force_authenticate(user=Identity(service="order_service"))  # type: ignore[arg-type]
    return client.post(ORDERS, TOLD)


def test_news_of_an_order_follow_a_customer_through_all_places(services_played: Peers, peers: Any) -> None:
    """The longest way: a guest who registered, became a VIP, and has just left for registered again."""
    registered, vip = "/internal/registered-customer/c1/orders/", "/internal/vip-customer/c1/orders/"
    peers.add(told("guest", **moved(f"{registered}?moved=a")))
    ways = iter([moved(f"{vip}?moved=b"), {"json": {"applied": True}, "status": 200}])

    def at_registered(request: Any) -> tuple[int, dict[str, str], str]:
        answer = next(ways)
        return answer["status"], answer.get("headers", {}), json.dumps(answer["json"])

    peers.add_callback("POST", f"{HOME['registered']}{registered}", at_registered)
    peers.add(told("vip", vip, **moved(f"{registered}?moved=c")))
    assert tell().json() == {"taken": True}
    assert len(peers.calls) == 4


def test_news_for_who_is_not_where_they_are_said_to_be_are_told_where_they_are(three: Peers, peers: Any) -> None:
    peers.add(told("guest", json=refusal(404, "not_found")[1], status=404))
    peers.add(told("registered"))
    assert tell().json() == {"taken": True}


def test_news_for_who_is_between_two_places_wait(three: Peers, peers: Any) -> None:
    peers.add(told("guest", json=refusal(404, "not_found")[1], status=404))
    three.faults = {"settle": ["killed before"]}
    with pytest.raises(Killed):
        upgrade()
    assert said(tell()) == (409, "move_in_progress")
    pass_lease()
    peers.add(told("vip"))
    assert tell().json() == {"taken": True}
    assert three.places == ["vip"]


def test_news_for_who_is_about_to_leave_wait(three: Peers, peers: Any) -> None:
    peers.add(told("guest", json=refusal(409, "moving")[1], status=409))
    assert said(tell()) == (409, "moving")


def test_news_of_nobody_are_taken_by_nobody(services_played: Peers, peers: Any) -> None:
    peers.add(told("guest", json=refusal(404, "not_found")[1], status=404))
    assert tell().json() == {"taken": False}


# -- who signs in


@pytest.fixture
def accounts(peers: responses.RequestsMock) -> responses.RequestsMock:
    """Customer c2's account, a VIP's, whose profile is found where they are."""
    url = HOME["registered"]
    session = {"access": "a", "refresh": "r"}
    peers.post(f"{url}/api/auth/login/", json={**session, "customer": {"id": "c2", "customer_type": "vip"}})
    peers.post(f"{url}/internal/accounts/c2/session/", json=session)
    peers.post(f"{url}/internal/registrations/find/", json={"registration_id": REGISTRATION, "guest_id": "c1"})
    peers.post(f"{url}/internal/registrations/complete/", json={"customer_id": "c2"})
    for kind in ("registered", "vip"):
        peers.get(f"{HOME[kind]}/api/customers/c2/", json={"id": "c2", "customer_type": kind})
    for name in topology.service("customer_router").tells:
        peers.post(f"{topology.service(name).url}/internal/sign-ins/", status=204)
    return peers


def sign_ins(peers: responses.RequestsMock) -> list[Any]:
    return [json.loads(call.request.body or "") for call in peers.calls if "/sign-ins/" in (call.request.url or "")]


def log_in() -> Any:
    return services.log_in(guest_id="c1", body={}, client="127.0.0.1")


def test_what_a_guest_has_is_theirs_to_whom_they_log_in(services_played: Peers, accounts: Any) -> None:
    services_played.has("guest")
    assert log_in()["customer"] == {"id": "c2", "customer_type": "vip"}
    sign_in = {"guest_id": "c1", "customer_id": "c2", "customer_type": "vip"}
    assert sign_ins(accounts) == [sign_in] * 5


def test_what_a_guest_had_who_has_an_account_by_now_stays_theirs(services_played: Peers, accounts: Any) -> None:
    services_played["guest"].known = True
    services_played.has("registered")
    log_in()
    services.verify_email(token="of another registration")
    assert sign_ins(accounts) == []
    assert not Message.objects.filter(state=Message.State.PENDING).exists()


def test_who_can_not_be_asked_about_is_asked_about_later(services_played: Peers, accounts: Any) -> None:
    earnest = services_played["guest"].place
    services_played["guest"].place = lambda: refusal(503, "store_down")  # type: ignore[method-assign]
    assert log_in()["customer"]["id"] == "c2"
    assert sign_ins(accounts) == []
    services_played.has("guest")
    services_played["guest"].place = earnest  # type: ignore[method-assign]
    Message.objects.update(lease_until=Message.objects.values_list("created_at", flat=True)[0])
    assert delivery.deliver_due() == 5
    assert len(sign_ins(accounts)) == 5


def test_who_logs_in_between_two_places_gets_their_profile_from_where_they_are(
    services_played: Peers, accounts: Any
) -> None:
    there = "/api/registered-customer/c2/"
    accounts.replace("GET", f"{HOME['vip']}/api/customers/c2/", **moved(f"{there}?moved=t"))
    accounts.get(f"{HOME['registered']}{there}", json={"id": "c2", "customer_type": "registered"})
    assert log_in()["customer"]["customer_type"] == "registered"


def test_a_guest_who_verifies_their_email_becomes_registered_under_their_id(
    services_played: Peers, accounts: Any
) -> None:
    services_played.has("guest")
    accounts.post(f"{HOME['registered']}/internal/accounts/c1/session/", json={"access": "a", "refresh": "r"})
    accounts.get(f"{HOME['registered']}/api/customers/c1/", json={"id": "c1"})
    assert services.verify_email(token="t")["customer"] == {"id": "c1"}
    assert services_played.places == ["registered"]
    [arrival] = [call for call in accounts.calls if call.request.url.endswith("/arrive/")]
    assert json.loads(arrival.request.body)["registration_id"] == REGISTRATION


def test_where_that_email_is_a_customers_already_the_guest_signs_in_to_it(
    services_played: Peers, accounts: Any
) -> None:
    services_played.has("guest")
    services_played.faults = {"arrive": ["refused"]}
    assert services.verify_email(token="t")["customer"]["id"] == "c2"
    assert services_played.places == ["guest"]
    assert [each["customer_type"] for each in sign_ins(accounts)] == ["registered"] * 5


def test_a_registration_whose_move_fails_may_be_verified_again(services_played: Peers, accounts: Any) -> None:
    services_played.has("guest")
    services_played.faults = {"arrive": ["timeout"]}
    verify = lambda: staff_caller().post("/api/auth/verify-email/", {"token": "t"})  # noqa: E731
    assert said(verify()) == (504, "gateway_timeout")
    assert services_played.places == ["guest"]
    accounts.post(f"{HOME['registered']}/internal/accounts/c1/session/", json={"access": "a", "refresh": "r"})
    accounts.get(f"{HOME['registered']}/api/customers/c1/", json={"id": "c1", "customer_type": "registered"})
    assert verify().status_code == 200
    assert services_played.places == ["registered"]


def test_the_token_is_not_spent_while_the_move_it_began_is_under_way(services_played: Peers, accounts: Any) -> None:
    services_played.has("guest")
    services_played.faults = {"settle": ["killed before"]}
    with pytest.raises(Killed):
        services.verify_email(token="t")
    answer = staff_caller().post("/api/auth/verify-email/", {"token": "t"})
    assert said(answer) == (409, "move_in_progress")
    assert not any("complete" in (call.request.url or "") for call in accounts.calls)


@pytest.mark.usefixtures("secure")
@pytest.mark.parametrize("kind", ["registered", "vip"])
def test_a_guests_token_moves_no_account_not_even_their_own(services_played: Peers, kind: str) -> None:
    services_played.has(kind, spent=services.VIP_FROM)
    visitor = bearer("c1", "guest")
    for path, wish in ((UPGRADE, {"to": "vip"}), (UPGRADE, GUESTS_WISH), (DOWNGRADE, {})):
        assert said(visitor.post(path, wish)) == (401, "login_required")
        assert said(visitor.post(path.replace("c1", "me"), wish)) == (401, "login_required")
    assert services_played.places == [kind]
    assert said(bearer("c1", kind).post(UPGRADE, {"to": "vip"})) == (200, "vip")


@pytest.mark.usefixtures("secure")
def test_a_guest_is_still_told_to_register_first(services_played: Peers) -> None:
    services_played.has("guest")
    assert said(upgrade(bearer("c1", "guest"))) == (409, "not_registered")
    assert said(upgrade(bearer("c2", "guest"))) == (404, "not_found")
