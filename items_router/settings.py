"""Settings of items_router: the shared ones, for this service."""

from shopkit.settings import settings_for

globals().update(settings_for("items_router"))
