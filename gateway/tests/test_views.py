"""What the gateway answers itself, with the services behind it played by `responses`."""

from typing import Any

import pytest
import responses
from django.core.cache import cache
from django.test import Client

from gateway.services import merge
from shopkit import topology
from shopkit.health import ready_response

OTHERS = [service for service in topology.SERVICES.values() if service.name != "gateway"]


@pytest.fixture(autouse=True)
def _fresh_cache() -> None:
    cache.clear()


def schema(title: str, path: str, shape: str) -> dict[str, Any]:
    ref = {"schema": {"$ref": "#/components/schemas/Page"}}
    return {
        "info": {"title": title},
        "paths": {path: {"get": ref}},
        "components": {"schemas": {"Page": {"type": shape}, "Error": {"type": "object"}}},
    }


def test_merged_schemas_keep_apart_what_only_shares_a_name() -> None:
    merged = merge([schema("book_service", "/api/books/", "object"), schema("cart_service", "/api/carts/", "array")])
    assert merged["components"]["schemas"] == {
        "Page": {"type": "object"},
        "Error": {"type": "object"},
        "CartServicePage": {"type": "array"},
    }
    assert merged["paths"]["/api/books/"]["get"]["schema"]["$ref"] == "#/components/schemas/Page"
    assert merged["paths"]["/api/carts/"]["get"]["schema"]["$ref"] == "#/components/schemas/CartServicePage"


def test_what_refers_to_a_renamed_component_is_another_itself() -> None:
    """Both services' `Book` look the same, but each means its own `Page`."""
    book = {"properties": {"page": {"$ref": "#/components/schemas/Page"}}}
    schemas = [schema("book_service", "/api/books/", "object"), schema("cart_service", "/api/carts/", "array")]
    for each in schemas:
        each["components"]["schemas"]["Book"] = book
    merged = merge(schemas)["components"]["schemas"]
    assert merged["Book"] == book
    assert merged["CartServiceBook"] == {"properties": {"page": {"$ref": "#/components/schemas/CartServicePage"}}}


def test_only_components_are_renamed() -> None:
    own = schema("cart_service", "/api/carts/", "array")
    own["components"]["schemas"]["Error"] = {
        "type": "object",
        "properties": {"Page": {"type": "array"}},
        "enum": ["Page"],
    }
    merged = merge([schema("book_service", "/api/books/", "object"), own])
    assert merged["components"]["schemas"]["CartServiceError"] == own["components"]["schemas"]["Error"]


def test_other_components_are_there_too() -> None:
    token = {"access_token": {"type": "http", "scheme": "bearer"}}
    schemas = [{"info": {"title": title}, "components": {"securitySchemes": token}} for title in ("a", "b")]
    assert merge(schemas)["components"]["securitySchemes"] == token


@responses.activate
def test_an_answer_that_is_no_schema_counts_as_none(client: Client) -> None:
    for service in OTHERS:
        responses.get(f"{service.url}/api/schema/", json=["not", "a", "schema"])
    answer = client.get("/api/schema/")
    assert (answer.status_code, answer.json()["paths"]) == (200, {})


@responses.activate
def test_a_schema_that_lacks_a_service_is_not_kept(client: Client) -> None:
    for service in OTHERS:
        if service.name != "book_service":
            responses.get(
                f"{service.url}/api/schema/", json=schema(service.name, f"/api/{service.paths[0]}/", "object")
            )
    assert "/api/books/" not in client.get("/api/schema/").json()["paths"]
    responses.get(f"{topology.service('book_service').url}/api/schema/", json=schema("book", "/api/books/", "object"))
    assert "/api/books/" in client.get("/api/schema/").json()["paths"]


@responses.activate
def test_a_whole_schema_is_asked_for_once(client: Client) -> None:
    for service in OTHERS:
        responses.get(f"{service.url}/api/schema/", json=schema(service.name, f"/api/{service.paths[0]}/", "object"))
    assert client.get("/api/schema/").json() == client.get("/api/schema/").json()
    assert len(responses.calls) == len(OTHERS)


@responses.activate
def test_ready_names_the_service_that_is_down(client: Client) -> None:
    for service in OTHERS:
        status = 503 if service.name == "paying_service" else 200
        responses.get(f"{service.url}/health/ready", json={"error": "", "code": "x"}, status=status)
    answer = client.get("/health/ready")
    assert (answer.status_code, answer["Retry-After"]) == (503, "1")
    states = answer.json()["dependencies"]
    assert {name for name, state in states.items() if state == "down"} == {"paying_service"}
    assert set(states) == {service.name for service in OTHERS}


def test_the_docs_page_loads_nothing_from_elsewhere(client: Client) -> None:
    page = client.get("/docs/")
    assert page.status_code == 200
    assert b"https://" not in page.content
    assert b"/api/schema/" in page.content


def test_only_reading_is_allowed(client: Client) -> None:
    assert client.post("/").status_code == 405


def test_without_its_cache_the_fleet_is_slower_not_out_of_order() -> None:
    assert ready_response({"mongodb": "ok", "redis": "down"}).status_code == 200
    assert ready_response({"mongodb": "down", "redis": "ok"}).status_code == 503


@responses.activate
def test_a_schema_is_merged_without_its_cache_too(client: Client, settings: Any) -> None:
    backend = "django.core.cache.backends.redis.RedisCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": "redis://127.0.0.1:9/0"}}
    for service in OTHERS:
        responses.get(f"{service.url}/api/schema/", json=schema(service.name, f"/api/{service.paths[0]}/", "object"))
    assert "/api/books/" in client.get("/api/schema/").json()["paths"]


def test_with_debug_it_still_shows_nothing_of_itself(client: Client, settings: Any) -> None:
    settings.DEBUG = True
    for host, path, status in (("evil.test", "/", 400), ("localhost", "/nothing/", 404)):
        response = client.get(path, HTTP_HOST=host, HTTP_ACCEPT="text/html")
        assert (response.status_code, response.json()["request_id"]) == (status, response["X-Request-ID"])
