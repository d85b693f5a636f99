"""Settings of order_service: the shared ones, for this service."""

from shopkit.settings import settings_for

globals().update(settings_for("order_service", apps=("shopkit.idempotency", "shopkit.outbox"), mails=True))
