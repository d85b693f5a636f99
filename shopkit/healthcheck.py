"""`python -m shopkit.healthcheck`: exit 0 when the service in this container is ready; for Docker's `HEALTHCHECK`."""

import http.client
import os
import sys

from shopkit import topology


def is_ready(service: topology.Service) -> bool:
    """A service of this machine: one with a store is ready when that is; one without, as soon as it lives."""
    path = "/health/ready" if service.store else "/health/live"
    connection = http.client.HTTPConnection(topology.own_address(), service.listen_port, timeout=3)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(not is_ready(topology.service(os.environ["SHOP_SERVICE"])))
