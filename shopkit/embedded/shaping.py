"""The shape of results: sort orders and projections."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from shopkit.embedded.errors import StoreError, Unsupported
from shopkit.embedded.values import (
    EMPTY_ARRAY,
    MISSING,
    Document,
    Key,
    is_number,
    order,
    split_path,
    values_at,
)

Shape = Callable[[Document], Document]
# The paths as a tree: `{"a": {}, "b": {"c": {}}}` for `a` and `b.c`.
_Tree = dict[str, Any]


def compile_sort(sort: Document) -> Callable[[Iterable[Document]], list[Document]]:
    """The function that sorts documents by `{path: 1 | -1}`; equals stay in the order they came."""
    keys = [(_sort_key(path, direction), direction == -1) for path, direction in sort.items()]

    def sorted_copy(documents: Iterable[Document]) -> list[Document]:
        result = list(documents)
        for key, descending in reversed(keys):
            result.sort(key=key, reverse=descending)
        return result

    return sorted_copy


def _sort_key(path: str, direction: Any) -> Callable[[Document], Key]:
    if not is_number(direction) or direction not in (1, -1):
        raise Unsupported(f"the sort direction {direction!r}")
    if path.startswith("$"):
        raise Unsupported(f"sorting by {path}")
    parts = split_path(path)
    pick = min if direction == 1 else max

    def key(document: Document) -> Key:
        value = document.get(path, MISSING) if len(parts) == 1 else MISSING
        if len(parts) == 1 and type(value) is not list:
            return order(value)
        return pick(_sortable(values_at(document, parts)))

    return key


def _sortable(values: list[Any]) -> list[Key]:
    """An array sorts by its least member ascending and its greatest descending; an empty one before null."""
    keys: list[Key] = []
    for value in values:
        if type(value) is list:
            keys.extend(map(order, value) if value else [EMPTY_ARRAY])
        else:
            keys.append(order(value))
    return keys or [order(MISSING)]


def compile_projection(projection: Document) -> Shape:
    """The function that keeps, or leaves out, the fields `{path: 1}` or `{path: 0}`; `_id` is kept unless told."""
    if not projection:
        return lambda document: document
    flags = {path: _flag(path, flag) for path, flag in projection.items()}
    own = {path: flag for path, flag in flags.items() if path != "_id"}
    including = next(iter(own.values()), flags.get("_id"))
    if any(flag != including for flag in own.values()):
        raise StoreError(31254 if including else 31253, "a projection includes or excludes, not both")
    paths = list(own) + (["_id"] if flags.get("_id", True) == including else [])
    return partial(_include if including else _exclude, _tree(paths))


def _flag(path: str, flag: Any) -> bool:
    if type(flag) is not bool and not is_number(flag):
        raise Unsupported(f"the projection {flag!r} of {path}")
    return bool(flag)


def _tree(paths: list[str]) -> _Tree:
    root: _Tree = {}
    for path in paths:
        node, parts = root, split_path(path)
        for part in parts[:-1]:
            node = node.setdefault(part, {})
            if node is _LEAF:
                raise StoreError(31249, f"Path collision at {path}")
        if parts[-1] in node:
            raise StoreError(31250, f"Path collision at {path}")
        node[parts[-1]] = _LEAF
    return root


_LEAF: _Tree = {}


def _include(tree: _Tree, document: Document) -> Document:
    kept = {}
    for name, value in document.items():
        if name in tree:
            part = value if tree[name] is _LEAF else _within(_include, tree[name], value, scalar=MISSING)
            if part is not MISSING:
                kept[name] = part
    return kept


def _exclude(tree: _Tree, document: Document) -> Document:
    kept = {}
    for name, value in document.items():
        if name not in tree:
            kept[name] = value
        elif tree[name] is not _LEAF:
            kept[name] = _within(_exclude, tree[name], value, scalar=value)
    return kept


def _within(shape: Callable[[_Tree, Document], Document], tree: _Tree, value: Any, scalar: Any) -> Any:
    """A projection of what lies below: each map of an array for itself; what is no map is kept or not as told."""
    if type(value) is dict:
        return shape(tree, value)
    if type(value) is list:
        keep = scalar is not MISSING
        parts = [_within(shape, tree, member, member if keep else MISSING) for member in value]
        return [part for part in parts if part is not MISSING]
    return scalar
