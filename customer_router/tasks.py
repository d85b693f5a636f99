"""What the customer router does by itself: tells what it has to tell, and carries on with unfinished moves."""

from customer_router import clients, journal
from customer_router.services import SIGN_IN
from shopkit.outbox.models import Message
from shopkit.sweeper import Sweep


def tell_sign_in(message: Message) -> None:
    clients.tell_sign_in(peer=message.payload["peer"], sign_in=message.payload["sign_in"])


HANDLERS = {SIGN_IN: tell_sign_in}
SWEEPS = (Sweep(journal.resume_due, every=2),)
