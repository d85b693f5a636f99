"""One door: whatever a client asks at the gateway reaches the service that answers it, and the answer shows it."""

from collections.abc import Callable, Iterator

import pytest
import requests

from shopkit import topology
from tests.fleet import Fleet

CUSTOMER_TYPES = topology.by_customer_type()
ITEM_TYPES = topology.by_item_type()
LEAVES = [service for service in topology.SERVICES.values() if service.behind]


def _types(answer: requests.Response, field: str) -> set[str]:
    assert answer.status_code == 200, answer.text
    assert answer.json()["results"]
    return {each[field] for each in answer.json()["results"]}


def _some_item(fleet: Fleet, item_type: str) -> str:
    listed = fleet.get("/api/items/", params={"type": item_type, "page_size": 1})
    return str(listed.json()["results"][0]["id"])


# -- by customer type


@pytest.mark.parametrize("customer_type", CUSTOMER_TYPES)
@pytest.mark.parametrize("written", [str.lower, str.upper, str.title])
@pytest.mark.parametrize("at", ["gateway", "customer_router"])
def test_the_customer_type_in_any_case_says_which_service_answers(
    fleet: Fleet, at: str, customer_type: str, written: Callable[[str], str]
) -> None:
    header = {"X-Customer-Type": written(customer_type)}
    assert _types(fleet.get("/api/customers/", at=at, headers=header), "customer_type") == {customer_type}


@pytest.mark.parametrize("at", ["gateway", "customer_router"])
def test_who_names_no_type_is_a_guest(fleet: Fleet, at: str) -> None:
    assert _types(fleet.get("/api/customers/", at=at), "customer_type") == {"guest"}


# -- by typed path


@pytest.mark.parametrize("service", LEAVES, ids=lambda service: service.name)
def test_a_typed_path_is_answered_alike_at_the_gateway_the_router_and_the_service(
    fleet: Fleet, service: topology.Service
) -> None:
    assert service.behind
    path = f"/api/{service.paths[0]}/"
    answers = [fleet.get(path, at=at, params={"page_size": 1}) for at in ("gateway", service.behind, service.name)]
    assert {answer.status_code for answer in answers} == {200}
    first, *others = [(answer.json()["count"], answer.json()["results"]) for answer in answers]
    assert first[1]
    assert all(other == first for other in others)


@pytest.mark.parametrize("path", sorted(set(topology.by_path()) - {"auth"}))
def test_v1_and_a_path_without_its_slash_are_the_same(fleet: Fleet, path: str) -> None:
    plain = fleet.get(f"/api/{path}/")
    assert plain.status_code == 200
    for same in (f"/api/{path}", f"/api/v1/{path}/", f"/api/v1/{path}"):
        answer = fleet.get(same, allow_redirects=False)
        assert answer.status_code == 200
        assert answer.json()["results"] == plain.json()["results"]
        at_home = fleet.get(same, at=topology.by_path()[path].name, allow_redirects=False)
        assert at_home.status_code == 200


@pytest.mark.parametrize("path", ["/api/items", "/api/v1/items/", "/api/v1/items", "/api/products", "/api/laptops"])
def test_what_is_posted_there_arrives(fleet: Fleet, path: str) -> None:
    answer = fleet.call("POST", path, json={"type": "laptop", "name": "Slashless"}, allow_redirects=False)
    assert answer.status_code == 201
    item_id = answer.json()["id"]
    assert fleet.get(f"/api/v1/items/{item_id}").json() == answer.json()
    assert fleet.call("DELETE", f"/api/v1/items/{item_id}", allow_redirects=False).status_code == 204
    assert fleet.get(f"/api/items/{item_id}/").status_code == 404


# -- by item type and id


@pytest.mark.parametrize("item_type", ITEM_TYPES)
def test_an_item_is_found_by_its_id_alone(fleet: Fleet, item_type: str) -> None:
    service, item_id = ITEM_TYPES[item_type], _some_item(fleet, item_type)
    assert item_id.startswith(f"{item_type}_")
    at_home = fleet.get(f"/api/{service.paths[0]}/{item_id}/", at=service.name)
    assert at_home.status_code == 200
    for path in (f"/api/items/{item_id}/", f"/api/products/{item_id}/", f"/api/{service.paths[0]}/{item_id}/"):
        for at in ("gateway", "items_router"):
            answer = fleet.get(path, at=at)
            assert answer.json() == at_home.json()
            assert answer.headers["ETag"] == at_home.headers["ETag"]


