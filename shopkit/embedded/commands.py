"""The table of commands: what each is called, the function that does it, and the arguments that it knows."""

import logging
from collections.abc import Callable
from typing import Any, NamedTuple

from shopkit.embedded import admin, reads, writes
from shopkit.embedded.errors import COMMAND_NOT_FOUND, INTERNAL_ERROR, StoreError, Unsupported
from shopkit.embedded.store import Store
from shopkit.embedded.values import Document

log = logging.getLogger("shopkit.embedded")

# Any command may have these. One process that answers after it has written fulfils every preference and concern below.
_COMMON = frozenset(
    {"$db", "$readPreference", "$clusterTime", "lsid", "txnNumber", "readConcern", "writeConcern"}
    | {"maxTimeMS", "comment", "apiVersion", "apiStrict", "apiDeprecationErrors"}
)
_READ_CONCERNS = (None, "local", "available", "majority")
_WRITE_CONCERNS = (None, 0, 1, "majority")


class _Command(NamedTuple):
    run: Callable[[Store, Document], Document]
    arguments: frozenset[str] | None


def _takes(run: Callable[[Store, Document], Document], arguments: str = "") -> _Command:
    return _Command(run, frozenset(arguments.split()))


# Whatever a driver tells about itself, or offers, at its hello; the answer agrees to nothing.
_HELLO = _Command(admin.hello, None)
_MODIFY = _takes(writes.find_and_modify, "query sort remove update new fields upsert")

COMMANDS: dict[str, _Command] = {
    "hello": _HELLO,
    "isMaster": _HELLO,
    "ismaster": _HELLO,
    "ping": _takes(admin.acknowledge),
    "endSessions": _takes(admin.acknowledge),
    "buildInfo": _takes(admin.build_info),
    "buildinfo": _takes(admin.build_info),
    "listDatabases": _takes(admin.list_databases, "filter nameOnly authorizedDatabases"),
    "dropDatabase": _takes(admin.drop_database),
    "listCollections": _takes(admin.list_collections, "filter nameOnly authorizedCollections cursor"),
    "create": _takes(admin.create),
    "drop": _takes(admin.drop),
    "createIndexes": _takes(admin.create_indexes, "indexes"),
    "listIndexes": _takes(admin.list_indexes, "cursor"),
    "dropIndexes": _takes(admin.drop_indexes, "index"),
    "insert": _takes(writes.insert, "documents ordered"),
    "update": _takes(writes.update, "updates ordered"),
    "delete": _takes(writes.delete, "deletes ordered"),
    "findAndModify": _MODIFY,
    "findandmodify": _MODIFY,
    "find": _takes(reads.find, "filter projection sort skip limit batchSize singleBatch allowDiskUse"),
    "aggregate": _takes(reads.aggregate, "pipeline cursor allowDiskUse"),
    "count": _takes(reads.count, "query skip limit"),
    "distinct": _takes(reads.distinct, "key query"),
    "getMore": _takes(reads.get_more, "collection batchSize"),
    "killCursors": _takes(reads.kill_cursors, "cursors"),
}


def execute(store: Store, command: Document) -> Document:
    """The reply to a command, an error's reply included."""
    try:
        run = _checked(command)
        with store.transaction():
            return run(store, command)
    except Unsupported as error:
        log.warning("refused %s: %s", next(iter(command)), error.message)
        return error.as_reply()
    except StoreError as error:
        return error.as_reply()
    except Exception as error:
        log.exception("%s failed", next(iter(command)))
        return StoreError(INTERNAL_ERROR, f"{type(error).__name__}: {error}").as_reply()


def _checked(command: Document) -> Callable[[Store, Document], Document]:
    """The command's function. Raises `Unsupported` for what it, or an argument, asks beyond the tables above."""
    name, *arguments = command
    if name not in COMMANDS:
        raise Unsupported(f"the command {name}", COMMAND_NOT_FOUND)
    run, known = COMMANDS[name]
    for argument in arguments:
        if known is not None and argument not in known | _COMMON:
            raise Unsupported(f"the argument {argument} of {name}")
    _check_concern(command.get("readConcern"), "level", _READ_CONCERNS, "read concern")
    _check_concern(command.get("writeConcern"), "w", _WRITE_CONCERNS, "write concern")
    return run


def _check_concern(concern: Any, field: str, known: tuple[object, ...], what: str) -> None:
    if concern and concern.get(field) not in known:
        raise Unsupported(f"the {what} {concern[field]!r}")
