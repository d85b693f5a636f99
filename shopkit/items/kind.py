"""What an item service declares."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module

from django.conf import settings

from shopkit.items.filters import COMMON, Filter
from shopkit.items.serializers import ItemSerializer

Shape = type[ItemSerializer]


@dataclass(frozen=True)
class ItemKind:
    """One item type: its name, its path, its fields, its own filters, and which of its own fields `search` looks in."""

    type: str
    path: str
    serializer: Shape
    filters: Mapping[str, Filter] = field(default_factory=dict)
    searched: tuple[str, ...] = ()

    @cached_property
    def reader(self) -> ItemSerializer:
        """Shows documents. One for the process, since to make a serializer's fields costs more than to fill them."""
        return self.serializer(context={"kind": self})

    @property
    def all_filters(self) -> dict[str, Filter]:
        return {**COMMON, **self.filters}


def own_kind() -> ItemKind:
    """The kind that the service of this process keeps."""
    kind: ItemKind = import_module(f"{settings.SERVICE.name}.documents").KIND
    return kind
