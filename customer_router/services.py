"""What concerns two customer services at once: moves between types, and guests who prove to be somebody."""

from typing import Any

from django.db import transaction

from customer_router import clients, journal
from customer_router.clients import Body, Place
from shopkit import topology
from shopkit.auth import Identity
from shopkit.errors import Conflict, Forbidden, NotFound, ShopError
from shopkit.money import shown
from shopkit.outbox import services as outbox
from shopkit.permissions import check_opens

VIP_FROM = 500_00
"""What a registered customer must have spent on goods within a year to become a VIP without staff, in minor units."""
SIGN_IN = "guest_signed_in"
_HAS_MOVED = ("moving", "move_undone", "already_here")
"""What a customer service says of who moved, or was about to, between the look where they are and the move."""


def become_vip(*, identity: Identity, customer_id: str) -> str:
    """The registered customer becomes a VIP, or is one already; the type they are now.

    `NotFound`; `Forbidden("not_enough_spent")`; `Conflict`: `not_registered`, `move_in_progress`.
    """
    place = _place(identity, customer_id)
    if place.customer_type == "guest":
        raise Conflict("A guest has to register first.", code="not_registered")
    if place.customer_type == "registered":
        _check_spent(identity, place)
        reason = "staff" if identity.is_staff else "spent"
        _move(customer_id, place, "vip", reason)
    return "vip"


def step_down(*, identity: Identity, customer_id: str) -> str:
    """The VIP becomes a registered customer, or is one already; the type they are now.

    `NotFound`; `Conflict`: `not_registered`, `move_in_progress`.
    """
    place = _place(identity, customer_id)
    if place.customer_type == "guest":
        raise Conflict("A guest is nothing that one could step down from.", code="not_registered")
    if place.customer_type == "vip":
        _move(customer_id, place, "registered", "staff" if identity.is_staff else "customer")
    return "registered"


def register(*, identity: Identity, customer_id: str, body: Body, client: str) -> Body:
    """Registers a guest, who becomes the customer once the email is verified. `NotFound`, `Conflict("not_a_guest")`."""
    if _place(identity, customer_id).customer_type != "guest":
        raise Conflict("This customer is registered already.", code="not_a_guest")
    return clients.register(guest_id=customer_id, body=body, client=client)


def verify_email(*, token: str) -> Body:
    """Ends a registration: the guest who began it, or somebody new, has an account; `{access, refresh, customer}`.

    `ShopError("invalid_token")`; `Conflict`: `email_taken`, `move_in_progress`.
    """
    registration = clients.registration(token=token)
    customer_id = _become_registered(registration)
    if customer_id is None:
        customer_id = clients.complete_registration(token=token)
        _sign_in(registration.guest_id, customer_id, "registered")
    session = clients.session(customer_id=customer_id)
    return {**session, "customer": clients.profile(customer_id=customer_id, customer_type="registered")}


def _become_registered(registration: clients.Registration) -> str | None:
    """The guest's id, which stays theirs; None where there is no guest to become it.

    Nor where the shop has a customer with that email, whom staff made: then that is who they are.
    """
    if registration.guest_id is None:
        return None
    place = _whereabouts(registration.guest_id)
    if place is None or place.customer_type != "guest":
        return None
    try:
        _move(registration.guest_id, place, "registered", "registration", registration_id=registration.id)
    except ShopError as error:
        if error.code != "email_taken":
            raise
        return None
    return registration.guest_id


def log_in(*, guest_id: str | None, body: object, client: str) -> Body:
    """`{access, refresh, customer}`; what the guest put into carts and ordered is the customer's from now on."""
    login = clients.log_in(body=body, client=client)
    _sign_in(guest_id, login.customer_id, login.customer_type)
    profile = clients.profile(customer_id=login.customer_id, customer_type=login.customer_type)
    return {**login.session, "customer": profile or login.session["customer"]}


def _sign_in(guest_id: str | None, customer_id: str, customer_type: str) -> None:
    """Tells all whom it concerns that what was the guest's is the customer's; at once, if they can be told at once."""
    if guest_id in (None, customer_id):
        return
    sign_in = {"guest_id": guest_id, "customer_id": customer_id, "customer_type": customer_type}
    with transaction.atomic():
        peers = topology.service("customer_router").tells
        messages = [outbox.put_claimed(kind=SIGN_IN, payload={"peer": peer, "sign_in": sign_in}) for peer in peers]
    outbox.deliver_now(messages)


def tell_sign_in(*, peer: str, sign_in: Body) -> None:
    """Tells a peer of a sign-in; not if the guest has got an account under that id since: what is theirs is no gift."""
    if clients.is_guest(customer_id=sign_in["guest_id"]):
        clients.tell_sign_in(peer=peer, sign_in=sign_in)


def take_order(*, customer_id: str, customer_type: str, order: Body) -> Body | None:
    """Passes on what the order service tells of a customer's order; None when nobody knows the customer.

    Else what their service answers, with their `email` if they have one; `Conflict("move_in_progress")` while they
    move.
    """
    told = clients.tell_order(customer_id=customer_id, customer_type=customer_type, order=order)
    place = None if told is not None else _whereabouts(customer_id)
    if place is None:
        return told
    return clients.tell_order(customer_id=customer_id, customer_type=place.customer_type, order=order)


def perks(*, customer_id: str) -> Body | None:
    """What a VIP's carts and orders get by themselves; None for who is none."""
    return clients.perks(customer_id=customer_id)


def _whereabouts(customer_id: str) -> Place | None:
    """Where the customer is, once no move of theirs is under way; `Conflict("move_in_progress")` while one is.

    None for nobody. One look can miss who moves just then, so it takes two to say so.
    """
    for _look in range(2):
        journal.finish_begun(customer_id)
        if place := clients.place(customer_id=customer_id):
            return place
    return None


def _place(identity: Identity, customer_id: str) -> Place:
    """`NotFound` for nobody and for another; `Unauthenticated("login_required")` for an account by a guest's token."""
    if not identity.may_see(customer_id):
        raise NotFound
    place = _whereabouts(customer_id)
    if place is None:
        raise NotFound
    check_opens(identity, place.customer_type)
    return place


def _check_spent(identity: Identity, place: Place) -> None:
    if place.spent < VIP_FROM and not identity.is_staff:
        details = {"spent": [shown(place.spent)], "needed": [shown(VIP_FROM)]}
        message = f"A VIP has spent {shown(VIP_FROM)} within a year; this customer {shown(place.spent)}."
        raise Forbidden(message, code="not_enough_spent", details=details)


def _move(customer_id: str, place: Place, target: str, reason: str, **more: Any) -> None:
    move = journal.begin(customer_id=customer_id, origin=place.customer_type, target=target, reason=reason, **more)
    try:
        journal.carry_out(move)
    except ShopError as error:
        if error.code in _HAS_MOVED:
            raise journal.LeaseLost from error
        raise
