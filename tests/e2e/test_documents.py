"""What the fleet says about itself: its OpenAPI documents, the interactive page, and the admin's door."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from shopkit import topology
from tests.fleet import Fleet

Schema = dict[str, Any]
METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}

at_each_port = pytest.mark.parametrize("name", topology.SERVICES)


def _schema(fleet: Fleet, name: str) -> Schema:
    answer = fleet.get("/api/schema/", at=name)
    assert answer.status_code == 200
    return dict(answer.json())


def _references(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for value in part.values():
            yield from _references(value)
    elif isinstance(part, list):
        for value in part:
            yield from _references(value)


def _resolves(schema: Schema, reference: str) -> bool:
    found: Any = schema
    for step in reference.removeprefix("#/").split("/"):
        if not isinstance(found, dict) or step not in found:
            return False
        found = found[step]
    return reference.startswith("#/")


def _operations(schema: Schema) -> Iterator[tuple[str, str, Schema]]:
    for path, item in schema["paths"].items():
        for method in METHODS & set(item):
            yield path, method, item[method]


@at_each_port
def test_each_service_describes_itself_in_openapi_3(fleet: Fleet, name: str) -> None:
    schema = _schema(fleet, name)
    assert re.fullmatch(r"3\.\d+\.\d+", schema["openapi"])
    assert schema["info"]["title"]
    assert schema["info"]["version"]
    assert [reference for reference in _references(schema) if not _resolves(schema, reference)] == []


@at_each_port
def test_each_operation_says_what_it_takes_and_answers(fleet: Fleet, name: str) -> None:
    ids = []
    for path, method, operation in _operations(_schema(fleet, name)):
        ids.append(operation["operationId"])
        named = {parameter["name"] for parameter in operation.get("parameters", []) if parameter["in"] == "path"}
        assert named == set(re.findall(r"{(\w+)}", path)), (method, path)
        statuses = set(operation["responses"])
        assert any(status.startswith("2") for status in statuses), (method, path)
        assert statuses & {"default"}, (method, path)
        error = operation["responses"]["default"]["content"]["application/json"]["schema"]["$ref"]
        assert error.endswith("Error")
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", [name for name, service in topology.SERVICES.items() if service.paths])
def test_what_a_service_describes_is_under_its_own_paths(fleet: Fleet, name: str) -> None:
    described = {topology.api_segment(path) for path in _schema(fleet, name)["paths"]}
    assert described <= {*topology.service(name).paths, *(["auth"] if topology.service(name).issues else [])}


def test_the_gateway_describes_what_all_services_do(fleet: Fleet) -> None:
    merged = _schema(fleet, "gateway")
    own = {(path, method) for path, method, _ in _operations(merged)}
    for name, service in topology.SERVICES.items():
        if service.paths:
            assert {(path, method) for path, method, _ in _operations(_schema(fleet, name))} <= own
    assert {topology.api_segment(path) for path, _ in own} >= {
        path for path, service in topology.by_path().items() if path not in ("products", "customers")
    }


def test_the_interactive_page_needs_nothing_from_elsewhere(fleet: Fleet) -> None:
    page = fleet.get("/docs/")
    assert page.status_code == 200
    assert page.headers["Content-Type"].startswith("text/html")
    assert "/api/schema/" in page.text
    assert not re.findall(r"""(?:src|href)\s*=\s*["'](?:https?:)?//""", page.text)
    assets = re.findall(r"""(?:src|href)\s*=\s*["']([^"'#]+)["']""", page.text)
    assert len([asset for asset in assets if asset.endswith((".js", ".css"))]) >= 2
    for asset in assets:
        answer = fleet.get(asset)
        assert answer.status_code == 200, asset
        assert answer.content
        if asset.endswith(".css"):
            assert answer.headers["Content-Type"].startswith("text/css")
            assert not re.findall(r"url\(\s*[\"']?https?:|@import", answer.text)
        if asset.endswith(".js"):
            assert "javascript" in answer.headers["Content-Type"]


@pytest.mark.parametrize("name", [name for name, service in topology.SERVICES.items() if service.relational])
def test_each_relational_service_has_an_admin_to_log_in_to(fleet: Fleet, name: str) -> None:
    away = fleet.get("/admin/", at=name, allow_redirects=False)
    assert (away.status_code, away.headers["Location"].partition("?")[0]) == (302, "/admin/login/")
    page = fleet.get("/admin/login/", at=name)
    assert page.status_code == 200
    assert 'name="csrfmiddlewaretoken"' in page.text
    for asset in re.findall(r"""(?:src|href)="(/static/[^"]+)""", page.text):
        assert fleet.get(asset, at=name).status_code == 200, asset


@pytest.mark.parametrize("name", [name for name, service in topology.SERVICES.items() if not service.relational])
def test_the_others_have_none(fleet: Fleet, name: str) -> None:
    assert fleet.get("/admin/login/", at=name).status_code == 404


def test_the_gateway_says_where_to_go_from_here(fleet: Fleet) -> None:
    links = fleet.get("/").json()["links"]
    assert links
    for link in links.values():
        assert fleet.get(link).status_code == 200
