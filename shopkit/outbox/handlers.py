"""What a service says of the kinds of its messages, in `HANDLERS` of its `tasks.py`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from django.conf import settings

from shopkit.errors import ShopError
from shopkit.outbox.models import Message

Handler = Callable[[Message], None]
"""Delivers a message, within `delivery.LEASE`. At least once: an exception means again; the same may come twice."""


class NotSent(ShopError):
    """For a handler of `AtMostOnce`: certainly not sent, so it may be tried again later."""

    status, code, message = 503, "not_sent", "It could not be sent."


class Undeliverable(ShopError):
    """For a handler of `AtMostOnce`: certainly not sent, and trying again would not help."""

    status, code, message = 400, "undeliverable", "It cannot be sent."


@dataclass(frozen=True)
class AtMostOnce:
    """A handler whose deed must not be done twice: a message is taken for good before it is tried.

    Any exception but `NotSent` and `Undeliverable` leaves it open whether it was sent; then it is not tried again.
    """

    handle: Handler

    def __call__(self, message: Message) -> None:
        self.handle(message)


def handlers() -> Mapping[str, Handler]:
    """The kinds that the service declares."""
    declared: Mapping[str, Handler] = _tasks(settings.SERVICE.name).HANDLERS
    return declared


@cache
def _tasks(service: str) -> Any:
    """Imported once: to find that out costs as much as what a message asks for."""
    return import_module(f"{service}.tasks")
