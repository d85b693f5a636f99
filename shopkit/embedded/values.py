"""BSON values: what may be stored, how they compare, and how a dotted path reaches them.

Source: MongoDB manual, "Comparison/Sort Order" and "Query an Array of Embedded Documents".
"""

import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final

from bson import Binary, Decimal128, Int64, ObjectId, Timestamp
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.datetime_ms import DatetimeMS

from shopkit.embedded.errors import BAD_VALUE, EMPTY_FIELD_NAME, TYPE_MISMATCH, StoreError, Unsupported

Document = dict[str, Any]
# Dates stay milliseconds: Python's datetime could neither hold all of them nor give back what it was given.
CODEC: Final[CodecOptions[Document]] = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_MS)
Key = tuple[int, Any]
MAX_DEPTH: Final = 100


class Missing:
    """The type of `MISSING`, which stands for a field that is not there."""


MISSING: Final = Missing()

_NULL: Final[Key] = (5, 0)
# Below every number and in a bracket of its own: no range of numbers contains it, as in MongoDB.
_NAN: Final[Key] = (9, 0)
EMPTY_ARRAY: Final[Key] = (4, 0)


def _number(value: float) -> Key:
    return (10, value)


def _float(value: float) -> Key:
    return _NAN if math.isnan(value) else (10, value)


def _decimal(value: Decimal128) -> Key:
    number: Decimal = value.to_decimal()
    return _NAN if number.is_nan() else (10, number)


def _map(value: Document) -> Key:
    keys = ((name, order(member)) for name, member in value.items())
    return (20, tuple((key[0], name, key) for name, key in keys))


_ORDER: dict[type, Callable[[Any], Key]] = {
    Missing: lambda _: _NULL,
    type(None): lambda _: _NULL,
    int: _number,
    Int64: _number,
    float: _float,
    Decimal128: _decimal,
    str: lambda value: (15, value),
    dict: _map,
    list: lambda value: (25, tuple(map(order, value))),
    bytes: lambda value: (30, (len(value), 0, value)),
    Binary: lambda value: (30, (len(value), value.subtype, bytes(value))),
    ObjectId: lambda value: (35, value.binary),
    bool: lambda value: (40, value),
    DatetimeMS: lambda value: (45, int(value)),
    Timestamp: lambda value: (47, (value.time, value.inc)),
}


def order(value: Any) -> Key:
    """A hashable key that sorts and equals as MongoDB compares: `(bracket, payload)`.

    A missing field counts as null; 1, 1.0 and Decimal128("1") are one number, and True is none.
    Raises `Unsupported` for a type that has no place here.
    """
    make = _ORDER.get(type(value))
    if make is None:
        raise Unsupported(f"comparing values of type {type(value).__name__}")
    return make(value)


def is_number(value: Any) -> bool:
    return type(value) in (int, Int64, float, Decimal128)


def add(left: Any, right: Any) -> Any:
    """The sum of two numbers, in the wider of their types; int32 grows to int64. Raises when int64 is too small."""
    if Decimal128 in (type(left), type(right)):
        raise Unsupported("arithmetic on Decimal128")
    total = left + right
    if type(total) is float:
        return total
    if not -(2**63) <= total < 2**63:
        raise StoreError(BAD_VALUE, f"the sum of {left} and {right} does not fit 64 bits")
    wide = Int64 in (type(left), type(right)) or not -(2**31) <= total < 2**31
    return Int64(total) if wide else total


def split_path(path: str) -> tuple[str, ...]:
    """`"a.b"` → `("a", "b")`. Raises for an empty part and for `$` (positional) parts."""
    parts = tuple(path.split("."))
    if not all(parts):
        raise StoreError(EMPTY_FIELD_NAME, f"the path {path!r} has an empty part")
    if any(part.startswith("$") for part in parts):
        raise Unsupported(f"the path {path!r}: positional operators and field names that start with $")
    return parts


def values_at(value: Any, parts: Sequence[str]) -> list[Any]:
    """Every value that the path reaches, through each map of an array; `MISSING` for each map without it."""
    for place, part in enumerate(parts):
        if type(value) is dict:
            value = value.get(part, MISSING)
        elif type(value) is list:
            refuse_position(part)
            rest = parts[place:]
            return [found for member in value if type(member) is dict for found in values_at(member, rest)]
        else:
            return [MISSING]
    return [value]


def refuse_position(part: str) -> None:
    """Raise if `part`, applied to an array, would be a position."""
    if part.isdigit():
        raise Unsupported(f"the position {part} in an array")


def with_members(values: list[Any]) -> list[Any]:
    """The values, and after each array its members."""
    spread: list[Any] = []
    for value in values:
        spread.append(value)
        if type(value) is list:
            spread.extend(value)
    return spread


def clone(value: Any) -> Any:
    """A copy that shares no map or array."""
    if type(value) is dict:
        return {name: clone(member) for name, member in value.items()}
    if type(value) is list:
        return [clone(member) for member in value]
    return value


def check_storable(value: Any, depth: int = 0) -> None:
    """Raise unless every type and field name in `value` is one that this store handles as MongoDB does."""
    if depth > MAX_DEPTH:
        raise StoreError(BAD_VALUE, f"the document is nested deeper than {MAX_DEPTH} levels")
    if type(value) is dict:
        for name, member in value.items():
            if name[:1] in ("", "$") or "." in name:
                raise Unsupported(f"the field name {name!r}")
            check_storable(member, depth + 1)
    elif type(value) is list:
        for member in value:
            check_storable(member, depth + 1)
    elif type(value) not in _ORDER:
        raise Unsupported(f"storing values of type {type(value).__name__}")


def as_map(value: Any, what: str) -> Document:
    """`value` if it is a map. Raises TypeMismatch that names `what`."""
    if type(value) is not dict:
        raise StoreError(TYPE_MISMATCH, f"{what} must be an object")
    return value


def as_list(value: Any, what: str) -> list[Any]:
    """`value` if it is an array. Raises BadValue that names `what`."""
    if type(value) is not list:
        raise StoreError(BAD_VALUE, f"{what} must be an array")
    return value


def as_count(value: Any, what: str) -> int:
    """`value` if it is a whole number ≥ 0 (5.0 is). Raises BadValue that names `what`."""
    if type(value) not in (int, Int64, float) or value < 0 or value != int(value):
        raise StoreError(BAD_VALUE, f"{what} must be a whole number that is not negative")
    return int(value)
