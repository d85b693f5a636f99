"""Django settings that all services share; `settings_for` adds what the topology says of one of them."""

from pathlib import Path
from typing import Any

import dj_database_url
from corsheaders.defaults import default_headers

from shopkit import topology
from shopkit.config import Config, ConfigurationError, config
from shopkit.logging import logging_config
from shopkit.media import media_settings

_BASE_APPS = ["django.contrib.staticfiles", "rest_framework", "django_filters", "drf_spectacular", "shopkit"]
_ADMIN_APPS = [
    "shopkit.admin_site.StaffAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
]
_BASE_MIDDLEWARE = [
    "shopkit.middleware.RequestMiddleware",
    "shopkit.middleware.HygieneMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
_ADMIN_MIDDLEWARE = [f"shopkit.admin_middleware.{name}" for name in ("Sessions", "Csrf", "Users", "Messages")]
_ADMIN_CONTEXT = [
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
]
_REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["shopkit.auth.IdentityAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["shopkit.permissions.IsStaff"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "shopkit.negotiation.Negotiation",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["shopkit.parsers.StrictJSONParser"],
    "DEFAULT_PAGINATION_CLASS": "shopkit.pagination.Pages",
    "DEFAULT_FILTER_BACKENDS": [
        "django_filters.rest_framework.DjangoFilterBackend",
        "shopkit.filters.StrictOrdering",
        "rest_framework.filters.SearchFilter",
    ],
    "DEFAULT_SCHEMA_CLASS": "shopkit.schema.ShopSchema",
    "DEFAULT_METADATA_CLASS": "shopkit.metadata.SchemaMetadata",
    "EXCEPTION_HANDLER": "shopkit.error_handler.handle",
    "UNAUTHENTICATED_USER": "shopkit.auth.anonymous",
    "DATETIME_FORMAT": "%Y-%m-%dT%H:%M:%SZ",
}
_SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 5,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
}
_SILENCED = [
    "security.W005",  # HSTS for the subdomains is for SHOP_HSTS to say: other things than the shop may be there
    "security.W021",  # and so is preloading, which can hardly be undone
    "security.W008",  # services call each other in plain HTTP; the proxy that ends TLS redirects
]
_SILENCED += ["security.W003"]  # no cookie says who calls, but in the admin, whose middleware sees to what is forged
_PASSWORDS = (
    "MinimumLengthValidator",  # 8
    "UserAttributeSimilarityValidator",
    "CommonPasswordValidator",
    "NumericPasswordValidator",
)
_EXPOSED = ["ETag", "Idempotent-Replayed", "Location", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-ID"]
_EXPOSED += ["X-Source"]
ADMIN_SECONDS = 3600  # how long staff stay signed in to an admin
MAX_BODY = 10 * 1024 * 1024  # bytes; the proxies' limit too


def settings_for(
    name: str,
    *,
    apps: tuple[str, ...] = (),
    mails: bool = False,
    staff_backend: str = "shopkit.admin_login.StaffBackend",
) -> dict[str, Any]:
    """The Django settings of one service, for `globals().update(...)` in its `settings.py`.

    `apps` are those it alone needs; with `mails` it sends mail, as item services do, and
    in production does not start without a server;
    `staff_backend` checks who signs in to its admin.
    """
    service, env = topology.service(name), config()
    admin = service.relational
    return {
        "SERVICE": service,
        "SECRET_KEY": env.secret(),
        "DEBUG": env.debug,
        "DEFAULT_EXCEPTION_REPORTER": "shopkit.error_handler.NoReport",
        "ALLOWED_HOSTS": env.hosts,
        "ROOT_URLCONF": "shopkit.urls",
        "INSTALLED_APPS": [
            *(_ADMIN_APPS if admin else []),
            *_BASE_APPS,
            "corsheaders",
            *_item_apps(service),
            *apps,
            name,
        ],
        "MIDDLEWARE": [*_BASE_MIDDLEWARE, *(_ADMIN_MIDDLEWARE if admin else [])],
        "TEMPLATES": [_templates(_ADMIN_CONTEXT if admin else [])],
        "DATABASES": {"default": _database(name, env)} if admin else {},
        "CACHES": {"default": _cache(name, env)},
        "MONGO_URL": env.mongo_url,
        "LOW_STOCK_AT": env.low_stock_at,
        "CATALOGUE_HEAL_SECONDS": env.heal_seconds,
        "ALERT_EMAIL": env.alert_email or env.staff_email,
        "MONGO_DATABASE": env.mongo_database(name),
        "REST_FRAMEWORK": _REST_FRAMEWORK,
        "SPECTACULAR_SETTINGS": _spectacular(name),
        "LOGGING": logging_config(env.log_level),
        "LOGGING_CONFIG": "shopkit.logging.configure",
        "STATIC_URL": "/static/",
        "WHITENOISE_USE_FINDERS": True,
        "WHITENOISE_AUTOREFRESH": False,
        "USE_TZ": True,
        "TIME_ZONE": "UTC",
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        "APPEND_SLASH": False,
        "USE_X_FORWARDED_HOST": True,
        "DATA_UPLOAD_MAX_MEMORY_SIZE": MAX_BODY,
        "CORS_ALLOWED_ORIGINS": env.cors,
        "CORS_URLS_REGEX": r"^/api/",
        "CORS_ALLOW_HEADERS": [*default_headers, "idempotency-key", "if-match", "x-customer-type", "x-request-id"],
        "CORS_EXPOSE_HEADERS": _EXPOSED,
        "AUTHENTICATION_BACKENDS": [staff_backend] if admin else [],
        "SESSION_COOKIE_AGE": ADMIN_SECONDS,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "CSRF_COOKIE_HTTPONLY": True,
        "CSRF_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_NAME": f"{name}_session",
        "CSRF_COOKIE_NAME": f"{name}_csrf",
        "CSRF_FAILURE_VIEW": "shopkit.error_handler.forged",
        "SILENCED_SYSTEM_CHECKS": _SILENCED,
        "PASSWORD_HASHERS": ["shopkit.passwords.Argon2", "django.contrib.auth.hashers.PBKDF2PasswordHasher"],
        "AUTH_PASSWORD_VALIDATORS": [{"NAME": f"django.contrib.auth.password_validation.{v}"} for v in _PASSWORDS],
        **(media_settings(name, env) if service.keeps_files else {}),
        **(_mail(env) if mails or service.item_type else {}),
        **(_production(env) if env.production else {}),
    }


def _item_apps(service: topology.Service) -> list[str]:
    return ["shopkit.items"] if service.item_type else []  # its commands


def _templates(more_context: list[str]) -> dict[str, Any]:
    context = ["django.template.context_processors.request", *more_context]
    backend = "django.template.backends.django.DjangoTemplates"
    return {"BACKEND": backend, "APP_DIRS": True, "OPTIONS": {"context_processors": context}}


def _database(name: str, env: Config) -> dict[str, Any]:
    parsed: dict[str, Any] = dict(dj_database_url.parse(env.database(name), conn_max_age=60, conn_health_checks=True))
    if parsed["ENGINE"].endswith("sqlite3"):
        Path(parsed["NAME"]).parent.mkdir(parents=True, exist_ok=True)
        parsed["OPTIONS"] = {**parsed.get("OPTIONS", {}), **_SQLITE_OPTIONS}
        parsed["TEST"] = {"NAME": f"{parsed['NAME']}.test"}  # a file, as in earnest: in memory, locks work otherwise
    if parsed["ENGINE"].endswith("mysql"):
        # innodb_strict_mode is on by itself, and MySQL 8 lets no ordinary user set it
        strict = "SET sql_mode='STRICT_TRANS_TABLES'"
        parsed["OPTIONS"] = {**parsed.get("OPTIONS", {}), "charset": "utf8mb4", "init_command": strict}
        parsed["TEST"] = {"CHARSET": "utf8mb4"}  # that of MySQL 8; MariaDB's own may be latin1
    return parsed


def _cache(name: str, env: Config) -> dict[str, Any]:
    if env.redis_url:
        backend = "django.core.cache.backends.redis.RedisCache"
        return {"BACKEND": backend, "LOCATION": env.redis_url, "KEY_PREFIX": name}
    return {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}


def _mail(env: Config) -> dict[str, Any]:
    """By SMTP to `EMAIL_HOST`; in development, without one, each mail is a file in the data folder."""
    if env.production and not env.email_host:
        raise ConfigurationError("EMAIL_HOST must name a mail server in production; accounts begin with a mail.")
    more = {"DEFAULT_FROM_EMAIL": env.email_from, "FRONT_URL": _front_url(env)}
    if not env.email_host:
        folder = {"EMAIL_FILE_PATH": env.data.resolve() / "mail"}
        return {"EMAIL_BACKEND": "shopkit.mail.Files", **folder, **more}
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": env.email_host,
        "EMAIL_PORT": env.email_port,
        "EMAIL_HOST_USER": env.email_user,
        "EMAIL_HOST_PASSWORD": env.email_password,
        "EMAIL_USE_TLS": env.email_tls,
        "EMAIL_TIMEOUT": 10,
        **more,
    }


def _front_url(env: Config) -> str:
    """Where the shop front lives, to which mails link; without one, in development, the gateway."""
    if env.production and not env.front_url:
        raise ConfigurationError("SHOP_FRONT_URL must say where the shop's pages are in production; mails link there.")
    return (env.front_url or f"http://localhost:{topology.service('gateway').listen_port}").rstrip("/")


def _spectacular(name: str) -> dict[str, Any]:
    return {
        "TITLE": name,
        "VERSION": "1",
        "SERVE_INCLUDE_SCHEMA": False,
        "COMPONENT_SPLIT_REQUEST": True,
        "SCHEMA_PATH_PREFIX": "/api/",
        "SERVE_AUTHENTICATION": [],
        "SERVE_PERMISSIONS": [],
        "SWAGGER_UI_DIST": "SIDECAR",
        "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    }


def _production(env: Config) -> dict[str, Any]:
    return {
        "SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https"),
        "SECURE_HSTS_SECONDS": 31_536_000,
        "SECURE_HSTS_INCLUDE_SUBDOMAINS": env.hsts != "host",
        "SECURE_HSTS_PRELOAD": env.hsts == "preload",
        "SESSION_COOKIE_SECURE": True,
        "CSRF_COOKIE_SECURE": True,
    }
