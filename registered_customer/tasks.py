"""What registered_customer does in the background."""

from collections.abc import Mapping

from shopkit.outbox.handlers import Handler

HANDLERS: Mapping[str, Handler] = {}
