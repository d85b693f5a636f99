"""Updates: a MongoDB update becomes a function from document to new document; the old one is never touched."""

import time
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

from bson.datetime_ms import DatetimeMS
from bson.objectid import ObjectId
from bson.regex import Regex

from shopkit.embedded.errors import (
    BAD_VALUE,
    CONFLICTING_UPDATE_OPERATORS,
    DOLLAR_PREFIXED_FIELD_NAME,
    FAILED_TO_PARSE,
    IMMUTABLE_FIELD,
    PATH_NOT_VIABLE,
    TYPE_MISMATCH,
    StoreError,
    Unsupported,
)
from shopkit.embedded.matching import compile_filter, compile_member_condition, equalities, is_operators
from shopkit.embedded.values import (
    MISSING,
    Document,
    add,
    as_list,
    clone,
    is_number,
    order,
    refuse_position,
    split_path,
)

# From the field's value (or MISSING) and the operator's argument to the new value (or MISSING, to remove it).
Operator = Callable[[Any, Any], Any]


class Update(NamedTuple):
    """`apply(document, inserting)` gives the new document; `replaces` tells a replacement from operators."""

    apply: Callable[[Document, bool], Document]
    replaces: bool


class _Change(NamedTuple):
    parts: tuple[str, ...]
    operator: str
    argument: Any


def compile_update(update: Any) -> Update:
    """Raises `StoreError` for what it does not know, and for two changes of one field."""
    if type(update) is list:
        raise Unsupported("updates by pipeline")
    if not is_operators(update):
        return _replacement(update)
    changes = _by_path(_changes(update))

    def apply(document: Document, inserting: bool) -> Document:
        new: Document = clone(document)
        for change in changes:
            if inserting or change.operator != "$setOnInsert":
                _apply(new, change)
        return new

    return Update(apply, replaces=False)


def _replacement(update: Document) -> Update:
    if any(name.startswith("$") for name in update):
        raise StoreError(DOLLAR_PREFIXED_FIELD_NAME, "a replacement has no fields that start with $")
    return Update(lambda document, _: {k: v for k, v in document.items() if k == "_id"} | update, replaces=True)


def _changes(update: Document) -> Iterator[_Change]:
    for operator, fields in update.items():
        if not operator.startswith("$"):
            raise StoreError(FAILED_TO_PARSE, f"Unknown modifier: {operator}")
        if operator not in _OPERATORS:
            raise Unsupported(f"the update operator {operator}", FAILED_TO_PARSE)
        if type(fields) is not dict:
            raise StoreError(FAILED_TO_PARSE, f"{operator} takes an object of fields")
        yield from (_Change(split_path(path), operator, argument) for path, argument in fields.items())


def _by_path(unsorted: Iterable[_Change]) -> list[_Change]:
    """In the order in which MongoDB applies them. Raises when one's path is, or is above, another's."""
    changes = sorted(unsorted, key=lambda change: change.parts)
    # Sorted by parts, a path stands right before the paths below it.
    for former, latter in pairwise(changes):
        if latter.parts[: len(former.parts)] == former.parts:
            path = ".".join(latter.parts)
            raise StoreError(CONFLICTING_UPDATE_OPERATORS, f"Updating the path '{path}' would create a conflict")
    return changes


def _apply(document: Document, change: _Change) -> None:
    *above, last = change.parts
    holder = document
    for part in above:
        child = holder.get(part, MISSING)
        if child is MISSING:
            if change.operator in _REMOVING:
                return
            child = holder[part] = {}
        if type(child) is not dict:
            _refuse_obstacle(child, change)
            return
        holder = child
    new = _OPERATORS[change.operator](holder.get(last, MISSING), change.argument)
    if new is MISSING:
        holder.pop(last, None)
    else:
        holder[last] = new


def _refuse_obstacle(obstacle: Any, change: _Change) -> None:
    """Raise since the path meets something that is no map; but for $unset, that is as good as removed."""
    if type(obstacle) is list:
        for part in change.parts:
            refuse_position(part)
    if change.operator != "$unset":
        path = ".".join(change.parts)
        raise StoreError(PATH_NOT_VIABLE, f"Cannot create field '{path}': a part of the path is no object")


