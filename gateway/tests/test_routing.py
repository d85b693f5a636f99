"""Where the gateway sends a request."""

import pytest

from gateway.routing import pick
from shopkit.testing import Asked, picked


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/api/customers/", "customer_router"),
        ("/api/vip-customer/456/", "customer_router"),
        ("/api/items/book_1/", "items_router"),
        ("/api/products/", "items_router"),
        ("/api/clothes/", "items_router"),
        ("/api/collections/", "items_router"),
        ("/api/carts/", "cart_service"),
        ("/api/orders/1/timeline/", "order_service"),
        ("/api/payments/", "paying_service"),
        ("/api/shipments/", "shipping_service"),
    ],
)
def test_the_first_segment_says_where(path: str, service: str) -> None:
    target = picked(pick, Asked("GET", path))
    assert target is not None
    assert (target.service, target.path) == (service, path)


@pytest.mark.parametrize(
    "path", ["/", "/docs/", "/api/", "/api/schema/", "/api/nothing/", "/internal/x/", "/admin/", "/metrics"]
)
def test_the_rest_is_the_gateways_own(path: str) -> None:
    assert picked(pick, Asked("GET", path)) is None
