"""Serves one service: `python -m shopkit.server NAME`, by gunicorn: its ASGI worker for proxies, else threads."""

import argparse
import os
import sys
from importlib import import_module
from typing import Any

from gunicorn.app.base import BaseApplication

from shopkit import background, entry, keys, sweeper, topology
from shopkit.config import config

THREADS = 4
GRACE_SECONDS = 5


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn with its settings from code, not from a file or the command line."""

    def __init__(self, service: topology.Service) -> None:
        self.service = service
        super().__init__()

    def load_config(self) -> None:
        for key, value in options(self.service).items():
            self.cfg.set(key, value)

    def load(self) -> Any:
        return entry.application()


def options(service: topology.Service) -> dict[str, Any]:
    """gunicorn's settings for one service. No forwarded header is gunicorn's to believe."""
    return {
        "bind": topology.authority(config().bind, service.listen_port),
        "workers": int(os.environ.get("WEB_CONCURRENCY", "1")),
        "worker_class": f"shopkit.{'proxy_worker.ProxyWorker' if service.proxies else 'service_worker.ServiceWorker'}",
        "threads": 1 if service.proxies else THREADS,
        "preload_app": False,
        "keepalive": 75,
        "graceful_timeout": GRACE_SECONDS,
        "timeout": 60,
        "forwarded_allow_ips": "",
        "limit_request_line": 8190,
        "limit_request_field_size": 8190,
        "proc_name": service.name,
        "loglevel": "warning",
        "logger_class": "shopkit.server_log.ServerLog",
        "control_socket_disable": True,
        "post_worker_init": lambda worker: sweeper.start(service.name, background.worker_of(service.name)),
        "worker_exit": lambda arbiter, worker: sweeper.stop(),
    }


def migrate(service: topology.Service) -> None:
    """Brings the service's tables, or its collection's indexes, up to date, and does what it declares for then."""
    import django
    from django.core.management import call_command

    django.setup()
    if service.relational:
        call_command("migrate", interactive=False, verbosity=0)
    if service.item_type:
        import_module("shopkit.items.services").ensure_indexes()
    for do in sweeper.after_migrating(service.name):
        do()
    import_module("django.db").connections.close_all()  # the workers, forked from here, open their own
    import_module("shopkit.mongo").close()


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m shopkit.server", description=__doc__)
    parser.add_argument("service", choices=sorted(topology.SERVICES))
    parser.add_argument("--migrate", action="store_true", help="bring the service's tables up to date first")
    given = parser.parse_args(arguments)
    service = entry.use(given.service)
    config()
    keys.check()
    if given.migrate:
        migrate(service)
    Server(service).run()


if __name__ == "__main__":
    main(sys.argv[1:])