def _increase(value: Any, amount: Any) -> Any:
    if not is_number(amount):
        raise StoreError(TYPE_MISMATCH, f"Cannot increment with non-numeric argument: {amount!r}")
    if value is MISSING:
        return amount
    if not is_number(value):
        raise StoreError(TYPE_MISMATCH, f"Cannot apply $inc to a value of non-numeric type {type(value).__name__}")
    return add(value, amount)


def _least(value: Any, bound: Any) -> Any:
    return bound if value is MISSING or order(bound) < order(value) else value


def _greatest(value: Any, bound: Any) -> Any:
    return bound if value is MISSING or order(bound) > order(value) else value


def _now(_: Any, argument: Any) -> DatetimeMS:
    if argument is not True and argument != {"$type": "date"}:
        raise Unsupported("$currentDate other than true and {$type: 'date'}", FAILED_TO_PARSE)
    return DatetimeMS(time.time_ns() // 1_000_000)


def _array(value: Any, operator: str) -> list[Any]:
    if value is MISSING:
        return []
    if not isinstance(value, list):
        raise StoreError(BAD_VALUE, f"Cannot apply {operator} to a non-array value")
    return value


def _members(argument: Any, operator: str, *modifiers: str) -> list[Any]:
    """What to add: the argument itself, or what its `$each` lists."""
    if not is_operators(argument):
        return [argument]
    for name in argument:
        if name not in ("$each", *modifiers):
            raise Unsupported(f"{name} within {operator}", FAILED_TO_PARSE)
    return as_list(argument.get("$each"), f"{operator}: $each")


def _push(value: Any, argument: Any) -> list[Any]:
    members = _array(value, "$push") + _members(argument, "$push", "$slice")
    if not is_operators(argument) or "$slice" not in argument:
        return members
    keep = argument["$slice"]
    if not is_number(keep) or keep != int(keep):
        raise StoreError(BAD_VALUE, "$slice must be a whole number")
    return members[: int(keep)] if keep >= 0 else members[int(keep) :]


def _add_to_set(value: Any, argument: Any) -> list[Any]:
    members = list(_array(value, "$addToSet"))
    present = {order(member) for member in members}
    for member in _members(argument, "$addToSet"):
        key = order(member)
        if key not in present:
            present.add(key)
            members.append(member)
    return members


def _pull(value: Any, argument: Any) -> Any:
    if value is MISSING:
        return MISSING
    unwanted = _unwanted(argument)
    return [member for member in _array(value, "$pull") if not unwanted(member)]


def _unwanted(argument: Any) -> Callable[[Any], bool]:
    if type(argument) is dict and not is_operators(argument):
        matches = compile_filter(argument)
        return lambda member: type(member) is dict and matches(member)
    if type(argument) is dict or type(argument) is Regex:
        return compile_member_condition(argument)
    key = order(argument)
    return lambda member: order(member) == key


_OPERATORS: dict[str, Operator] = {
    "$set": lambda _, argument: argument,
    "$setOnInsert": lambda _, argument: argument,
    "$unset": lambda _value, _argument: MISSING,
    "$inc": _increase,
    "$min": _least,
    "$max": _greatest,
    "$currentDate": _now,
    "$push": _push,
    "$addToSet": _add_to_set,
    "$pull": _pull,
}
_REMOVING = frozenset({"$unset", "$pull"})


def upserted_document(query: Document, update: Update) -> Document:
    """What an upsert inserts: the filter's plain equalities, then the update; `_id` first, made if need be."""
    base: Document = {}
    fields = _by_path(_Change(split_path(path), "$set", value) for path, value in equalities(query))
    for field in fields:
        if not update.replaces or field.parts == ("_id",):
            _apply(base, field)
    new = update.apply(base, True)
    if "_id" in base and order(new.get("_id")) != order(base["_id"]):
        raise StoreError(IMMUTABLE_FIELD, "the update would change the immutable field '_id'")
    return {"_id": new.pop("_id") if "_id" in new else ObjectId(), **new}
