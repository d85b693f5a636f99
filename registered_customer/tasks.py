"""What registered_customer does in the background, and once its tables are there."""

from collections.abc import Callable, Mapping

from registered_customer import mails, registrations, resets, staff
from shopkit.customers import sessions
from shopkit.outbox.handlers import AtMostOnce, Handler
from shopkit.sweeper import Sweep

HANDLERS: Mapping[str, Handler] = {
    "registration": AtMostOnce(mails.verify),
    "registration_again": AtMostOnce(mails.verify_again),
    "password_reset": AtMostOnce(mails.reset_password),
}
SWEEPS = (
    Sweep(registrations.forget_old, every=3600),
    Sweep(resets.forget_old, every=3600),
    Sweep(sessions.forget_ended, every=3600),
)
AFTER_MIGRATING: tuple[Callable[[], object], ...] = (staff.make_first,)
