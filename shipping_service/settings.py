"""Settings of shipping_service: the shared ones, for this service."""

from shopkit.config import config
from shopkit.settings import settings_for

globals().update(settings_for("shipping_service", apps=("shopkit.outbox",)))
CARRIER_SECRETS = config().carrier_secrets
