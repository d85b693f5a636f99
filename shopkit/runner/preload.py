"""What the runner imports before it forks: the services share this memory, and start without reading it again.

Only modules that need no settings at import: each service has settings of its own.
"""

import gc
from importlib import import_module

_SHARED = (
    "django.contrib.admin.options",
    "django.core.cache.backends.redis",
    "django.core.handlers.asgi",
    "django.core.handlers.wsgi",
    "django.core.management.commands.migrate",
    "django.db.backends.sqlite3.base",
    "django.db.migrations.executor",
    "django.template.engine",
    "corsheaders.middleware",
    "dj_database_url",
    "django_filters",
    "gunicorn.app.base",
    "gunicorn.arbiter",
    "httptools",
    "jsonschema",
    "prometheus_client",
    "pydantic_settings",
    "pymongo",
    "redis",
    "requests",
    "rest_framework.serializers",
    "shopkit.config",
    "shopkit.logging",
    "shopkit.proxy",
    "shopkit.server",
    "shopkit.workers",
    "structlog",
    "uvloop",
    "whitenoise.middleware",
    "yaml",
)


def preload() -> None:
    for name in _SHARED:
        import_module(name)
    gc.collect()
    gc.freeze()  # so that no child's collector writes to these pages, which would make them its own
