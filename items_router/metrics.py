"""How far the catalogue lags behind, in Prometheus's terms."""

import time

from prometheus_client import Gauge

from items_router.catalogue import reading, sources

_OPTIONS = {"labelnames": ["type"], "multiprocess_mode": "mostrecent"}
ITEMS = Gauge("shop_catalogue_items", "Items in the catalogue", **_OPTIONS)  # type: ignore[arg-type]
LIVE = Gauge("shop_catalogue_live", "1 while the type's service answers, 0 while snapshots do", **_OPTIONS)  # type: ignore[arg-type]
LAG = Gauge("shop_catalogue_seconds_since_contact", "Since the type's service last answered", **_OPTIONS)  # type: ignore[arg-type]
HEALED = Gauge("shop_catalogue_seconds_since_pull", "Since all changes were last asked for", **_OPTIONS)  # type: ignore[arg-type]
UNTOLD = Gauge("shop_catalogue_untold_changes", "Changes that the service had not yet told", **_OPTIONS)  # type: ignore[arg-type]


def measure() -> None:
    """Sets all of them; a service that was never reached has no times."""
    now, counts = time.time(), reading.counts_of_types()
    for kind, source in sources.every().items():
        ITEMS.labels(kind).set(counts.get(kind, 0))
        LIVE.labels(kind).set(source.live)
        UNTOLD.labels(kind).set(source.untold)
        for gauge, at in ((LAG, source.reached_at), (HEALED, source.healed_at)):
            if at:
                gauge.labels(kind).set(now - at)