@pytest.mark.parametrize("item_type", ITEM_TYPES)
@pytest.mark.parametrize("path", ["/api/items/", "/api/products/"])
def test_a_posted_item_goes_to_the_service_of_its_type(fleet: Fleet, path: str, item_type: str) -> None:
    fields = {"author": "A. Nonymous", "isbn": "9780132350884", "size": "M", "color": "Blue"}
    answer = fleet.call("POST", path, json={"type": item_type, "name": "Routed", **fields})
    assert answer.status_code == 201, answer.text
    item_id = answer.json()["id"]
    service = ITEM_TYPES[item_type]
    assert fleet.get(f"/api/{service.paths[0]}/{item_id}/", at=service.name).json() == answer.json()
    assert fleet.call("DELETE", f"/api/items/{item_id}/").status_code == 204


def test_products_are_items_by_another_name(fleet: Fleet) -> None:
    query = {"ordering": "-price", "page_size": 20}
    items, products = fleet.get("/api/items/", params=query), fleet.get("/api/products/", params=query)
    assert items.json()["results"]
    assert items.json()["results"] == products.json()["results"]
    assert _types(fleet.get("/api/products/?type=mobile"), "type") == {"mobile"}


# -- the URLs of further pages

HOSTS = ("localhost", "127.0.0.1")
PAGED = ("/api/items/", "/api/products/", "/api/items/?type=book", "/api/books/", "/api/v1/clothes", "/api/orders/")
PAGED += ("/api/customers/", "/api/vip-customer/", "/api/collections/")


def _pages(url: str) -> Iterator[requests.Response]:
    """Three pages, and the way back from the third."""
    directions = ("next", "next", "previous", "previous")
    for direction in (*directions, ""):
        answer = requests.get(url, timeout=20)
        assert answer.status_code == 200
        yield answer
        url = answer.json().get(direction)


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("path", PAGED)
def test_further_pages_are_at_the_host_that_the_client_called(fleet: Fleet, path: str, host: str) -> None:
    door = f"http://{host}:{fleet.port('gateway')}"
    pages = list(_pages(f"{door}{path}{'&' if '?' in path else '?'}page_size=2&ordering=created_at"))
    ids = [tuple(each["id"] for each in page.json()["results"]) for page in pages]
    assert len(set(ids)) == 3
    assert (ids[3], ids[4]) == (ids[1], ids[0])
    for page in pages:
        for link in filter(None, (page.json()["next"], page.json()["previous"])):
            assert link.startswith(f"{door}/api/")
            assert "page_size=2" in link
            assert "ordering=created_at" in link


def test_a_name_of_the_clients_own_stays_in_the_urls_if_it_is_allowed(fleet: Fleet) -> None:
    answer = fleet.get("/api/books/?page_size=1", headers={"Host": "localhost"})
    assert answer.json()["next"].startswith("http://localhost/api/books/")


@pytest.mark.parametrize("path", ["/api/items/", "/api/books/", "/api/customers/", "/api/orders/"])
def test_forwarded_headers_from_outside_are_not_believed(fleet: Fleet, path: str) -> None:
    forged = {
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-For": "203.0.113.9",
        "X-Forwarded-Port": "1",
        "Forwarded": "host=evil.example;proto=https",
        "X-Real-IP": "203.0.113.9",
        "X-Request-ID": f"forged-{path.strip('/').replace('/', '-')}",
    }
    answer = fleet.get(path, params={"page_size": 1}, headers=forged)
    assert answer.status_code == 200
    assert "evil.example" not in answer.text
    assert answer.json()["next"].startswith(f"{fleet.url()}/api/")
    assert fleet.wait_logged("gateway", request_id=forged["X-Request-ID"])["client"] == "127.0.0.1"


# -- who may come in from where


def test_other_origins_are_told_nothing_unless_they_are_allowed(fleet: Fleet) -> None:
    asked = {"Origin": "https://shop.example", "Access-Control-Request-Method": "GET"}
    for name, service in topology.SERVICES.items():
        path = f"/api/{(service.paths or ('items',))[0]}/"
        for method in ("GET", "OPTIONS"):
            headers = fleet.call(method, path, at=name, headers=asked).headers
            assert not [header for header in headers if header.lower().startswith("access-control-")]
