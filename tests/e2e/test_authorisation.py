"""Every operation that a schema describes, asked by everybody: each does what is theirs, and nothing else.

What there is to ask, and who comes in (`x-access`), is read from the services' own documents, so that a new route is
covered by being there. What a path's parameters stand for, `objects.Owner` makes.
"""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
import requests

from shopkit import topology
from tests.e2e.objects import OPINIONS, SHARED, Cast, Owner, content_of
from tests.e2e.operations import METHODS, Operation
from tests.people import Person

KINDS = ("guest", "registered", "vip")
DESCRIBING = [service.name for service in topology.SERVICES.values() if service.paths]


def kinds_at(service: str) -> tuple[str, ...]:
    """The types of customers who have something there."""
    own = topology.service(service)
    if own.item_type:
        return "guest", "registered"
    return (own.customer_type,) if own.customer_type else ("guest",) if "items" in own.paths else KINDS


CASES = [(service, kind) for service in DESCRIBING for kind in kinds_at(service)]


@dataclass
class Asked:
    """One call: who asked what, where, and the answer."""

    who: str
    operation: Operation
    at: str
    answer: requests.Response

    @property
    def status(self) -> int:
        return self.answer.status_code

    @property
    def told_to_leave(self) -> bool:
        """Whether it was for who they are; where anybody may come in, a wrong password is another matter."""
        if self.status not in (401, 403):
            return False
        return self.operation.access != "public" or self.answer.json()["code"] in ("not_authenticated", "forbidden")

    @property
    def about_somebody(self) -> bool:
        return any(name not in SHARED for name in self.operation.parameters)

    def __str__(self) -> str:
        return f"{self.who}: {self.operation} at {self.at}: {self.status} {self.answer.text[:120]}"


def places(operation: Operation) -> Iterator[tuple[str, Operation]]:
    """Where it can be asked: at its service's port and at the gateway, by each of its paths."""
    for path in (operation, *operation.aliases):
        yield operation.service, path
        yield "gateway", path


def ask(who: str, person: Person | None, owner: Owner, operation: Operation, at: str) -> Asked:
    """About what is the owner's, with a body that fits. Who is no customer says which type's service they mean."""
    kind = topology.service(operation.service).customer_type or owner.kind
    headers = {**(person.bearer if person else {}), **({"X-Customer-Type": kind} if who in ("staff", "nobody") else {})}
    path, body = owner.path(operation), owner.body(operation)
    answer = owner.cast.fleet.call(operation.method, path, at=at, json=body, headers=headers, allow_redirects=False)
    return Asked(who, operation, at, answer)


def strangers(cast: Cast, kind: str) -> dict[str, Person]:
    return {f"{'another' if each == kind else 'a'} {each}": cast.another(each) for each in KINDS}


def shut_out(asked: Asked, kind: str) -> bool:
    """Whether that type of customer has no business there, whoever they are."""
    return asked.operation.access == "account" and kind == "guest"


def refusals(asked: Asked, kind: str) -> tuple[int, ...]:
    """The statuses that a customer who is not the owner may get; none where it is no matter whose it is."""
    if shut_out(asked, kind):
        return (403,)
    if asked.operation.access == "staff":
        return (403, 404, 405) if asked.at == "gateway" else (403,)  # their type may lead elsewhere
    return (401, 403, 404) if asked.about_somebody else ()


def wrong_for_nobody(asked: Asked) -> bool:
    """For somebody without a token."""
    if asked.operation.access != "public":
        return asked.status != 401
    return asked.told_to_leave if not asked.about_somebody else asked.status not in (401, 403, 404)


def wrong_for_stranger(asked: Asked, owner: Owner) -> bool:
    allowed = refusals(asked, "guest" if asked.who.endswith("guest") else "")
    if asked.answer.ok and any(f'"{id_}"' in asked.answer.text for id_ in owner.ids):
        return True  # such as in a list
    return asked.status not in allowed if allowed else asked.told_to_leave


NOT_OFFERED = {f"/api/payments/webhooks/{provider}/" for provider in ("stripe", "razorpay")}
"""Without keys there are no such providers, for anybody."""


def wrong_for_owner(asked: Asked, kind: str) -> bool:
    if asked.operation.path in NOT_OFFERED:
        return asked.status != 404
    if asked.operation.access == "staff" or shut_out(asked, kind):
        return asked.status != 403
    return asked.told_to_leave or asked.status in (404, 405) or asked.status >= 500


def wrong_for_staff(asked: Asked) -> bool:
    if asked.operation.path in NOT_OFFERED:
        return asked.status != 404
    return asked.told_to_leave or asked.status in (404, 405) or asked.status >= 500


