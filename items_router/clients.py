"""What the items router asks of the item services."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shopkit import http
from shopkit.errors import ShopError
from shopkit.pagination import MAX_PAGE_SIZE
from shopkit.topology import Service


@dataclass(frozen=True)
class Items:
    """The first items of one service's list, in its order, and how many it has in all."""

    count: int
    items: list[dict[str, Any]]


def first_items(*, service: Service, params: dict[str, str], wanted: int) -> Items:
    """The first `wanted` items of the service's list, fetched in pages of 100."""
    size = min(wanted, MAX_PAGE_SIZE)
    found: list[dict[str, Any]] = []
    count, page = 0, 1
    while True:
        body = http.get(service.name, f"/api/{service.paths[0]}/", params={**params, "page": page, "page_size": size})
        listed = _listed(service, body)
        count, found, page = listed.count, found + listed.items, page + 1
        if len(found) >= min(wanted, count) or not listed.items:
            return Items(count, found[:wanted])


def _listed(service: Service, body: object) -> Items:
    """A page of the service's list; `BadGateway` when what it answered is no such thing."""
    match body:
        case {"count": int(count), "results": list(results)} if all(isinstance(item, dict) for item in results):
            return Items(count, results)
    raise http.unusable(service.name)


def all_first_items(
    *, services: Sequence[Service], params: dict[str, str], wanted: int
) -> dict[str, Items | ShopError]:
    """`first_items` of each service at once: item type → what it answered, or why it did not."""

    def ask(service: Service) -> Items | ShopError:
        try:
            return first_items(service=service, params=params, wanted=wanted)
        except ShopError as error:
            return error

    answers = http.of_each(services, ask)
    return {service.item_type or "": answers[service.name] for service in services}


def take_step(*, service: str, order_id: str, step: str, body: dict[str, Any]) -> dict[str, Any]:
    """One step of an order's stock at an item service; see `shopkit.items.internal`."""
    return dict(http.call("POST", service, f"/internal/reservations/{order_id}/{step}/", json=body))


def facts(*, service: str, ids: list[str], seconds: float) -> dict[str, Any]:
    """What carts show of these items; see `shopkit.items.internal`."""
    body = http.call("POST", service, "/internal/facts/", json={"ids": ids}, read_seconds=seconds)
    with http.understanding(service):
        return dict(body["items"])


def item(*, service: Service, item_id: str) -> dict[str, Any] | None:
    """The item as its service shows it; None where there is none."""
    return http.find(service.name, f"/api/{service.paths[0]}/{item_id}/")


def stock(*, service: str, after: str) -> list[dict[str, Any]]:
    """The next items' stock of one type; see `shopkit.items.stock.page_of_stock`."""
    return list(http.get(service, "/internal/stocktaking/", params={"after": after})["rows"])
