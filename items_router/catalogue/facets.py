"""What a list could be narrowed by: each value with the number of items that the list would then have."""

import sqlite3
from collections import Counter
from itertools import pairwise
from typing import Any

from items_router.catalogue import conditions, store
from items_router.catalogue.conditions import Asked, Params
from items_router.catalogue.kept import Kept
from shopkit.items.filters import COMMON
from shopkit.money import shown

EDGES = (0, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 200_000)  # minor units; each band begins at one
MOST = 50  # brands, tags, collections
Facets = dict[str, Any]
_facets: Kept[Facets] = Kept()


def facets(*, params: Params) -> Facets:
    """`{count, types, brands, prices, collections, tags}`; `Invalid` for a parameter that makes no sense.

    Each is a list of `{value, count}`, of prices `{min_price, max_price, count}`, the most frequent first.
    """
    asked = conditions.read({name: value for name, value in params.items() if name not in ("ordering", "as_of")})
    bounds = [
        COMMON[name].read(name, params[name]) if params.get(name) else None for name in ("min_price", "max_price")
    ]
    with store.reading() as connection:
        return _facets.get(store.generation(connection), asked, lambda: _find(connection, asked, bounds))


def _find(connection: sqlite3.Connection, asked: Asked, bounds: list[int | None]) -> Facets:
    types, brands, bands = Counter[str](), Counter[str](), Counter[int | None]()
    for item_type, key, band, count in connection.execute(_groups(asked), asked.arguments):
        types[item_type] += count
        bands[band] += count
        if key:
            brands[key] += count
    return {
        "count": types.total(),
        "types": _listed(types),
        "brands": [{**each, "value": _spelled(connection, each["value"])} for each in _listed(brands)],
        "prices": [_band(band, bands[band], bounds) for band in sorted(b for b in bands if b is not None)],
        "collections": _values(connection, asked, "collections"),
        "tags": _values(connection, asked, "tags"),
    }


def _groups(asked: Asked) -> str:
    cases = " ".join(f"WHEN i.price < {end} THEN {number}" for number, end in enumerate(EDGES[1:]))
    band = f"CASE WHEN i.price IS NULL THEN NULL {cases} ELSE {len(EDGES) - 1} END"
    return f"""SELECT i.type, i.brand_key, {band} AS band, COUNT(*)
        FROM {asked.source} {asked.where} GROUP BY i.type, i.brand_key, band"""


def _spelled(connection: sqlite3.Connection, key: str) -> str:
    """One of the ways in which items write that brand."""
    query = "SELECT brand FROM items WHERE brand_key = ? ORDER BY brand LIMIT 1"
    return str(connection.execute(query, [key]).fetchone()[0])


def _band(band: int, count: int, bounds: list[int | None]) -> dict[str, Any]:
    """Never wider than the prices asked for, so that the list of a band has as many items as the band says."""
    begin, end = [*pairwise(EDGES), (EDGES[-1], None)][band]
    least, most = bounds
    low = max(begin, least or 0)
    high = min((each for each in (None if end is None else end - 1, most) if each is not None), default=None)
    return {"min_price": shown(low), "max_price": None if high is None else shown(high), "count": count}


def _values(connection: sqlite3.Connection, asked: Asked, table: str) -> list[dict[str, Any]]:
    of_items = f"JOIN {table} v ON v.number = i.number"
    source = f"{asked.source} {of_items} {asked.where}" if asked.where else f"{table} v"
    query = f"""SELECT v.value, COUNT(*) AS count FROM {source}
        GROUP BY v.value ORDER BY count DESC, v.value LIMIT {MOST}"""
    return [{"value": value, "count": count} for value, count in connection.execute(query, asked.arguments)]


def _listed(counts: Counter[str]) -> list[dict[str, Any]]:
    ordered = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    return [{"value": value, "count": count} for value, count in ordered[:MOST]]
