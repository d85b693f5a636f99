"""The commands that write: insert, update, delete, findAndModify."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, NamedTuple

from bson.objectid import ObjectId

from shopkit.embedded.collection import Collection
from shopkit.embedded.errors import FAILED_TO_PARSE, StoreError, Unsupported
from shopkit.embedded.reads import namespace_of
from shopkit.embedded.shaping import compile_projection, compile_sort
from shopkit.embedded.store import Store
from shopkit.embedded.updating import compile_update, upserted_document
from shopkit.embedded.values import MISSING, Document, as_list, as_map


class _Outcome(NamedTuple):
    """What one statement did; `upserted` is the new document's id."""

    matched: int
    modified: int = 0
    upserted: Any = MISSING


def _run_batch(command: Document, name: str, run: Callable[[Document], _Outcome]) -> Document:
    """The reply to a batch of statements; an ordered one ends with its first error. `Unsupported` undoes them all."""
    outcomes: dict[int, _Outcome] = {}
    errors = []
    for index, statement in enumerate(as_list(command.get(name), name)):
        try:
            outcomes[index] = run(as_map(statement, f"each of {name}"))
        except Unsupported:
            raise
        except StoreError as error:
            errors.append(error.as_write_error(index))
            if command.get("ordered", True):
                break
    reply: Document = {"n": sum(outcome.matched for outcome in outcomes.values())}
    if name == "updates":
        reply["nModified"] = sum(outcome.modified for outcome in outcomes.values())
    if upserted := list(_upserted(outcomes)):
        reply["upserted"] = upserted
    return reply | ({"writeErrors": errors} if errors else {}) | {"ok": 1.0}


def _upserted(outcomes: dict[int, _Outcome]) -> Iterator[Document]:
    for index, outcome in outcomes.items():
        if outcome.upserted is not MISSING:
            yield {"index": index, "_id": outcome.upserted}


def _refuse_unknown(statement: Document, known: set[str], command: str) -> None:
    for argument in statement.keys() - known:
        raise Unsupported(f"the argument {argument} of {command}")


def insert(store: Store, command: Document) -> Document:
    collection = store.make(namespace_of(command, command["insert"]))

    def run(document: Document) -> _Outcome:
        collection.insert(document if "_id" in document else {"_id": ObjectId(), **document})
        return _Outcome(1)

    return _run_batch(command, "documents", run)


def update(store: Store, command: Document) -> Document:
    namespace = namespace_of(command, command["update"])

    def run(statement: Document) -> _Outcome:
        _refuse_unknown(statement, {"q", "u", "multi", "upsert"}, "update")
        return _update(store, namespace, statement)

    return _run_batch(command, "updates", run)


def _update(store: Store, namespace: str, statement: Document) -> _Outcome:
    query, change = as_map(statement.get("q"), "q"), compile_update(statement.get("u"))
    multi = bool(statement.get("multi"))
    if multi and change.replaces:
        raise StoreError(FAILED_TO_PARSE, "multi update is not supported for replacement-style update")
    collection = store.collection(namespace)
    found = list(islice(collection.find(query), None if multi else 1))
    if not found and statement.get("upsert"):
        document = upserted_document(query, change)
        store.make(namespace).insert(document)
        return _Outcome(1, upserted=document["_id"])
    # All are computed before the first is put, so that a change that fits only some of them changes none.
    pairs = [(old, change.apply(old, False)) for old in found]
    return _Outcome(len(pairs), sum(collection.replace(old, new) for old, new in pairs))


def delete(store: Store, command: Document) -> Document:
    collection = store.collection(namespace_of(command, command["delete"]))

    def run(statement: Document) -> _Outcome:
        _refuse_unknown(statement, {"q", "limit"}, "delete")
        if statement.get("limit") not in (0, 1):
            raise StoreError(FAILED_TO_PARSE, "The limit field in delete objects must be 0 or 1.")
        found = list(islice(collection.find(as_map(statement.get("q"), "q")), int(statement["limit"]) or None))
        for document in found:
            collection.delete(document)
        return _Outcome(len(found))

    return _run_batch(command, "deletes", run)


def find_and_modify(store: Store, command: Document) -> Document:
    namespace = namespace_of(command, next(iter(command.values())))
    if bool(command.get("remove")) == ("update" in command):
        raise StoreError(FAILED_TO_PARSE, "Either an update or remove=true must be specified")
    collection = store.collection(namespace)
    found = list(collection.find(as_map(command.get("query", {}), "query")))
    sort = compile_sort(as_map(command.get("sort", {}), "sort"))
    old = next(iter(sort(found)), None)
    if command.get("remove"):
        return _find_and_remove(collection, command, old)
    return _find_and_update(store, namespace, command, old)


def _find_and_remove(collection: Collection, command: Document, old: Document | None) -> Document:
    if command.get("new") or command.get("upsert"):
        raise StoreError(FAILED_TO_PARSE, "Cannot specify both remove=true and new or upsert")
    shown = _shown(command, old)
    if old is not None:
        collection.delete(old)
    return {"lastErrorObject": {"n": int(old is not None)}, "value": shown, "ok": 1.0}


def _find_and_update(store: Store, namespace: str, command: Document, old: Document | None) -> Document:
    change = compile_update(command["update"])
    last: Document = {"n": 1, "updatedExisting": old is not None}
    new: Document | None = None
    if old is not None:
        new = change.apply(old, False)
        store.collection(namespace).replace(old, new)
    elif command.get("upsert"):
        new = upserted_document(as_map(command.get("query", {}), "query"), change)
        store.make(namespace).insert(new)
        last["upserted"] = new["_id"]
    else:
        last["n"] = 0
    return {"lastErrorObject": last, "value": _shown(command, new if command.get("new") else old), "ok": 1.0}


def _shown(command: Document, document: Document | None) -> Document | None:
    shape = compile_projection(as_map(command.get("fields", {}), "fields"))
    return None if document is None else shape(document)
