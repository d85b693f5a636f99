"""Settings for the type checker alone: all services' apps at once, and the settings that are ours."""

from shopkit import topology
from shopkit.settings import settings_for

globals().update(settings_for("gateway"))
SERVICE: topology.Service = topology.service("gateway")
FRONT_URL: str = ""
ALERT_EMAIL: str | None = None
LOW_STOCK_AT: int = 5
CATALOGUE_HEAL_SECONDS: float = 25
MONGO_URL: str = ""
MONGO_DATABASE: str = ""
SECRET_KEY = "for the type checker"
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "rest_framework",
    "shopkit",
    "shopkit.idempotency",
    "shopkit.outbox",
    *topology.SERVICES,
]
