"""What `search` looks in: an item's texts, folded, so that case and accents make no difference."""

from collections.abc import Mapping
from typing import Any

from shopkit.items.filters import spaced
from shopkit.items.kind import ItemKind


def texts(kind: ItemKind, document: Mapping[str, Any]) -> tuple[str, str, str]:
    """The words of the name; of makers, tags and the kind's own searched fields; of the description."""
    makers = [document.get(field, "") for field in ("brand", *kind.searched)]
    found = " ".join([*map(str, makers), *document.get("tags", [])])
    return spaced(document["name"]), spaced(found), spaced(document.get("description", ""))


def words(kind: ItemKind, document: Mapping[str, Any]) -> str:
    """All of them, each once."""
    every = " ".join(texts(kind, document)).split()
    return "".join(f" {word}" for word in dict.fromkeys(every))