def make_all(owner: Owner, operations: list[Operation]) -> None:
    for each in operations:
        owner.path(each)


def seen_by_staff(owner: Owner, operations: list[Operation]) -> dict[str, object]:
    """All that staff can read of what is the owner's there, made if it is not yet."""
    make_all(owner, operations)
    reads = [each for each in operations if each.shows_something]
    paths = [owner.path(each) for each in reads]
    return {path: settled(content_of(owner.cast.boss.get(path, at=reads[0].service))) for path in paths}


def settled(content: object) -> object:
    """Without what any customer may say of an item."""
    if not isinstance(content, dict):
        return content
    if "results" in content and all("verified" in each for each in content["results"]):
        return None  # a list of reviews
    return {name: value for name, value in content.items() if name not in OPINIONS or "rating" not in content}


def at_once(action: Callable[[str, Operation], list[str]], operations: list[Operation]) -> list[str]:
    """What `action` says is wrong, of all operations at all their places; deletions come last, one by one."""
    calls = [(at, there) for each in operations for at, there in places(each)]
    with ThreadPoolExecutor(4) as pool:
        tried = [pool.submit(action, *call) for call in calls if call[1].method != "DELETE"]
        wrong = [line for future in tried for line in future.result()]
    return wrong + [line for call in calls if call[1].method == "DELETE" for line in action(*call)]


@pytest.mark.parametrize(("service", "kind"), CASES)
def test_who_does_not_own_it_gets_and_changes_nothing(cast: Cast, service: str, kind: str) -> None:
    owner, others, operations = cast.owner(kind), strangers(cast, kind), cast.operations(service)
    before = seen_by_staff(owner, operations)

    def tried(at: str, operation: Operation) -> list[str]:
        nobody = ask("nobody", None, owner, operation, at)
        calls = [ask(who, person, owner, operation, at) for who, person in others.items()]
        wrong = [nobody] if wrong_for_nobody(nobody) else []
        return [str(call) for call in wrong + [call for call in calls if wrong_for_stranger(call, owner)]]

    wrong = at_once(tried, operations)
    assert not wrong, "\n".join(wrong)
    assert seen_by_staff(owner, operations) == before


@pytest.mark.parametrize(("service", "kind"), CASES)
def test_nothing_leads_from_ones_own_to_anothers(cast: Cast, service: str, kind: str) -> None:
    """Such as another's line in one's own cart, or another's cart in one's own order."""
    owner, other, wrong = cast.owner(kind), cast.owner(kind), []
    operations = [each for each in cast.operations(service) if each.access != "staff"]
    tries = [(each, path, body) for each in operations for path, body in owner.crossings(each, other)]
    before = seen_by_staff(owner, operations) if tries else {}
    for operation, path, body in tries:
        answer = other.person.call(operation.method, path, body, at=service)
        if answer.status_code not in (400, 403, 404):
            wrong.append(f"{operation} at {path} with {body}: {answer.status_code} {answer.text[:120]}")
    assert not wrong, "\n".join(wrong)
    assert not tries or seen_by_staff(owner, operations) == before


@pytest.mark.parametrize(("service", "kind"), CASES)
def test_the_owner_and_staff_are_let_in(cast: Cast, service: str, kind: str) -> None:
    lasting, operations = cast.owner(kind, cast.somebody(kind)), cast.operations(service)
    make_all(lasting, operations)

    def tried(at: str, operation: Operation) -> list[str]:
        owner = cast.owner(kind) if operation.uses_up else lasting
        own = ask("the owner", owner.person, owner, operation, at)
        owner = cast.owner(kind) if operation.uses_up and own.answer.ok else owner
        staff = ask("staff", cast.boss, owner, operation, at)
        wrong = [own] if wrong_for_owner(own, kind) else []
        return [str(call) for call in [*wrong, *([staff] if wrong_for_staff(staff) else [])]]

    wrong = at_once(tried, operations)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("service", DESCRIBING)
def test_every_operation_says_who_comes_in(cast: Cast, service: str) -> None:
    operations = cast.operations(service)
    assert operations
    assert {each.access for each in operations} <= {"public", "known", "account", "staff"}


def test_the_gateway_says_the_same_of_each_operation_as_its_service(cast: Cast) -> None:
    merged = cast.fleet.get("/api/schema/").json()["paths"]
    at_gateway = {(method, path, merged[path][method]["x-access"]) for path in merged for method in merged[path]}
    at_services = {
        (each.method.lower(), each.path, each.access) for name in DESCRIBING for each in cast.operations(name)
    }
    assert {each for each in at_gateway if each[0] in METHODS} == at_services
    assert json.dumps(merged).count("x-access") == len(at_gateway)
