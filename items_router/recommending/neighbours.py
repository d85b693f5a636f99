"""Item-to-item cosine: items are near each other where the same customers bought them, or looked at them.

Only what rebuilds or evaluates recommendations comes here: numpy is not for a process that serves.
"""

from array import array
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

Signal = tuple[str, str, float]
"""Customer, item, what it counts."""
Near = list[tuple[str, float]]
"""Items and their nearness, between 0 and 1; the nearest first, ties by id."""
MOST_OF_ONE = 300  # items of one customer: who has more is no customer, and tells nothing of taste
DAMPING = 2.0  # takes from pairs that few customers have in common; more of it: more recall, less coverage
PAIRS = 250_000  # in memory at once


class Matrix:
    """Customers × items, sparse: for each customer the items (numbers, ascending by id) with what each counts."""

    def __init__(self, signals: Iterable[Signal]) -> None:
        import numpy as np

        customers, items = _Numbers(), _Numbers()
        rows, columns, counts = array("q"), array("q"), array("d")
        for customer, item, count in signals:
            rows.append(customers[customer])
            columns.append(items[item])
            counts.append(count)
        self.ids = sorted(items)
        ranks = np.empty(len(self.ids), np.int64)
        ranks[[items[item] for item in self.ids]] = np.arange(len(self.ids))
        width = max(1, len(self.ids))
        cells = np.asarray(rows, np.int64) * width + (ranks[np.asarray(columns, np.int64)] if len(columns) else 0)
        self.cells, where = np.unique(cells, return_inverse=True)
        self.counts = np.zeros(len(self.cells))
        np.maximum.at(self.counts, where, np.asarray(counts, np.float64))  # a purchase outweighs looking at it
        self.rows, self.columns = np.divmod(self.cells, width)
        self._drop_crowds()

    def _drop_crowds(self) -> None:
        import numpy as np

        each = np.bincount(self.rows) if len(self.rows) else np.zeros(0, np.int64)
        kept = each[self.rows] <= MOST_OF_ONE
        self.rows, self.columns, self.counts = self.rows[kept], self.columns[kept], self.counts[kept]
        self.sizes = np.bincount(self.rows, minlength=len(each))
        self.starts = np.concatenate(([0], np.cumsum(self.sizes)))[:-1]


class _Numbers(dict[str, int]):
    """Ids, numbered as they come."""

    def __missing__(self, key: str) -> int:
        self[key] = len(self)
        return self[key]


def nearest(matrix: Matrix, *, most: int) -> Iterator[tuple[str, Near]]:
    """Each item that has any, with its `most` nearest."""
    import numpy as np

    width = len(matrix.ids)
    norms = np.sqrt(np.bincount(matrix.columns, matrix.counts**2, minlength=width))
    by_item = np.argsort(matrix.columns, kind="stable")
    for begin, end in _chunks(matrix, by_item):
        one, other, products = _products(matrix, by_item[begin:end])
        near = np.round(products / (norms[one] * norms[other] + DAMPING), 6)
        yield from _best(matrix.ids, one, other, near, most)


def _chunks(matrix: Matrix, by_item: Any) -> Iterator[tuple[int, int]]:
    """Parts of `by_item`, each of whole items, and of some `PAIRS` pairs unless one item has more."""
    import numpy as np

    columns = matrix.columns[by_item]
    pairs = np.cumsum(matrix.sizes[matrix.rows[by_item]])
    begin = 0
    while begin < len(by_item):
        done = pairs[begin - 1] if begin else 0
        last = min(int(np.searchsorted(pairs, done + PAIRS)), len(by_item) - 1)
        end = int(np.searchsorted(columns, columns[last], "right"))  # with all of the item that it has come to
        yield begin, end
        begin = end


def _products(matrix: Matrix, mine: Any) -> tuple[Any, Any, Any]:
    """Two items, and the sum of what both count, over the customers who have both; for each pair that there is."""
    import numpy as np

    width, rows = len(matrix.ids), matrix.rows[mine]
    sizes = matrix.sizes[rows]
    # each entry, once for each item of its customer
    others = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes - matrix.starts[rows], sizes)
    cells = np.repeat(matrix.columns[mine] * width, sizes) + matrix.columns[others]
    found, where = np.unique(cells, return_inverse=True)
    sums = np.bincount(where, np.repeat(matrix.counts[mine], sizes) * matrix.counts[others])
    one, other = np.divmod(found, max(1, width))
    return one[one != other], other[one != other], sums[one != other]


def _best(ids: list[str], one: Any, other: Any, near: Any, most: int) -> Iterator[tuple[str, Near]]:
    import numpy as np

    order = np.lexsort((other, -near, one))
    one, other, near = one[order], other[order], near[order]
    starts = np.flatnonzero(np.diff(one, prepend=-1))
    for begin, end in pairwise([*starts.tolist(), len(one)]):
        best = slice(begin, min(end, begin + most))
        yield (
            ids[one[begin]],
            list(zip([ids[n] for n in other[best].tolist()], near[best].tolist(), strict=True)),
        )


def popular(matrix: Matrix, *, most: int) -> Near:
    """What most customers have, and what that adds up to, as part of the greatest."""
    import numpy as np

    if not matrix.ids:
        return []
    sums = np.bincount(matrix.columns, matrix.counts, minlength=len(matrix.ids))
    order = np.lexsort((np.arange(len(sums)), -sums))[:most]
    return [(matrix.ids[number], round(float(sums[number] / sums.max()), 6)) for number in order]
