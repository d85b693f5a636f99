"""Stripe's products and prices, kept as the shop's items are: each item is one product, with one price at a time.

What Stripe was told is written down after each call, and each call may be repeated: a run that was cut short is
finished by the next.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

import requests

from paying_service.models import StripeProduct
from paying_service.providers import stripe
from shopkit.errors import BadGateway, Unavailable
from shopkit.money import to_minor

DEADLINE = (3.0, 20.0)  # seconds to connect, and to be answered
AT_A_TIME = 100
Item = dict[str, Any]
"""An item as the shop's API shows it: `{id, name, description, price, currency, …}`."""


def items_of(url: str) -> Iterator[Item]:
    """All items of the shop whose gateway is at `url`, as anybody reads them; `Unavailable`, `BadGateway`."""
    number = 1
    while True:
        page = _page(url, number)
        yield from page["results"]
        if not page["next"]:
            return
        number += 1


def _page(url: str, number: int) -> dict[str, Any]:
    params: dict[str, Any] = {"page": number, "page_size": AT_A_TIME, "strict": "true"}
    try:
        answer = requests.get(f"{url.rstrip('/')}/api/items/", params=params, timeout=DEADLINE)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
    except (requests.ConnectionError, requests.Timeout) as error:
        raise Unavailable(f"No shop answers at {url}.") from error
    except requests.RequestException as error:
        raise BadGateway(f"The shop at {url} does not list its items.") from error
    return found


def sync(items: Iterable[Item]) -> int:
    """Makes or changes what differs from what Stripe was told before; how many items that was. `Unavailable`."""
    return sum(_sync(item) for item in items if item.get("price"))


def _sync(item: Item) -> bool:
    kept, _new = StripeProduct.objects.get_or_create(pk=item["id"])
    before = dict(kept.shown)
    shown = {"name": item["name"], "description": item.get("description") or ""}
    price = {"unit_amount": to_minor(Decimal(item["price"])), "currency": item["currency"].lower()}
    if not kept.product_id or before != {**before, **shown}:
        _show(kept, shown)
    if not kept.price_id or before != {**before, **price}:
        _price(kept, price)
    if kept.stale_price_id:
        _archive(kept)
    return bool(kept.shown != before)


def _show(kept: StripeProduct, shown: dict[str, str]) -> None:
    """The product has the item's id, so that making it twice makes one."""
    asked: Any = shown
    with stripe.asking() as api:
        try:
            product = api.products.update(kept.item_id, asked)
        except stripe.REFUSALS as refusal:
            if refusal.code != "resource_missing":
                raise
            texts = {name: text for name, text in shown.items() if text}
            new: Any = {**texts, "id": kept.item_id, "metadata": {"item_id": kept.item_id}}
            product = api.products.create(new)
    kept.product_id = product.id
    _keep(kept, **shown)


def _price(kept: StripeProduct, price: dict[str, Any]) -> None:
    """A price can't be changed there, so a new one takes its place, and the old one is archived after it."""
    asked: Any = {**price, "product": kept.product_id, "metadata": {"item_id": kept.item_id}}
    key = f"price:{kept.item_id}:{price['unit_amount']}{price['currency']}:{kept.price_id}"
    with stripe.asking() as api:
        made = api.prices.create(asked, {"idempotency_key": key})
        api.products.update(kept.product_id, {"default_price": made.id})
    kept.price_id, kept.stale_price_id = made.id, kept.price_id
    _keep(kept, **price)


def _archive(kept: StripeProduct) -> None:
    with stripe.asking() as api:
        api.prices.update(kept.stale_price_id, {"active": False})
    kept.stale_price_id = ""
    _keep(kept)


def _keep(kept: StripeProduct, **told: Any) -> None:
    kept.shown = {**kept.shown, **told}
    kept.save()
