"""The calls that people know this shop by, as they stand in its source, against a fresh fleet on its own ports."""

# fmt: off

import pytest
import requests

from tests.fleet import Fleet


@pytest.fixture(autouse=True)
def _fleet(fleet: Fleet) -> None:
    assert fleet.offset == 0


def test_a_guest_lists_customers() -> None:
    answer = requests.get('http://localhost:8000/api/customers/')
    assert answer.status_code == 200
    assert {customer["customer_type"] for customer in answer.json()["results"]} == {"guest"}


def test_a_registered_user_sees_themselves() -> None:
    answer = requests.get('http://localhost:8000/api/customers/',
             headers={'X-User-ID': '123', 'X-Customer-Type': 'registered'})
    assert answer.status_code == 200
    assert [(each["id"], each["customer_type"]) for each in answer.json()["results"]] == [("123", "registered")]


def test_a_vip_user_sees_themselves() -> None:
    answer = requests.get('http://localhost:8000/api/customers/',
             headers={'X-User-ID': '456', 'X-Customer-Type': 'vip'})
    assert answer.status_code == 200
    assert [(each["id"], each["customer_type"]) for each in answer.json()["results"]] == [("456", "vip")]
    assert answer.json()["results"][0]["tier"] in ("bronze", "silver", "gold", "platinum")


def test_all_items_are_one_list() -> None:
    answer = requests.get('http://localhost:8000/api/items/')
    assert answer.status_code == 200
    assert answer.json()["count"] >= 1000
    assert set(answer.json()["sources"]) == {"book", "laptop", "mobile", "clothes"}


def test_only_books() -> None:
    _only("book", requests.get('http://localhost:8000/api/items/?type=book'))


def test_only_laptops() -> None:
    _only("laptop", requests.get('http://localhost:8000/api/items/?type=laptop'))


def test_only_mobiles() -> None:
    _only("mobile", requests.get('http://localhost:8000/api/items/?type=mobile'))


def test_only_clothes() -> None:
    _only("clothes", requests.get('http://localhost:8000/api/items/?type=clothes'))


def test_a_new_book() -> None:
    answer = requests.post('http://localhost:8000/api/items/',
              json={'name': 'Clean Code', 'type': 'book', 'author': 'Robert Martin', 'isbn': '9780132350884'})
    assert answer.status_code == 201
    _is_kept(answer, at="http://localhost:8010/api/books/")


def test_a_new_clothing_item() -> None:
    answer = requests.post('http://localhost:8000/api/items/',
              json={'name': 'Summer T-Shirt', 'type': 'clothes', 'size': 'L', 'color': 'Blue', 'material': 'Cotton'})
    assert answer.status_code == 201
    _is_kept(answer, at="http://localhost:8013/api/clothes/")


def test_direct_to_the_book_service() -> None:
    _only("book", requests.get('http://localhost:8010/api/books/'))


def test_direct_to_the_laptop_service() -> None:
    _only("laptop", requests.get('http://localhost:8011/api/laptops/'))


def test_direct_to_the_mobile_service() -> None:
    _only("mobile", requests.get('http://localhost:8012/api/mobiles/'))


def test_direct_to_the_clothes_service() -> None:
    _only("clothes", requests.get('http://localhost:8013/api/clothes/'))


def test_a_guest_who_registered_is_found_where_they_are_now() -> None:
    answer = requests.get('http://localhost:8009/api/guest-customer/123/')
    assert answer.status_code == 200
    assert (answer.json()["id"], answer.json()["customer_type"]) == ("123", "registered")


def _only(item_type: str, answer: requests.Response) -> None:
    assert answer.status_code == 200
    assert answer.json()["count"] > 100
    assert {item["type"] for item in answer.json()["results"]} == {item_type}


def _is_kept(created: requests.Response, *, at: str) -> None:
    item_id = created.json()["id"]
    assert requests.get(f"{at}{item_id}/").json() == created.json()
    assert requests.get(f"http://localhost:8000/api/items/{item_id}/").json() == created.json()
