"""What the customer router does by itself: tells what it has to tell, and carries on with unfinished moves."""

from customer_router import journal, services
from shopkit.outbox.models import Message
from shopkit.sweeper import Sweep


def tell_sign_in(message: Message) -> None:
    services.tell_sign_in(peer=message.payload["peer"], sign_in=message.payload["sign_in"])


HANDLERS = {services.SIGN_IN: tell_sign_in}
SWEEPS = (Sweep(journal.resume_due, every=2),)
