#!/usr/bin/env python
"""Sets up the benefits of the VIP tiers: `python vip_customer/init_benefits.py`. Those that are there stay."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from shopkit import entry
from shopkit.loader import LoadError, check_running, find_stores


def main() -> None:
    service = entry.use("vip_customer")
    find_stores()
    try:
        check_running([service])
    except LoadError as error:
        sys.exit(f"init_benefits: {error}")
    from django.core.management import execute_from_command_line

    execute_from_command_line(["manage.py", "load_initial_data", "--model", "vip_customer.benefit"])


if __name__ == "__main__":
    main()
