"""Lists of documents: in the order asked for, and in the form that the paginator takes."""

from collections.abc import Mapping

from pymongo.collection import Collection

from shopkit.filters import check_ordering
from shopkit.mongo import Document

Sort = list[tuple[str, int]]


def sorting(ordering: str, fields: Mapping[str, str]) -> Sort:
    """`"-price,name"` → the store's sort, ties settled by id; `fields`: what one may order by → where it is kept."""
    asked = check_ordering(ordering, list(fields))
    return [*((fields[name.removeprefix("-")], -1 if name.startswith("-") else 1) for name in asked), ("_id", 1)]


class Documents:
    """Those of a collection that meet a condition. Nothing is asked of the store until they are counted or sliced."""

    ordered = True

    def __init__(
        self,
        stored: Collection[Document],
        *,
        sort: Sort,
        condition: Document | None = None,
        hidden: tuple[str, ...] = (),
    ) -> None:
        self.condition = condition or {}
        self._stored = stored
        self._sort = sort
        self._shown = dict.fromkeys(hidden, 0) or None  # pymongo takes an empty one for the id alone

    def count(self) -> int:
        return self._stored.count_documents(self.condition)

    def __len__(self) -> int:
        return self.count()

    def __getitem__(self, page: slice) -> list[Document]:
        found = self._stored.find(self.condition, self._shown).sort(self._sort)
        return list(found.skip(page.start).limit(page.stop - page.start))
