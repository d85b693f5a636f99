"""One JSON line an event on standard output, each with the service and the request id; no header or body is logged."""

import logging.config
import os
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def _add_service(_logger: object, _method: str, event: MutableMapping[str, Any]) -> dict[str, Any]:
    return {"service": os.environ.get("SHOP_SERVICE", ""), **event}


def json_formatter() -> logging.Formatter:
    """For the standard library's handlers: the same lines as ours."""
    return structlog.stdlib.ProcessorFormatter(
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        foreign_pre_chain=[*_SHARED, _add_service],
    )


def logging_config(level: str) -> dict[str, Any]:
    """A `dictConfig` that sends the standard library's loggers the same way as ours."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": json_formatter}},
        "handlers": {"stdout": {"class": "logging.StreamHandler", "stream": sys.stdout, "formatter": "json"}},
        "root": {"handlers": ["stdout"], "level": level},
        "loggers": {
            "django": {"handlers": []},  # or Django's own handler would write as well, and not in JSON
            # our own line says more than these, and once
            **{name: {"level": "ERROR"} for name in ("django.request", "django.security", "urllib3")},
            "celery": {"level": "WARNING"},  # or it would write two lines a task
            "celery.beat": {"level": "CRITICAL"},  # or a stack a second while there is no broker
        },
    }


def configure(config: dict[str, Any]) -> None:
    """Django's `LOGGING_CONFIG`: sets up the standard library and structlog alike."""
    logging.config.dictConfig(config)
    logging.captureWarnings(True)
    structlog.configure(
        processors=[*_SHARED, _add_service, structlog.processors.format_exc_info, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLogger().level),
        logger_factory=structlog.PrintLoggerFactory(),
        cache_logger_on_first_use=False,
    )
