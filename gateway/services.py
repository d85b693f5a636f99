"""What the gateway knows of the whole fleet: is it ready, and what does it offer."""

from contextlib import suppress
from typing import Any

from django.core.cache import cache
from redis.exceptions import RedisError

from gateway import clients
from shopkit import http, topology

SCHEMA_SECONDS = 60  # how long a merged schema is kept
Schema = dict[str, Any]


def fleet_states() -> dict[str, str]:
    """Service → `"ok"` or `"down"`, asked of all at once."""
    others = [service for service in topology.SERVICES.values() if service.name != "gateway"]
    ready = http.of_each(others, clients.is_ready)
    return {name: "ok" if state else "down" for name, state in ready.items()}


def merged_schema() -> Schema:
    """One OpenAPI document for all services; one that lacks a service is not kept."""
    with suppress(RedisError):  # a cache that is gone costs time, not the answer
        if kept := cache.get("schema"):
            return dict(kept)
    found = http.of_each([s for s in topology.SERVICES.values() if s.paths], clients.schema)
    merged = merge([schema for schema in found.values() if schema])
    if all(found.values()):
        with suppress(RedisError):
            cache.set("schema", merged, SCHEMA_SECONDS)
    return merged


def merge(schemas: list[Schema]) -> Schema:
    """All paths; where two services mean different things by a component's name, the later one's gets its title."""
    components: dict[str, Schema] = {}
    paths: Schema = {}
    for schema in schemas:
        own = _without_clashes(schema, components.get("schemas", {}))
        for kind, named in own.get("components", {}).items():
            components[kind] = {**components.get(kind, {}), **named}
        paths |= own.get("paths", {})
    info = {"title": "Polyshop", "version": "1", "description": "All services, as seen at the gateway."}
    return {"openapi": "3.0.3", "info": info, "paths": paths, "components": components}


def _without_clashes(schema: Schema, taken: Schema) -> Schema:
    title = schema["info"]["title"].title().replace("_", "")
    shapes = schema.get("components", {}).get("schemas", {})
    clashing = {name: f"{title}{name}" for name, shape in shapes.items() if taken.get(name, shape) != shape}
    # once more, since what refers to a renamed component is another shape now
    return _without_clashes(_renamed(schema, clashing), taken) if clashing else schema


def _renamed(schema: Schema, names: dict[str, str]) -> Schema:
    """The schema with these components called otherwise, wherever they are referred to."""
    there = "#/components/schemas/"
    moved = _replaced(schema, {f"{there}{old}": f"{there}{new}" for old, new in names.items()})
    shapes = moved["components"]["schemas"]
    return {**moved, "components": {**moved["components"], "schemas": {names.get(n, n): s for n, s in shapes.items()}}}


def _replaced(node: Any, texts: dict[str, str]) -> Any:
    """The document with each value that is one of these texts, whole, replaced."""
    if isinstance(node, dict):
        return {name: _replaced(value, texts) for name, value in node.items()}
    if isinstance(node, list):
        return [_replaced(value, texts) for value in node]
    return texts.get(node, node) if isinstance(node, str) else node
