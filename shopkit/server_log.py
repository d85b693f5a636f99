"""gunicorn's own log lines: JSON like all others, and without a word of what a client sent."""

import logging
import sys
from typing import Any

from gunicorn.glogging import Logger

from shopkit.logging import json_formatter


class ServerLog(Logger):  # type: ignore[misc]
    """gunicorn's `logger_class`."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        handler = logging.StreamHandler(sys.stdout)
        handler.setFormatter(json_formatter())
        self.error_log.handlers = [handler]

    def warning(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """Of a request that is none, only that it came: gunicorn would quote its line, with the query."""
        super().warning(msg.partition(": ")[0] if msg.startswith("Invalid request from") else msg, *args, **kwargs)

    def exception(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """A target without its query."""
        super().exception(msg, *(_without_query(arg) for arg in args), **kwargs)


def _without_query(arg: object) -> object:
    return arg.partition("?")[0] if isinstance(arg, str) else arg
