"""Whose requests are counted together: the client's address; of an IPv6 address its /64, which one customer has."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.http import HttpRequest

# loopback, private and link-local (RFC 1122, 1918, 3927, 4193, 4291)
_OURS = [
    ip_network(network)
    for network in (
        *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"),
        *("::1/128", "fc00::/7", "fe80::/10"),
    )
]


def client_address(request: HttpRequest) -> str:
    """The client of a request to a service, which may have come through the gateway and a router.

    `X-Forwarded-For` counts only from a peer on this machine or in our own network, as the hops of the fleet are. Each
    adds the address it saw, so the client is the last one that is not of our own network; where all are, the first.
    """
    peer = request.META.get("REMOTE_ADDR", "")
    said = request.headers.get("X-Forwarded-For", "") if _is_ours(peer) else ""
    seen = [*filter(None, map(str.strip, said.split(","))), peer]
    client = next((address for address in reversed(seen) if not _is_ours(address)), seen[0])
    return counted(client) or client[:100]


@lru_cache(maxsize=4096)
def counted(address: str) -> str | None:
    """What an address is counted as; None for what is none."""
    found = _parsed(address)
    return (
        str(ip_network((found.packed, 64), strict=False))
        if isinstance(found, IPv6Address)
        else str(found or "") or None
    )


def _is_ours(address: str) -> bool:
    found = _parsed(address)
    return found is not None and any(found in network for network in _OURS)


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(address)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
