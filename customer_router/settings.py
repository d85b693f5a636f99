"""Settings of customer_router: the shared ones, for this service."""

from shopkit.settings import settings_for

globals().update(settings_for("customer_router"))
