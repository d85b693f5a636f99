"""Settings of vip_customer: the shared ones, for this service."""

from shopkit.settings import settings_for

globals().update(settings_for("vip_customer", apps=("shopkit.idempotency", "shopkit.outbox")))
