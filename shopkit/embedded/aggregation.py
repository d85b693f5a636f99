"""Aggregation: a pipeline becomes a list of functions from documents to documents."""

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from bson import Int64, ObjectId
from bson.datetime_ms import DatetimeMS

from shopkit.embedded.errors import FAILED_TO_PARSE, StoreError, Unsupported
from shopkit.embedded.matching import compile_filter, is_operators
from shopkit.embedded.shaping import compile_projection, compile_sort
from shopkit.embedded.values import (
    MISSING,
    Document,
    add,
    as_count,
    as_list,
    as_map,
    is_number,
    order,
    refuse_position,
    split_path,
)

Stage = Callable[[Iterable[Document]], Iterable[Document]]
Expression = Callable[[Document], Any]
_CONSTANTS = (type(None), bool, int, Int64, float, str, ObjectId, DatetimeMS)


def compile_pipeline(pipeline: list[Any]) -> Stage:
    """Raises `StoreError` for a stage, expression or accumulator that it does not know."""
    stages = [_compile_stage(as_map(stage, "each stage of a pipeline")) for stage in pipeline]

    def run(documents: Iterable[Document]) -> Iterable[Document]:
        for stage in stages:
            documents = stage(documents)
        return documents

    return run


def _compile_stage(stage: Document) -> Stage:
    if len(stage) != 1:
        raise StoreError(40323, "A pipeline stage specification object must contain exactly one field.")
    ((name, argument),) = stage.items()
    if name not in _STAGES:
        raise Unsupported(f"the aggregation stage {name}")
    return _STAGES[name](argument)


def _match(argument: Any) -> Stage:
    matches = compile_filter(as_map(argument, "$match"))
    return lambda documents: filter(matches, documents)


def _skip(argument: Any) -> Stage:
    size = as_count(argument, "$skip")
    return lambda documents: list(documents)[size:]


def _limit(argument: Any) -> Stage:
    size = as_count(argument, "$limit")
    if not size:
        raise StoreError(15958, "the limit must be positive")
    return lambda documents: list(documents)[:size]


def _sort(argument: Any) -> Stage:
    return compile_sort(as_map(argument, "$sort"))


def _project(argument: Any) -> Stage:
    if not as_map(argument, "$project"):
        raise StoreError(51272, "$project must have at least one field")
    shape = compile_projection(argument)
    return lambda documents: map(shape, documents)


def _count(argument: Any) -> Stage:
    if type(argument) is not str or not argument or argument.startswith("$") or "." in argument:
        raise StoreError(40156, "$count needs a plain field name")

    def run(documents: Iterable[Document]) -> list[Document]:
        total = sum(1 for _ in documents)
        return [{argument: total}] if total else []

    return run


def _facet(argument: Any) -> Stage:
    pipelines = {name: as_list(pipeline, "each facet") for name, pipeline in as_map(argument, "$facet").items()}
    if not pipelines or any("$facet" in stage for pipeline in pipelines.values() for stage in pipeline):
        raise StoreError(40169, "$facet needs at least one facet, and no $facet within")
    runs = {name: compile_pipeline(pipeline) for name, pipeline in pipelines.items()}

    def run(documents: Iterable[Document]) -> list[Document]:
        taken = list(documents)
        return [{name: list(facet(taken)) for name, facet in runs.items()}]

    return run


def _unwind(argument: Any) -> Stage:
    options = argument if type(argument) is dict else {"path": argument}
    if unknown := options.keys() - {"path", "preserveNullAndEmptyArrays"}:
        raise Unsupported(f"$unwind with {', '.join(sorted(unknown))}")
    path, keep = options.get("path"), bool(options.get("preserveNullAndEmptyArrays"))
    if type(path) is not str or not path.startswith("$"):
        raise StoreError(28818, "$unwind needs a path that starts with $")
    name = path[1:]
    if len(split_path(name)) > 1:
        raise Unsupported(f"$unwind of the nested path {name}")
    return lambda documents: (one for document in documents for one in _unwound(document, name, keep))


def _unwound(document: Document, name: str, keep: bool) -> Iterator[Document]:
    value = document.get(name)
    if type(value) is list and value:
        yield from ({**document, name: member} for member in value)
    elif value not in (None, []):
        yield document
    elif keep:
        yield {k: v for k, v in document.items() if k != name or v is None}


