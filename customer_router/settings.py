"""Settings of customer_router: the shared ones, for this service, which has an outbox."""

from shopkit.settings import settings_for

globals().update(settings_for("customer_router", apps=("shopkit.outbox",)))
