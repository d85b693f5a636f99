"""`python -m shopkit.embedded PORT FILE`: serve the documents in FILE on 127.0.0.1:PORT until SIGTERM."""

import logging
import sqlite3
import sys
from pathlib import Path

from shopkit.embedded.journal import InUse
from shopkit.embedded.server import serve


def main(arguments: list[str]) -> None:
    if len(arguments) != 2 or not arguments[0].isdigit():
        sys.exit("usage: python -m shopkit.embedded PORT FILE")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        serve(port=int(arguments[0]), path=Path(arguments[1]))
    except (InUse, OSError) as error:
        sys.exit(str(error))
    except sqlite3.Error as error:
        sys.exit(f"{arguments[1]}: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
