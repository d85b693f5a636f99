"""Reviews, likes and pictures through the gateway and the routers: as at the item services themselves."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.e2e.test_checkout import ADA, Shop, card
from tests.fleet import Fleet
from tests.waiting import wait_for


@pytest.fixture
def shop(fleet: Fleet) -> Shop:
    return Shop(fleet)


def mine(shop: Shop) -> Any:
    return shop.ada("GET", f"/api/items/{shop.book}/reviews/mine/").json()


def noise() -> bytes:
    """A PNG that is nearly as large as one may be."""
    import io

    from PIL import Image

    written = io.BytesIO()
    Image.effect_noise((680, 680), 90).save(written, "PNG")
    return written.getvalue()


def test_a_review_is_verified_once_its_author_has_paid_and_no_longer_when_all_is_given_back(shop: Shop) -> None:
    made = shop.ada("POST", f"/api/items/{shop.book}/reviews/", {"rating": 4, "text": "Wanted it"})
    assert (made.status_code, made.json()["verified"]) == (201, False)
    order = shop.place(card("4111111111111111"))
    shop.becomes(order, "fulfilling")
    assert mine(shop)["verified"]
    listed = shop.fleet.get(f"/api/books/{shop.book}/reviews/").json()["results"]
    assert [each["verified"] for each in listed] == [True]
    shop.fleet.call("POST", f"/api/payments/{shop.payment(order)['id']}/refund/", json={})
    shop.becomes(order, "refunded")
    wait_for(lambda: not mine(shop)["verified"])


def test_what_a_customer_has_bought_is_not_shown_to_them_as_similar_until_it_was_given_back(shop: Shop) -> None:
    body = {"name": "Unlike", "author": "A", "tags": [f"only-{uuid.uuid4().hex}"], "price": "12.50", "stock": 5}
    shop.book, other = (shop.fleet.call("POST", "/api/books/", json=body).json()["id"] for _ in range(2))

    def is_shown() -> bool:
        found = shop.ada("GET", f"/api/items/{other}/similar/?page_size=100").json()["results"]
        return shop.book in [each["id"] for each in found]

    wait_for(is_shown)
    order = shop.place(card("4111111111111111"))
    wait_for(lambda: not is_shown())
    shop.becomes(order, "fulfilling")
    shop.fleet.call("POST", f"/api/payments/{shop.payment(order)['id']}/refund/", json={})
    wait_for(is_shown)


def test_fifty_reviewers_at_once_at_the_gateway(shop: Shop) -> None:
    def review(number: int) -> int:
        who = {**ADA, "X-User-ID": f"critic-{number}"}
        body = {"rating": 1 + number % 5}
        return shop.fleet.call("POST", f"/api/items/{shop.book}/reviews/", json=body, headers=who).status_code

    with ThreadPoolExecutor(50) as pool:
        assert set(pool.map(review, range(50))) == {201}
    wait_for(lambda: shop.fleet.get(f"/api/items/{shop.book}/").json()["rating"]["count"] == 50)
    assert shop.fleet.get(f"/api/items/{shop.book}/").json()["rating"] == {"average": 3.0, "count": 50}


@pytest.mark.parametrize("at", ["gateway", "items_router", "book_service"])
def test_a_picture_of_almost_500_kb_comes_in_and_goes_out_everywhere(shop: Shop, at: str) -> None:
    raw = noise()
    assert 400_000 < len(raw) <= 500 * 1024
    path = f"/api/items/{shop.book}/images/"
    made = shop.fleet.call("POST", path, at=at, files={"image": ("a.png", raw, "image/png")})
    assert made.status_code == 201, made.text
    assert shop.fleet.get(f"/api/items/{shop.book}/", at=at).json()["images"] == [made.json()["url"]]
    for url in (made.json()["url"], *made.json()["thumbnails"].values()):
        answer = shop.fleet.get(url, at=at)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/png")
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        again = shop.fleet.get(url, at=at, headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
    refused = shop.fleet.call("POST", path, at=at, files={"image": ("b.png", raw + bytes(200_000), "image/png")})
    assert (refused.status_code, refused.json()["code"]) == (400, "picture_too_large")
