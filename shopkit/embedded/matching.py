"""Queries: a MongoDB filter becomes a function from document to bool. What is not in these tables is refused."""

import operator
import re
from collections.abc import Callable, Iterator
from typing import Any

from bson.regex import Regex

from shopkit.embedded.errors import BAD_VALUE, StoreError, Unsupported
from shopkit.embedded.values import MISSING, Document, as_count, as_list, as_map, order, split_path, values_at

Matches = Callable[[Document], bool]
# Takes what the path reached; one value unless the path led through an array.
Test = Callable[[list[Any]], bool]

_OPTIONS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL}
# Where Python's `re` and MongoDB's PCRE differ: \d \w \b … (Unicode or ASCII), [[:alpha:]], {,n}, (*VERB), (?name).
_NOT_PORTABLE = re.compile(r"\\[A-Za-z0-9]|\[:|\{,|\(\*|\(\?(?![:=!]|<[=!])")


def compile_filter(query: Document) -> Matches:
    """The function that tells whether a document matches. Raises `StoreError` for what it does not know."""
    return _all([_clause(name, operand) for name, operand in query.items()])


def _all(tests: list[Callable[[Any], bool]]) -> Callable[[Any], bool]:
    if len(tests) == 1:
        return tests[0]

    def every(subject: Any) -> bool:
        for test in tests:  # noqa: SIM110  # `all` over a generator takes twice as long
            if not test(subject):
                return False
        return True

    return every


def _clause(name: str, operand: Any) -> Matches:
    if name in _LOGICAL:
        branches = as_list(operand, name)
        if not branches:
            raise StoreError(BAD_VALUE, f"{name} must be a nonempty array")
        return _LOGICAL[name]([compile_filter(as_map(branch, f"each branch of {name}")) for branch in branches])
    if name.startswith("$"):
        raise Unsupported(f"the query operator {name}")
    test, parts = compile_condition(operand), split_path(name)
    if len(parts) == 1:
        return lambda document: test([document.get(name, MISSING)])
    return lambda document: test(values_at(document, parts))


_LOGICAL: dict[str, Callable[[list[Matches]], Matches]] = {
    "$and": _all,
    "$or": lambda branches: lambda document: any(branch(document) for branch in branches),
    "$nor": lambda branches: lambda document: not any(branch(document) for branch in branches),
}


def compile_condition(operand: Any) -> Test:
    """The test of one field: operators if `operand` is a map of them, a regex, else equality."""
    if type(operand) is Regex:
        return _regex(operand, "")
    if not is_operators(operand):
        return _equal(operand)
    tests = [_operator(name, argument) for name, argument in operand.items() if name not in ("$regex", "$options")]
    if "$regex" in operand:
        tests.append(_regex(operand["$regex"], operand.get("$options", "")))
    elif "$options" in operand:
        raise StoreError(BAD_VALUE, "$options needs a $regex")
    return _all(tests)


def is_operators(operand: Any) -> bool:
    """Whether a map holds operators rather than a value: its first field starts with `$`."""
    return type(operand) is dict and next(iter(operand), "").startswith("$")


def _operator(name: str, argument: Any) -> Test:
    if not name.startswith("$"):
        raise StoreError(BAD_VALUE, f"unknown operator: {name}")
    if name not in _OPERATORS:
        raise Unsupported(f"the query operator {name}")
    return _OPERATORS[name](argument)


def _any_value(test: Callable[[Any], bool]) -> Test:
    """A path matches when one of its values does, or one member of a value that is an array."""

    def check(values: list[Any]) -> bool:
        for value in values:  # noqa: SIM110  # `any` over a generator takes twice as long
            if test(value) or (type(value) is list and any(map(test, value))):
                return True
        return False

    return check


def _not(test: Test) -> Test:
    return lambda values: not test(values)


def _equal(operand: Any) -> Test:
    wanted = order(operand)
    return _any_value(lambda value: order(value) == wanted)


def _in(operand: Any) -> Test:
    wanted = {order(value) for value in as_list(operand, "$in")}
    return _any_value(lambda value: order(value) in wanted)


def _range(holds: Callable[[Any, Any], bool]) -> Callable[[Any], Test]:
    """A comparison within one type: a range of strings never matches a number."""

    def compile_range(operand: Any) -> Test:
        bracket, bound = order(operand)

        def test(value: Any) -> bool:
            key = order(value)
            return key[0] == bracket and holds(key[1], bound)

        return _any_value(test)

    return compile_range


