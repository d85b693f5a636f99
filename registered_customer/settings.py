"""Settings of registered_customer: the shared ones, for this service."""

from shopkit.settings import settings_for

globals().update(settings_for("registered_customer", apps=("shopkit.outbox",), mails=True))
