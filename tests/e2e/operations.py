"""What can be asked of the services, as their OpenAPI documents say it, and bodies that fit."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from shopkit import topology
from tests.fleet import Fleet

METHODS = ("get", "post", "put", "patch", "delete")
Schema = dict[str, Any]
Known = Mapping[str, Callable[[], Any]]

ALIASES = {
    **{path: ("customers",) for service in topology.by_customer_type().values() for path in service.paths},
    **{path: ("items", "products") for service in topology.by_item_type().values() for path in service.paths},
    "items": ("products",),
    "customers": tuple(service.paths[0] for service in topology.by_customer_type().values()),
}
"""Paths' first segment → those under which a service answers the same, without describing it again."""


@dataclass(frozen=True)
class Operation:
    """One method of a path of a service; `access` is its `x-access`."""

    service: str
    method: str
    path: str
    access: str
    body: Schema | None
    shapes: Schema

    @property
    def parameters(self) -> list[str]:
        return [part[1:-1] for part in self.path.split("/") if part.startswith("{")]

    @property
    def shows_something(self) -> bool:
        """Whether it reads what somebody made; but what is similar to an item changes with each that is added."""
        return self.method == "GET" and bool(self.parameters) and not self.path.endswith("/similar/")

    @property
    def uses_up(self) -> bool:
        """Whether it may leave what it is about in another state, so that the next call needs another."""
        return self.method == "DELETE" or (self.method == "POST" and bool(self.parameters))

    @property
    def aliases(self) -> Iterator["Operation"]:
        segment = topology.api_segment(self.path)
        for other in ALIASES.get(segment, ()):
            yield replace(self, path=self.path.replace(f"/api/{segment}/", f"/api/{other}/", 1))

    def filled(self, values: Callable[[str], str]) -> str:
        path = self.path
        for name in self.parameters:
            path = path.replace(f"{{{name}}}", values(name))
        return path

    def example(self, known: Known) -> Any:
        """A body that fits the schema; `known` makes the fields of these names."""
        return None if self.body is None else _example(self.body, self.shapes, known)

    @property
    def fields(self) -> set[str]:
        """Of its body, at the top."""
        shape = self.shapes[self.body["$ref"].rpartition("/")[2]] if self.body and "$ref" in self.body else {}
        return set(shape.get("properties", ()))

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def described(fleet: Fleet, service: str) -> list[Operation]:
    """The operations in a service's own document."""
    document = fleet.get("/api/schema/", at=service).json()
    shapes = document.get("components", {}).get("schemas", {})
    return [
        Operation(service, method.upper(), path, found.get("x-access", "unsaid"), _body(found), shapes)
        for path, item in document["paths"].items()
        for method, found in item.items()
        if method in METHODS
    ]


def _body(operation: Schema) -> Schema | None:
    content = operation.get("requestBody", {}).get("content", {})
    return content["application/json"]["schema"] if content else None


def _example(schema: Schema, shapes: Schema, known: Known) -> Any:
    if "$ref" in schema:
        return _example(shapes[schema["$ref"].rpartition("/")[2]], shapes, known)
    for several in ("oneOf", "anyOf", "allOf"):
        if several in schema:
            return _example(schema[several][0], shapes, known)
    if "default" in schema or "enum" in schema:
        return schema.get("default", schema.get("enum", [None])[0])
    return _of_type(schema, shapes, known)


def _of_type(schema: Schema, shapes: Schema, known: Known) -> Any:
    match schema.get("type"), schema.get("format"):
        case "object", _:
            fields = schema.get("properties", {})
            wanted = {*(schema.get("required") or fields), *(known.keys() & fields.keys())}
            return {name: known[name]() if name in known else _example(fields[name], shapes, known) for name in wanted}
        case "array", _:
            return []
        case "boolean", _:
            return False
        case "integer" | "number", _:
            return max(1, schema.get("minimum", 1))
        case _, "decimal":
            return "9.99"
        case _, "date":
            return "1990-05-04"
        case _:
            return "A"