def _exists(operand: Any) -> Test:
    wanted = bool(operand)
    return lambda values: any(value is not MISSING for value in values) == wanted


def _every(operand: Any) -> Test:
    wanted = [_equal(value) for value in as_list(operand, "$all") if not _refuse_nested(value)]
    return _all(wanted) if wanted else lambda values: False


def _refuse_nested(value: Any) -> bool:
    if is_operators(value):
        raise Unsupported(f"{next(iter(value))} within $all")
    return False


def _size(operand: Any) -> Test:
    wanted = as_count(operand, "$size")
    return lambda values: any(type(value) is list and len(value) == wanted for value in values)


def _element(operand: Any) -> Test:
    query = as_map(operand, "$elemMatch")
    if is_operators(query) and next(iter(query)) not in _LOGICAL:
        return _any_member(compile_member_condition(query))
    matches = compile_filter(query)
    return _any_member(lambda member: type(member) is dict and matches(member))


def compile_member_condition(operand: Any) -> Callable[[Any], bool]:
    """The test of one member of an array by operators or a regex."""
    condition = compile_condition(operand)

    def test(member: Any) -> bool:
        if type(member) is list:
            raise Unsupported("conditions on the members of an array within an array")
        return condition([member])

    return test


def _any_member(test: Callable[[Any], bool]) -> Test:
    return lambda values: any(type(value) is list and any(map(test, value)) for value in values)


def _negation(operand: Any) -> Test:
    if type(operand) is not Regex and not is_operators(operand):
        raise StoreError(BAD_VALUE, "$not needs a regex or a document of operators")
    return _not(compile_condition(operand))


def _regex(pattern: Any, options: Any) -> Test:
    search = _compile_regex(pattern, options).search
    return _any_value(lambda value: type(value) is str and search(value) is not None)


def _compile_regex(pattern: Any, options: Any) -> re.Pattern[str]:
    flags = 0
    if type(pattern) is Regex:
        flags, pattern = pattern.flags & ~re.UNICODE, pattern.pattern
    if type(pattern) is not str or type(options) is not str:
        raise StoreError(BAD_VALUE, "$regex and $options must be strings")
    if flags & ~(re.IGNORECASE | re.MULTILINE | re.DOTALL) or not set(options) <= set(_OPTIONS):
        raise Unsupported("regex options other than i, m and s")
    if _NOT_PORTABLE.search(pattern.replace("\\\\", "")):
        raise Unsupported(f"the regex {pattern!r}: only literals, escaped punctuation, sets, groups and repeats")
    try:
        return re.compile(pattern, flags | sum(_OPTIONS[option] for option in set(options)))
    except re.error as error:
        raise StoreError(51091, f"Regular expression is invalid: {error}") from error


_OPERATORS: dict[str, Callable[[Any], Test]] = {
    "$eq": _equal,
    "$ne": lambda operand: _not(_equal(operand)),
    "$gt": _range(operator.gt),
    "$gte": _range(operator.ge),
    "$lt": _range(operator.lt),
    "$lte": _range(operator.le),
    "$in": _in,
    "$nin": lambda operand: _not(_in(operand)),
    "$exists": _exists,
    "$all": _every,
    "$size": _size,
    "$elemMatch": _element,
    "$not": _negation,
}


def pinned_values(query: Document, path: str) -> list[Any] | None:
    """The only values that `path` may have in a match, when the filter says so plainly; else None."""
    condition = query.get(path, MISSING)
    if condition is MISSING or type(condition) is Regex:
        return None
    if not is_operators(condition):
        return [condition]
    if "$eq" in condition:
        return [condition["$eq"]]
    return as_list(condition["$in"], "$in") if "$in" in condition else None


def equalities(query: Document) -> Iterator[tuple[str, Any]]:
    """`(path, value)` of what a filter demands plainly: the fields that an upsert starts from."""
    for name, condition in query.items():
        if name == "$and":
            for branch in condition:
                yield from equalities(branch)
        elif name == "$or" or (is_operators(condition) and {"$in", "$all"} & condition.keys()):
            raise Unsupported("an upsert whose filter has $or, $in or $all")
        elif not name.startswith("$") and type(condition) is not Regex:
            if not is_operators(condition):
                yield name, condition
            elif "$eq" in condition:
                yield name, condition["$eq"]
