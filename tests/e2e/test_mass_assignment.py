"""What a caller may not set never takes effect, whatever else a body says: tried wherever a schema takes a body."""

from collections.abc import Iterator
from typing import Any

import pytest

from shopkit import topology
from tests.e2e.objects import Cast, Owner
from tests.e2e.operations import Operation
from tests.people import PASSWORD, log_in, mailed_token, new_email

KINDS = ("guest", "registered", "vip")
FACING = [service.name for service in topology.SERVICES.values() if service.paths and not service.item_type]
CHANGES = ("version", "updated_at")  # by themselves, whenever something else does


def forged(victim: str) -> dict[str, Any]:
    """Values that nothing has which was not forged."""
    names = ("id", "user_id", "owner_id", "customer_id", "guest_id", "account_id")
    return {
        **dict.fromkeys(names, victim),
        **{"is_staff": True, "is_superuser": True, "is_active": False, "role": "staff", "email_verified": "2001-01-01"},
        **{"points": 987_654, "tier": "platinum", "progress": {"tier": "platinum"}, "spent": 98_765_400},
        **{"type": "vip", "customer_type": "forged", "owner_type": "forged", "moved_to": "vip", "moving_to": "vip"},
        **{"status": "delivered", "price": "0.07", "unit_price": "0.07", "total": "0.07", "total_price": "0.07"},
        **{"version": 987_654, "created_at": "2001-01-01T00:00:00Z", "updated_at": "2001-01-01T00:00:00Z"},
        **{"anonymised_at": "2001-01-01T00:00:00Z", "ordered_at": "2001-01-01T00:00:00Z", "merged_into": victim},
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
    return {path: answer.json() for path, answer in answers.items() if answer.ok}


def reads_about(cast: Cast, kind: str) -> list[Operation]:
    """All operations that show something of a customer of that type."""
    services = [name for name in FACING if topology.service(name).customer_type in (None, kind)]
    return [each for name in services for each in cast.operations(name) if each.method == "GET" and each.parameters]


def writes(cast: Cast, service: str) -> list[Operation]:
    changing = ("POST", "PUT", "PATCH")
    return [each for each in cast.operations(service) if each.method in changing and each.access != "staff"]


def cases() -> list[tuple[str, str]]:
    own = {name: topology.service(name).customer_type for name in FACING}
    return [(name, kind) for name, only in own.items() for kind in KINDS if only in (None, kind)]


@pytest.mark.parametrize(("service", "kind"), cases())
def test_no_body_sets_what_is_not_the_callers_to_set(cast: Cast, service: str, kind: str) -> None:
    reads, victim = reads_about(cast, kind), cast.owner(kind)
    lies, untouched, taken = forged(victim.person.id), seen(victim, reads), 0
    for operation in writes(cast, service):
        owner = cast.owner(kind)
        path, truth = owner.path(operation), owner.body(operation) or {}
        before = seen(owner, reads)
        body = {**{name: value for name, value in lies.items()}, **truth}
        answer = owner.person.call(operation.method, path, body, at=service)
        assert answer.status_code < 500, (str(operation), answer.text)
        taken += answer.ok
        after = seen(owner, reads)
        told = {name for name, value in fields(answer.json() if answer.content else {}, lies) if value == lies[name]}
        lied = {name for name, value in fields(after, lies) if value == lies[name]} | told
        assert not lied - truth.keys(), (str(operation), lied)
        if "/cancel/" not in path:
            assert settled(after) == settled(before), str(operation)
    assert taken or not writes(cast, service) or service == "registered_customer"
    assert seen(victim, reads) == untouched


def settled(found: dict[str, Any]) -> dict[str, list[object]]:
    """Of what was there before, what no caller sets."""
    names = forged("").keys() - set(CHANGES)
    return {path: [value for _name, value in fields(shown, names)] for path, shown in found.items()}


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
