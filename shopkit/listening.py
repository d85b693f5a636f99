"""Where a worker of gunicorn's may listen, whoever started it: in open access, to this machine alone."""

import socket
from typing import Any

from shopkit.config import check_listens


class Listening:
    """Put before gunicorn's class of a worker; `ConfigurationError` for a socket that is not for this machine alone.

    One in the file system is not: who has it may pass on whom they like.
    """

    def __init__(
        self, age: int, ppid: int, sockets: list[socket.socket], app: Any, timeout: float, cfg: Any, log: Any
    ) -> None:
        # Here we are still in gunicorn's leader, which ends with it; it would start a worker that ends again and again.
        names = [each.getsockname() for each in sockets] or cfg.address  # with --reuse-port, a worker makes its own
        check_listens("gunicorn", [str(name[0] if isinstance(name, tuple) else name) for name in names])
        super().__init__(age, ppid, sockets, app, timeout, cfg, log)  # type: ignore[call-arg]  # gunicorn's