def _compile_expression(expression: Any) -> Expression:
    if type(expression) is str and expression.startswith("$"):
        parts = split_path(expression[1:])
        return lambda document: _follow(document, parts)
    if is_operators(expression):
        raise Unsupported(f"the aggregation expression {next(iter(expression))}")
    if type(expression) is dict:
        members = {name: _compile_expression(member) for name, member in expression.items()}
        return lambda document: _present({name: member(document) for name, member in members.items()})
    if type(expression) not in _CONSTANTS:
        raise Unsupported(f"an aggregation expression of type {type(expression).__name__}")
    return lambda _: expression


def _present(members: Document) -> Document:
    return {name: value for name, value in members.items() if value is not MISSING}


def _follow(value: Any, parts: tuple[str, ...]) -> Any:
    """A path in an expression: below an array it gives the array of what the members have there."""
    for place, part in enumerate(parts):
        if type(value) is list:
            refuse_position(part)
            found = (_follow(member, parts[place:]) for member in value)
            return [member for member in found if member is not MISSING]
        value = value.get(part, MISSING) if type(value) is dict else MISSING
    return value


def _group(argument: Any) -> Stage:
    fields = dict(as_map(argument, "$group"))
    if "_id" not in fields:
        raise StoreError(15955, "a group specification must include an _id")
    identity = _compile_expression(fields.pop("_id"))
    accumulators = {name: _compile_accumulator(name, spec) for name, spec in fields.items()}

    def run(documents: Iterable[Document]) -> Iterator[Document]:
        groups: dict[Any, tuple[Any, list[Document]]] = {}
        for document in documents:
            value = identity(document)
            groups.setdefault(order(value), (value, []))[1].append(document)
        for value, members in groups.values():
            results = {name: accumulate(members) for name, accumulate in accumulators.items()}
            yield {"_id": None if value is MISSING else value, **results}

    return run


def _compile_accumulator(name: str, spec: Any) -> Callable[[list[Document]], Any]:
    if len(as_map(spec, f"the group field {name}")) != 1 or "." in name or name.startswith("$"):
        raise StoreError(FAILED_TO_PARSE, f"the group field {name!r} must be a plain name with one accumulator")
    ((operator, argument),) = spec.items()
    if operator not in _ACCUMULATORS:
        raise Unsupported(f"the accumulator {operator}")
    expression, accumulate = _compile_expression(argument), _ACCUMULATORS[operator]
    return lambda documents: accumulate([expression(document) for document in documents])


def _total(values: list[Any]) -> Any:
    numbers = [value for value in values if is_number(value)]
    total: Any = 0
    for number in numbers:
        total = add(total, number)
    return math.fsum(numbers) if type(total) is float else total


def _average(values: list[Any]) -> float | None:
    numbers = [value for value in values if is_number(value)]
    return float(_total(numbers)) / len(numbers) if numbers else None


def _extreme(pick: Callable[..., Any]) -> Callable[[list[Any]], Any]:
    return lambda values: pick((v for v in values if v is not MISSING and v is not None), key=order, default=None)


def _ends(place: int) -> Callable[[list[Any]], Any]:
    return lambda values: None if values[place] is MISSING else values[place]


def _collect(values: list[Any]) -> list[Any]:
    return [value for value in values if value is not MISSING]


def _distinct(values: list[Any]) -> list[Any]:
    return list({order(value): value for value in reversed(_collect(values))}.values())


_ACCUMULATORS: dict[str, Callable[[list[Any]], Any]] = {
    "$sum": _total,
    "$avg": _average,
    "$min": _extreme(min),
    "$max": _extreme(max),
    "$first": _ends(0),
    "$last": _ends(-1),
    "$push": _collect,
    "$addToSet": _distinct,
}

_STAGES: dict[str, Callable[[Any], Stage]] = {
    "$match": _match,
    "$group": _group,
    "$sort": _sort,
    "$skip": _skip,
    "$limit": _limit,
    "$project": _project,
    "$facet": _facet,
    "$count": _count,
    "$unwind": _unwind,
}
