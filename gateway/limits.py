"""How often one client may call: at the gateway, once for the whole fleet; more strictly where they sign in."""

from functools import cache

from shopkit.config import config
from shopkit.ip import counted
from shopkit.proxy import Request
from shopkit.ratelimit import Limiter, SharedCounts

AUTH = "/api/auth/"
NOT_COUNTED = frozenset({"/health/live", "/health/ready", "/metrics"})


def count(request: Request, *, subject: str | None = None) -> None:
    """Counts the request for `subject`, whose token was checked, or for its address; `TooManyRequests`.

    `Later` as the limiter raises it. On `/api/auth/` for the address always: there anyone gets themselves new subjects.
    """
    auth_path = request.path.startswith(AUTH)
    limiter = _limiters()[auth_path]
    if limiter is None or request.path in NOT_COUNTED:
        return
    key = f"subject:{subject}" if subject and not auth_path else f"address:{client_address(request)}"
    request.response_headers += limiter.admit(key)


def client_address(request: Request) -> str:
    """Who called, as the services behind are told: an IPv4 address, or an IPv6 network, of which a client has a /64."""
    return counted(request.came.client) or request.came.client


@cache
def _limiters() -> tuple[Limiter | None, Limiter | None]:
    """For all paths, for auth paths."""
    env = config()
    shared = SharedCounts(env.redis_url) if env.redis_url and (env.rate_limit or env.auth_rate_limit) else None
    return (
        Limiter("default", env.rate_limit, shared) if env.rate_limit else None,
        Limiter("auth", env.auth_rate_limit, shared, in_blocks=False) if env.auth_rate_limit else None,
    )
