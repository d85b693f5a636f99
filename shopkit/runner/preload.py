"""What the runner imports before it forks: the services share this memory, and start without reading it again.

Only modules that need no settings at import: each service has settings of its own.
"""

import contextlib
import ctypes
import gc
from importlib import import_module

_SHARED = (
    "django.contrib.admin.options",
    "django.contrib.admin.sites",
    "django.contrib.auth.hashers",
    "argon2",
    "cryptography.hazmat.primitives.asymmetric.ed25519",
    "django.core.cache.backends.redis",
    "django.core.handlers.asgi",
    "django.core.handlers.wsgi",
    "django.core.mail",
    "django.core.management.commands.migrate",
    "django.db.backends.sqlite3.base",
    "django.db.migrations.executor",
    "django.middleware.csrf",
    "django.template.engine",
    "django.test.client",  # what describes the API imports it, and whatever templates are installed with it
    "celery.apps.worker",
    "celery.beat",
    "celery.concurrency.solo",
    "celery.worker.components",
    "celery.worker.consumer",
    "corsheaders.middleware",
    "dj_database_url",
    "drf_spectacular.contrib",
    "django_filters",
    "gunicorn.app.base",
    "gunicorn.arbiter",
    "httptools",
    "jsonschema",
    "jwt",
    "kombu.transport.redis",
    "limits.aio.storage",
    "limits.aio.strategies",
    "limits.storage",
    "limits.strategies",
    "prometheus_client",
    "pydantic_settings",
    "pymongo",
    "redis",
    "requests",
    "rest_framework.serializers",
    "shopkit.config",
    "shopkit.http",
    "shopkit.logging",
    "shopkit.proxy",
    "shopkit.proxy_worker",
    "shopkit.server",
    "shopkit.service_worker",
    "shopkit.settings",
    "shopkit.worker",
    "structlog",
    "uvloop",
    "whitenoise.middleware",
    "xml.dom.minidom",
    "yaml",
)


_M_ARENA_MAX = -8  # mallopt(3)


def preload() -> None:
    with contextlib.suppress(AttributeError, OSError):  # Linux with glibc only; harmless elsewhere
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)  # threads that share the GIL need no heap each
    for name in _SHARED:
        import_module(name)
    gc.collect()
    gc.freeze()  # so that no child's collector writes to these pages, which would make them its own
