"""Whose requests a service counts together: the client's address, whichever hops they came through."""

from django.http import HttpRequest

from shopkit.ip import counted, is_ours


def client_address(request: HttpRequest) -> str:
    """The client of a request to a service, which may have come through the gateway and a router.

    `X-Forwarded-For` counts only from a peer on this machine or in our own network, as the hops of the fleet are. The
    outermost one begins it with the client, and each behind adds who called it: so the client is the last that is not
    of our own network; where all are, the first.
    """
    peer = request.META.get("REMOTE_ADDR", "")
    said = request.headers.get("X-Forwarded-For", "") if is_ours(peer) else ""
    seen = [*filter(None, map(str.strip, said.split(","))), peer]
    client = next((address for address in reversed(seen) if not is_ours(address)), seen[0])
    return counted(client) or client[:100]
