"""What a caller may not set never takes effect, whatever else a body says: tried wherever a schema takes a body."""

from collections.abc import Iterator
from typing import Any

import pytest

from shopkit import topology
from tests.e2e.objects import Cast, Owner, content_of
from tests.e2e.operations import Operation
from tests.people import PASSWORD, Person, log_in, mailed_token, new_email
from tests.waiting import wait_for

KINDS = ("guest", "registered", "vip")
FACING = [service.name for service in topology.SERVICES.values() if service.paths and not service.item_type]
ITEMS = {service.name: service.paths[0] for service in topology.SERVICES.values() if service.item_type}
REFUSED = {
    "POST /api/auth/login/": "invalid_credentials",
    "POST /api/auth/password/change/": "not_found",  # whom staff made have none
    "POST /api/auth/password/reset/confirm/": "invalid_token",
    "POST /api/auth/refresh/": "invalid_refresh",
    "POST /api/auth/verify-email/": "invalid_token",
    "POST /api/customers/{customer_id}/downgrade/": "not_registered",
    "POST /api/customers/{customer_id}/upgrade/": "not_a_guest",
    "POST /api/payments/": "unknown_order",
    "POST /api/payments/create-checkout-session/": "unknown_order",
    "POST /api/payments/create-payment-intent/": "unknown_order",
    "POST /api/payments/verify-payment/": "invalid",
    "POST /api/payments/webhooks/razorpay/": "not_found",
    "POST /api/payments/webhooks/simulated/": "bad_signature",
    "POST /api/payments/webhooks/stripe/": "not_found",
    "POST /api/payments/{payment_id}/simulate/": "nothing_to_confirm",
    "POST /api/shipments/webhooks/simulated/": "bad_signature",
    **{
        f"POST /api/{each.paths[0]}/{{item_id}}/reviews/": "already_reviewed"
        for each in topology.by_item_type().values()
    },
}
"""What is refused, with that code, to who sends a body that fits and no more."""

FIXED = (
    "id",
    "customer_id",
    "owner_id",
    "owner_type",
    "customer_type",
    "email_verified",
    "created_at",
    "points",
    "tier",
)


def forged(victim: str) -> dict[str, Any]:
    """Values that nothing has which was not forged."""
    names = ("id", "user_id", "owner_id", "customer_id", "guest_id", "account_id")
    return {
        **dict.fromkeys(names, victim),
        "is_staff": True,
        "is_superuser": True,
        "is_active": False,
        "role": "staff",
        "email_verified": "2001-01-01",
        "points": 987_654,
        "tier": "platinum",
        "progress": {"tier": "platinum"},
        "spent": 98_765_400,
        "likes": 987_654,
        "verified": True,
        "type": "vip",
        "customer_type": "forged",
        "owner_type": "forged",
        "moved_to": "vip",
        "moving_to": "vip",
        "status": "delivered",
        "price": "0.07",
        "unit_price": "0.07",
        "total": "0.07",
        "total_price": "0.07",
        "version": 987_654,
        "created_at": "2001-01-01T00:00:00Z",
        "updated_at": "2001-01-01T00:00:00Z",
        "anonymised_at": "2001-01-01T00:00:00Z",
        "ordered_at": "2001-01-01T00:00:00Z",
        "merged_into": victim,
    }


def fields(node: object, names: object) -> Iterator[tuple[str, object]]:
    """All fields of these names in a document, however deep."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name in names:  # type: ignore[operator]
                yield name, value
            yield from fields(value, names)
    elif isinstance(node, list):
        for each in node:
            yield from fields(each, names)


def seen(owner: Owner, reads: list[Operation]) -> dict[str, Any]:
    """What staff read of the owner's things; nothing of one that is gone."""
    paths = {owner.path(each): each.service for each in reads}
    answers = {path: owner.cast.boss.get(path, at=service, allow_redirects=False) for path, service in paths.items()}
    shown = {path: content_of(answer) for path, answer in answers.items() if answer.ok}
    return {path: content for path, content in shown.items() if not isinstance(content, bytes)}


def settled(owner: Owner, reads: list[Operation]) -> dict[str, Any]:
    """The same once their order, which is told a moment later, is in their history."""
    seen(owner, reads)
    wait_for(lambda: owner.person.get("/api/customers/me/history/").json()["orders"])
    return seen(owner, reads)


