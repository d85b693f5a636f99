#!/usr/bin/env python
"""`python manage.py SERVICE COMMAND …`: Django's commands for one service; `SHOP_SERVICE` may name it too."""

import os
import sys

from shopkit import entry, topology
from shopkit.config import check_socket


def main(arguments: list[str]) -> None:
    names = ", ".join(sorted(topology.SERVICES))
    if len(arguments) > 1 and arguments[1] in topology.SERVICES:
        name = arguments.pop(1)
    elif not (name := os.environ.get("SHOP_SERVICE", "")):
        sys.exit(f"usage: manage.py SERVICE COMMAND …, where SERVICE is one of {names}")
    entry.use(name)
    check_socket(arguments)
    from django.core.management import execute_from_command_line

    execute_from_command_line(arguments)


if __name__ == "__main__":
    main(sys.argv)
