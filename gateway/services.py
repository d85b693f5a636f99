"""What the gateway knows of the whole fleet: is it ready, and what does it offer."""

import json
from typing import Any

from django.core.cache import cache

from gateway import clients
from shopkit import topology

SCHEMA_SECONDS = 60  # how long a merged schema is kept
Schema = dict[str, Any]


def fleet_states() -> dict[str, str]:
    """Service → `"ok"` or `"down"`, asked of all at once."""
    others = [service for service in topology.SERVICES.values() if service.name != "gateway"]
    ready = clients.of_each(others, clients.is_ready)
    return {name: "ok" if state else "down" for name, state in ready.items()}


def merged_schema() -> Schema:
    """One OpenAPI document for all services; one that lacks a service is not kept."""
    if kept := cache.get("schema"):
        return dict(kept)
    found = clients.of_each([s for s in topology.SERVICES.values() if s.paths], clients.schema)
    merged = merge([schema for schema in found.values() if schema])
    if all(found.values()):
        cache.set("schema", merged, SCHEMA_SECONDS)
    return merged


def merge(schemas: list[Schema]) -> Schema:
    """All paths; where two services mean different things by a component's name, the later one's gets its title."""
    components: Schema = {}
    paths: Schema = {}
    for schema in schemas:
        renamed = _without_clashes(schema, components)
        components |= renamed.get("components", {}).get("schemas", {})
        paths |= renamed.get("paths", {})
    info = {"title": "Polyshop", "version": "1", "description": "All services, as seen at the gateway."}
    return {"openapi": "3.0.3", "info": info, "paths": paths, "components": {"schemas": components}}


def _without_clashes(schema: Schema, taken: Schema) -> Schema:
    text = json.dumps(schema)
    for name, shape in schema.get("components", {}).get("schemas", {}).items():
        if name in taken and taken[name] != shape:
            own = f"{schema['info']['title'].title().replace('_', '')}{name}"
            text = text.replace(f'"#/components/schemas/{name}"', f'"#/components/schemas/{own}"')
            text = text.replace(f'"{name}": {json.dumps(shape)}', f'"{own}": {json.dumps(shape)}')
    return dict(json.loads(text))
