"""IP addresses: which are of our own network, what one is counted as, and which one a proxy names."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

# loopback, private and link-local (RFC 1122, 1918, 3927, 4193, 4291)
_OURS = [
    ip_network(network)
    for network in (
        *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"),
        *("::1/128", "fc00::/7", "fe80::/10"),
    )
]


@lru_cache(maxsize=4096)
def counted(address: str) -> str | None:
    """What an address is counted as: of an IPv6 address its /64, which one customer has; None for what is none."""
    found = _parsed(address)
    return (
        str(ip_network((found.packed, 64), strict=False))
        if isinstance(found, IPv6Address)
        else str(found or "") or None
    )


def is_ours(address: str) -> bool:
    found = _parsed(address)
    return found is not None and any(found in network for network in _OURS)


def before_proxy(said: str, proxy: str) -> str:
    """Who called the proxy before us, by the `X-Forwarded-For` that it said; where that is of no use, the proxy itself.

    The last entry alone is the proxy's own: those before it may be whatever the client wrote.
    """
    return str(_parsed(said.rpartition(",")[2].strip()) or proxy)


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(address.partition("%")[0])  # the zone is this machine's own matter
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
