"""The mails about custom orders, each made of what is true when it is sent.

Who asked may have given anybody's address, so the first mail has none of their words in it.
"""

from typing import Any
from urllib.parse import urljoin

from django.conf import settings

from order_service.custom_models import CustomOrder
from shopkit import mail
from shopkit.money import shown
from shopkit.outbox.models import Message

TO_STAFF = "asked"


def about_custom_order(message: Message) -> None:
    """To who asked for it; that somebody has, to staff."""
    custom = CustomOrder.objects.select_related("order").filter(pk=message.payload["custom_id"]).first()
    if custom is None:
        return
    template = message.payload["mail"]
    to = settings.ALERT_EMAIL if template == TO_STAFF else custom.email
    if to:
        mail.send(to=to, template=f"order_service/custom_{template}", context=_told(custom))


def _told(custom: CustomOrder) -> dict[str, Any]:
    path = f"/api/custom-orders/{custom.pk}/"
    return {
        "custom": custom,
        "price": shown(custom.price or 0),
        "total": shown(custom.order.total) if custom.order else "",
        "shipping": shown(custom.order.shipping) if custom.order else "",
        "tax": shown(custom.order.tax) if custom.order else "",
        "here": urljoin(settings.FRONT_URL, path),
        "link": urljoin(settings.FRONT_URL, f"{path}?secret={custom.secret}"),
        "pay": urljoin(settings.FRONT_URL, custom.payment_url),
    }
