"""What paying_service does by itself: tells orders of their payments, looks into webhooks, asks after what waits."""

import uuid

from django.utils import timezone

from paying_service import checkout, clients, forgotten, webhooks
from paying_service.models import Payment
from paying_service.providers import simulated, simulated_news
from shopkit.idempotency.services import sweep
from shopkit.outbox.models import Message
from shopkit.sweeper import Sweep


def tell_order(message: Message) -> None:
    payment = Payment.objects.filter(pk=message.payload["payment_id"]).first()
    if payment is not None:
        clients.tell_order(
            payment={
                "payment_id": str(payment.pk),
                "order_id": str(payment.order_id),
                "version": payment.version,
                "status": payment.status,
                "refunded": payment.refunded,
            }
        )


def give_back(message: Message) -> None:
    checkout.give_back(payment_id=uuid.UUID(message.payload["payment_id"]))


def forget_old_answers() -> int:
    return sweep(now=timezone.now())


HANDLERS = {
    checkout.CHANGED: tell_order,
    checkout.GIVE_BACK: give_back,
    webhooks.WEBHOOK: webhooks.look_into,
    simulated_news.NEWS: simulated_news.send,
    simulated_news.LATE_CHARGE: simulated.look_after,
}
SWEEPS = (
    Sweep(checkout.look_at_waiting, every=1),
    Sweep(checkout.finish_refunds, every=15),
    Sweep(forgotten.void_forgotten, every=600),
    Sweep(forget_old_answers, every=3600),
)