def reads_at(cast: Cast, services: list[str]) -> list[Operation]:
    """The operations that show something of a customer there."""
    return [each for name in services for each in cast.operations(name) if each.shows_something]


def writes(cast: Cast, service: str) -> list[Operation]:
    changing = ("POST", "PUT", "PATCH")
    return [each for each in cast.operations(service) if each.method in changing and each.access != "staff"]


def cases() -> list[tuple[str, str]]:
    own = {name: topology.service(name).customer_type for name in FACING}
    facing = [(name, kind) for name, only in own.items() for kind in KINDS if only in (None, kind)]
    return facing + [(name, "registered") for name in ITEMS]  # where customers have their say


def forge(operation: Operation, by: Person, owner: Owner, lies: dict[str, Any], reads: list[Operation]) -> None:
    """Has them send the lies beside what fits; none is seen after it, and what is fixed stays."""
    path, body = owner.path(operation), {**(owner.body(operation) or {}), **lies}
    before = seen(owner, reads)
    answer = by.call(operation.method, path, body, at=operation.service)
    assert answer.ok or answer.json()["code"] == REFUSED.get(str(operation)), (str(operation), answer.text)
    after = seen(owner, reads)
    found = {**after, "the answer": answer.json() if answer.ok and answer.content else None}
    lied = {name for name, value in fields(found, lies) if value == lies[name]}
    assert not lied, (str(operation), lied)
    was, now = fixed(before), fixed(after)
    assert {key: now[key] for key in was.keys() & now.keys()} == {key: was[key] for key in was.keys() & now.keys()}


@pytest.mark.parametrize(("service", "kind"), cases())
def test_no_body_sets_what_is_not_the_callers_to_set(cast: Cast, service: str, kind: str) -> None:
    if not writes(cast, service):
        return  # only staff write there
    others = [name for name in FACING if topology.service(name).customer_type in (None, kind) and name != service]
    nearby = dict.fromkeys((service, topology.by_customer_type()[kind].name))
    everything, reads = reads_at(cast, [service, *others]), reads_at(cast, list(nearby))
    victim = cast.owner(kind)
    lies, untouched = forged(victim.person.id), settled(victim, everything)
    for operation in writes(cast, service):
        owner = cast.owner(kind)
        forge(operation, owner.person, owner, lies, reads)
    assert seen(victim, everything) == untouched


@pytest.mark.parametrize("service", ITEMS)
def test_not_even_staff_set_what_an_item_counts_by_itself(cast: Cast, service: str) -> None:
    owner, theirs = cast.owner("registered"), ("price", "type")
    lies = {name: value for name, value in forged(cast.another("registered").id).items() if name not in theirs}
    lies["rating"] = {"average": 1.5, "count": 987_654}
    operations = [each for each in cast.operations(service) if each.access == "staff" and each.body]
    assert len(operations) >= 5
    for operation in operations:
        forge(operation, cast.boss, owner, lies, reads_at(cast, [service]))


def fixed(found: dict[str, Any]) -> dict[object, dict[str, Any]]:
    """By path and id of each object in these documents, what nothing that its owner does changes."""
    objects = [(path, each) for path, shown in found.items() for each in [shown, *shown.get("results", [])]]
    return {
        (path, each["id"]): {name: value for name, value in each.items() if name in FIXED}
        for path, each in objects
        if "id" in each
    }


def test_nobody_registers_as_staff(cast: Cast) -> None:
    email, lies = new_email(), forged(cast.another("registered").id)
    wish = {**lies, "email": email, "password": PASSWORD}
    answer = cast.fleet.call("POST", "/api/auth/register/", json=wish)
    assert answer.status_code == 201, answer.text
    verified = {**lies, "token": mailed_token(cast.fleet, email)}
    session = cast.fleet.call("POST", "/api/auth/verify-email/", json=verified).json()
    assert session["customer"]["customer_type"] == "registered"
    assert session["customer"]["id"] != lies["id"]
    ada = log_in(cast.fleet, email)
    assert [each["id"] for each in ada.get("/api/customers/").json()["results"]] == [ada.id]
    assert ada.post("/api/collections/", {"id": f"c-{ada.id[:8]}", "title": "Mine"}).status_code == 403
