"""Settings of paying_service: the shared ones, for this service, and the secrets that webhooks are signed with."""

from shopkit.config import config
from shopkit.settings import settings_for

globals().update(settings_for("paying_service", apps=("shopkit.idempotency", "shopkit.outbox")))
SIMULATED_SECRETS = config().webhook_secrets
