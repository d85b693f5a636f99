"""The fleet, declared once: each service's name, port, paths, store and calls.

Routes, peer addresses, the runner, the loader and the console derive from `SERVICES`.
A new item type is one folder and one `item(...)` line here.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Store(StrEnum):
    """Where a service keeps its data in production; embedded, all but MONGO are SQLite."""

    NONE = ""
    SQLITE = "sqlite"
    MYSQL = "mysql"
    POSTGRES = "postgresql"
    MONGO = "mongodb"


@dataclass(frozen=True)
class Service:
    """One service. `paths` are the segments after `/api/` that it answers; `behind` is the router in front of it.

    `calls` has no circle; what must flow back is told through an outbox, to those it `tells`. `issues` are the types of
    customers whose access tokens it signs. `worker`: a process of its own does its background work; for the
    others, which have little, it is done beside the requests. `keeps_files`: pictures, a catalogue and the like,
    in the data folder.
    """

    name: str
    port: int
    paths: tuple[str, ...] = ()
    store: Store = Store.NONE
    calls: tuple[str, ...] = ()
    tells: tuple[str, ...] = ()
    behind: str | None = None
    item_type: str | None = None
    customer_type: str | None = None
    proxies: bool = False
    issues: tuple[str, ...] = ()
    keeps_accounts: bool = False
    worker: bool = False
    keeps_files: bool = False

    @property
    def relational(self) -> bool:
        return self.store in (Store.SQLITE, Store.MYSQL, Store.POSTGRES)

    @property
    def may_call(self) -> tuple[str, ...]:
        """The services that this one's tokens count at: the admin, where there is one, asks who is on the staff."""
        return self.calls + self.tells + ((account_keeper().name,) if self.relational else ())

    @property
    def url(self) -> str:
        """Where its peers reach it: `<NAME>_URL`, else its port (with `SHOP_PORT_OFFSET`) on this machine."""
        return os.environ.get(f"{self.name.upper()}_URL", f"http://{authority(own_address(), self.listen_port)}")

    @property
    def listen_port(self) -> int:
        return self.port + int(os.environ.get("SHOP_PORT_OFFSET", "0"))


def own_address() -> str:
    """Where services of one machine reach each other: `SHOP_BIND`; the loopback address where that means all."""
    bind = os.environ.get("SHOP_BIND") or "127.0.0.1"
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(bind, bind)  # noqa: S104  # nothing is bound here


def authority(host: str, port: int) -> str:
    """`host:port`, with an IPv6 address in brackets (RFC 3986 §3.2.2)."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def item(name: str, port: int, path: str, item_type: str) -> Service:
    """An item service, behind the items router."""
    router = "items_router"
    return Service(
        name,
        port,
        (path,),
        Store.MONGO,
        tells=(router,),
        behind=router,
        item_type=item_type,
        worker=True,
        keeps_files=True,
    )


def customer(
    name: str,
    port: int,
    path: str,
    customer_type: str,
    store: Store,
    *,
    issues: tuple[str, ...] = (),
    keeps_accounts: bool = False,
) -> Service:
    """A customer service, behind the customer router."""
    return Service(
        name,
        port,
        (path,),
        store,
        behind="customer_router",
        customer_type=customer_type,
        issues=issues,
        keeps_accounts=keeps_accounts,
    )


_LEAVES = (
    customer("guest_customer", 8001, "guest-customer", "guest", Store.SQLITE, issues=("guest",)),
    customer(
        "registered_customer",
        8007,
        "registered-customer",
        "registered",
        Store.MYSQL,
        issues=("registered", "vip"),  # a VIP's account stays here
        keeps_accounts=True,
    ),
    customer("vip_customer", 8008, "vip-customer", "vip", Store.MYSQL),
    item("book_service", 8010, "books", "book"),
    item("laptop_service", 8011, "laptops", "laptop"),
    item("mobile_service", 8012, "mobiles", "mobile"),
    item("clothes_service", 8013, "clothes", "clothes"),
)


def _names(*, behind: str) -> tuple[str, ...]:
    return tuple(service.name for service in _LEAVES if service.behind == behind)


SERVICES: dict[str, Service] = {
    service.name: service
    for service in (
        Service(
            "gateway",
            8000,
            calls=(
                "customer_router",
                "items_router",
                "cart_service",
                "order_service",
                "paying_service",
                "shipping_service",
            ),
            proxies=True,
        ),
        Service(
            "cart_service",
            8002,
            ("carts",),
            Store.POSTGRES,
            calls=(*_names(behind="items_router"), "customer_router"),
            worker=True,
        ),
        Service(
            "order_service",
            8003,
            ("orders", "custom-orders"),
            Store.POSTGRES,
            calls=(
                "cart_service",
                *_names(behind="items_router"),
                "paying_service",
                "shipping_service",
                "customer_router",
            ),
            worker=True,
            keeps_files=True,
        ),
        Service("paying_service", 8004, ("payments",), Store.POSTGRES, tells=("order_service",), worker=True),
        Service(
            "items_router",
            8005,
            ("items", "products", "collections"),
            Store.MONGO,
            calls=_names(behind="items_router"),
            proxies=True,
            keeps_files=True,
        ),
        Service("shipping_service", 8006, ("shipments",), Store.POSTGRES, tells=("order_service",), worker=True),
        Service(
            "customer_router",
            8009,
            ("customers", "auth"),
            Store.MYSQL,
            calls=_names(behind="customer_router"),
            tells=("cart_service", "order_service", "paying_service", "shipping_service", "guest_customer"),
            proxies=True,
        ),
        *_LEAVES,
    )
}


def service(name: str) -> Service:
    """The service of that name; a `KeyError` that names those there are."""
    if name not in SERVICES:
        raise KeyError(f"there is no service {name!r}; there are {', '.join(sorted(SERVICES))}")
    return SERVICES[name]


def account_keeper() -> Service:
    """The service that keeps the accounts, those of staff too."""
    return next(service for service in SERVICES.values() if service.keeps_accounts)


def by_item_type() -> dict[str, Service]:
    return {s.item_type: s for s in SERVICES.values() if s.item_type}


def of_items(ids: Iterable[str]) -> dict[Service, list[str]]:
    """Item services, in the order of their names, with those of these ids that are theirs; others are left out."""
    types, parts = by_item_type(), dict[Service, list[str]]()
    for item_id in ids:
        if (service := types.get(item_id.partition("_")[0])) is not None:
            parts.setdefault(service, []).append(item_id)
    return dict(sorted(parts.items(), key=lambda part: part[0].name))


def by_customer_type() -> dict[str, Service]:
    return {s.customer_type: s for s in SERVICES.values() if s.customer_type}


def by_path() -> dict[str, Service]:
    """The segment after `/api/` → the service that owns it."""
    return {path: s for s in SERVICES.values() for path in s.paths}


def api_segment(path: str) -> str:
    """`/api/books/book_1/` → `"books"`; empty for a path that is not under `/api/`."""
    return path[5:].partition("/")[0] if path.startswith("/api/") else ""
