"""`python -m tests.on_servers SERVICE`: its suite once more, on the database server that it has in production;
without what says that the store makes no difference."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from shopkit.topology import SERVICES, Store
from tests import stores

SUITES = [each.name for each in SERVICES.values() if each.store in (Store.POSTGRES, Store.MYSQL)]


def main(service: str) -> int:
    with tempfile.TemporaryDirectory(prefix="polyshop-suite-") as folder:
        try:
            with stores.database(Path(folder), SERVICES[service], prefix="suite_") as url:
                return run(service, url)
        except stores.Missing as missing:
            print(f"1 skipped: !!! NOT TESTED on a database server: {missing}")
            return 0


def run(service: str, url: str) -> int:
    command = [sys.executable, "-m", "pytest", "-q", "--tb=short", "-m", "not any_store", service]
    env = {**os.environ, "SHOP_SERVICE": service, "DATABASE_URL": url}
    return subprocess.run(command, env=env, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
