"""What the customer router asks of the three customer services, and tells others of who signs in."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar
from urllib.parse import quote

from shopkit import http, topology
from shopkit.auth import Identity
from shopkit.errors import Conflict, Moved, ShopError

Body = dict[str, Any]
_TYPES = topology.by_customer_type()
_ACCOUNTS = _TYPES["registered"].name
T = TypeVar("T")
MOST_HOPS = 5
"""Guest → registered → VIP, where they are about to come back from: that takes four."""


@dataclass(frozen=True)
class Place:
    """Where a customer is; what they `spent` in the last year, in minor units."""

    customer_type: str
    spent: int


@dataclass(frozen=True)
class Registration:
    """A registration that waits to be verified; `guest_id` is whom it will make somebody."""

    id: uuid.UUID
    guest_id: str | None


@dataclass(frozen=True)
class Login:
    """`session` is `{access, refresh, customer}`, where `customer` is what the account itself says."""

    session: Body
    customer_id: str
    customer_type: str


class Moving(Protocol):
    """What is asked of a move in the journal."""

    pk: uuid.UUID
    customer_id: str
    origin: str
    target: str
    registration_id: uuid.UUID | None


def place(*, customer_id: str) -> Place | None:
    """Where the customer is; None for nobody, or for one who is between two places; 502/503/504 if nobody can say."""
    told = http.of_each(_TYPES.values(), lambda service: http.find(service.name, _internal(customer_id)))
    for service in _TYPES.values():
        body = told[service.name]
        with http.understanding(service.name):
            if body is not None and body["here"]:
                return Place(service.customer_type or "", int(body["spent"]))
    return None


def _internal(customer_id: str, rest: str = "") -> str:
    return f"/internal/customers/{quote(customer_id, safe='')}/{rest}"


def hold(move: Moving) -> Body:
    """`{ticket, customer}`; see `shopkit.customers.moves`, for all the steps."""
    body = _step(move, move.origin, "hold", to=move.target)
    with http.understanding(_TYPES[move.origin].name):
        return {"ticket": body["ticket"], "customer": body["customer"]}


def arrive(move: Moving, held: Body) -> None:
    more = {"registration_id": str(move.registration_id)} if move.registration_id else {}
    _step(move, move.target, "arrive", origin=move.origin, **held, **more)


def leave(move: Moving) -> None:
    _step(move, move.origin, "leave")


def settle(move: Moving) -> None:
    _step(move, move.target, "settle")


def release(move: Moving) -> None:
    _step(move, move.origin, "release")


def refuse(move: Moving) -> None:
    _step(move, move.target, "refuse", origin=move.origin)


def _step(move: Moving, at: str, step: str, **body: object) -> Any:
    path = _internal(move.customer_id, f"moves/{move.pk}/{step}/")
    return http.call("POST", _TYPES[at].name, path, json=body)


def registration(*, token: str) -> Registration:
    """`ShopError("invalid_token")` for one that is none, or counts no more."""
    body = http.call("POST", _ACCOUNTS, "/internal/registrations/find/", json={"token": token})
    with http.understanding(_ACCOUNTS):
        return Registration(uuid.UUID(body["registration_id"]), body["guest_id"])


def complete_registration(*, token: str) -> str:
    """The id of the customer that it makes, as somebody new."""
    body = http.call("POST", _ACCOUNTS, "/internal/registrations/complete/", json={"token": token})
    with http.understanding(_ACCOUNTS):
        return str(body["customer_id"])


def session(*, customer_id: str) -> Body:
    """`{access, refresh}` for somebody whose identity is beyond doubt."""
    body = http.call("POST", _ACCOUNTS, f"/internal/accounts/{customer_id}/session/", json={})
    return _with(_ACCOUNTS, body, "access", "refresh")


def log_in(*, body: object, client: str) -> Login:
    """`client` is their address."""
    told = http.call("POST", _ACCOUNTS, "/api/auth/login/", json=body, client=client)
    session = _with(_ACCOUNTS, told, "access", "refresh", "customer")
    with http.understanding(_ACCOUNTS):
        customer_type = session["customer"]["customer_type"]
        return Login(session, str(session["customer"]["id"]), _TYPES[customer_type].customer_type or "")


def register(*, guest_id: str, body: object, client: str) -> Body:
    """Registers on behalf of a guest, who will be it."""
    guest = Identity(customer_id=guest_id)
    return _with(
        _ACCOUNTS, http.call("POST", _ACCOUNTS, "/api/auth/register/", json=body, identity=guest, client=client)
    )


def profile(*, customer_id: str, customer_type: str) -> Body | None:
    """The customer as the service of their type shows them; None for staff, who need not be a customer."""
    identity = Identity(customer_id=customer_id, customer_type=customer_type)
    path = f"/api/customers/{quote(customer_id, safe='')}/"
    return _following(
        _TYPES[customer_type].name,
        path,
        lambda service, path: _with(service, http.get(service, path, identity=identity), "id"),
    )


def tell_order(*, customer_id: str, customer_type: str, order: Body) -> Body | None:
    """Tells the service that the customer was at, or those it sends on to; None when they are not known there."""
    service, path = _TYPES[customer_type].name, _internal(customer_id, "orders/")
    return _following(service, path, lambda service, path: _with(service, http.call("POST", service, path, json=order)))


def perks(*, customer_id: str) -> Body | None:
    """`{tier, percent, free_shipping}` of a VIP; None for who is none."""
    vips = _TYPES["vip"].name
    try:
        return _with(vips, http.get(vips, _internal(customer_id, "perks/")), "tier", "percent", "free_shipping")
    except Moved:
        return None
    except ShopError as error:
        if error.status != 404:
            raise
        return None


def _with(service: str, body: Any, *fields: str) -> Body:
    """The object that a peer answered; `BadGateway` when it is none, or has not these fields."""
    with http.understanding(service):
        return {**body, **{field: body[field] for field in fields}}


def _following(service: str, path: str, ask: Callable[[str, str], T]) -> T | None:
    """What the service that the customer has moved to answers; None for 404.

    `Conflict("move_in_progress")` for who moves faster than we follow.
    """
    for _hop in range(MOST_HOPS):
        try:
            return ask(service, path)
        except Moved as moved:
            path = moved.headers["Location"]
            with http.understanding(service):
                service = topology.by_path()[path.split("/")[2]].name
        except ShopError as error:
            if error.status != 404:
                raise
            return None
    raise Conflict("This customer is moving just now; try again soon.", code="move_in_progress")


def is_guest(*, customer_id: str) -> bool:
    """Whether this is no more than a guest's id, perhaps a forgotten one's; `Conflict("moving")` while that is open."""
    guests = _TYPES["guest"].name
    body = http.find(guests, _internal(customer_id))
    if body is None:
        return True
    with http.understanding(guests):
        here, moving = bool(body["here"]), bool(body["moving_to"])
    if moving:
        raise Conflict("This guest is about to have an account.", code="moving")
    return here


def tell_sign_in(*, peer: str, sign_in: Body) -> None:
    """Tells a peer whose is now what was the guest's: `{guest_id, customer_id, customer_type}`.

    But not of a guest who has an account by now, under the same id: what they have is theirs.
    """
    guest = http.find(_TYPES["guest"].name, _internal(sign_in["guest_id"]))
    with http.understanding(_TYPES["guest"].name):
        if guest is not None and guest["moved_to"]:
            return
    http.call("POST", peer, "/internal/sign-ins/", json=sign_in)
