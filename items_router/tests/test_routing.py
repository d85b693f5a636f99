"""Where the items router sends a request."""

import json

import pytest

from items_router.catalogue import sources
from items_router.routing import pick
from shopkit.errors import Invalid, Unavailable
from shopkit.proxy import Forward
from shopkit.testing import Asked, picked


@pytest.mark.parametrize("item_type", ["book", "laptop", "mobile", "clothes"])
@pytest.mark.parametrize("root", ["items", "products"])
def test_a_type_is_found_by_query_by_body_and_by_id(root: str, item_type: str) -> None:
    service = f"{item_type}_service"
    listed = Asked("GET", f"/api/{root}/", query=f"type={item_type}&page=2")
    assert picked(pick, listed) == Forward(service, f"/api/{root}/")
    posted = Asked("POST", f"/api/{root}/", body=json.dumps({"type": item_type}).encode())
    assert picked(pick, posted) == Forward(service, f"/api/{root}/")
    one = Asked("PATCH", f"/api/{root}/{item_type}_0f3/")
    assert picked(pick, one) == Forward(service, f"/api/{root}/{item_type}_0f3/")
    deeper = Asked("POST", f"/api/{root}/{item_type}_0f3/stock/")
    assert picked(pick, deeper) == Forward(service, f"/api/{root}/{item_type}_0f3/stock/")


@pytest.mark.parametrize("path", ["/api/books/", "/api/laptops/laptop_1/", "/api/mobiles/", "/api/clothes/"])
def test_a_typed_path_says_where(path: str) -> None:
    forward = picked(pick, Asked("GET", path))
    assert forward
    assert forward.path == path
    assert forward.service.startswith(path.split("/")[2].rstrip("s")[:4])


def test_an_item_whose_service_is_silent_is_the_routers_own() -> None:
    asked = Asked("GET", "/api/books/book_1/")
    for kind in ("book", "mobile"):
        sources.claim(kind, every_seconds=0)
        sources.reached(kind)
    assert picked(pick, asked) == Forward("book_service", "/api/books/book_1/")
    sources.failed("book")
    assert (picked(pick, asked), asked.path) == (None, "/api/items/book_1/")
    assert picked(pick, Asked("GET", "/api/mobiles/mobile_1/"))
    assert picked(pick, Asked("GET", "/api/books/"))  # the service may be back any moment
    assert picked(pick, Asked("PATCH", "/api/books/book_1/"))


def test_who_hangs_is_not_waited_for() -> None:
    sources.claim("book", every_seconds=0)
    for _ in range(sources.HOPE):
        sources.failed("book", hangs=True)
    for method, path in (
        ("GET", "/api/books/"),
        ("PATCH", "/api/items/book_1/"),
        ("GET", "/api/items/book_1/stock/log/"),
    ):
        with pytest.raises(Unavailable) as refused:
            picked(pick, Asked(method, path))
        assert refused.value.headers["Retry-After"] == "1"
    sources.reached("book")
    assert picked(pick, Asked("GET", "/api/books/"))


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b'"book"', b'{"type": "house"}', b'{"type": ["book"]}', b'{"type": null}']
)
def test_an_unknown_type_is_refused_naming_those_there_are(body: bytes) -> None:
    with pytest.raises(Invalid, match="book, clothes, laptop, mobile") as refused:
        picked(pick, Asked("POST", "/api/items/", body=body))
    assert refused.value.code == "unknown_item_type"


def test_an_unknown_type_in_the_query_is_refused_too() -> None:
    with pytest.raises(Invalid, match="book, clothes, laptop, mobile"):
        picked(pick, Asked("GET", "/api/items/", query="type=house"))


@pytest.mark.parametrize(
    "path", ["/api/items/", "/api/products/", "/api/collections/", "/api/items/house_1/", "/api/items/1/"]
)
def test_the_rest_is_the_routers_own(path: str) -> None:
    assert picked(pick, Asked("GET", path)) is None
