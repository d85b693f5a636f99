"""What `search` looks in: an item's texts, folded, so that case and accents make no difference."""

from collections.abc import Mapping
from typing import Any

from shopkit.items.filters import search_words, spaced
from shopkit.items.kind import ItemKind

WEIGHTS = (10.0, 3.0, 1.0)  # of a word in the name, among makers and tags, in the description


def texts(kind: ItemKind, document: Mapping[str, Any]) -> tuple[str, str, str]:
    """The words of the name; of makers, tags and the kind's own searched fields; of the description."""
    makers = [document.get(field, "") for field in ("brand", *kind.searched)]
    found = " ".join([*map(str, makers), *document.get("tags", [])])
    return spaced(document["name"]), spaced(found), spaced(document.get("description", ""))


def words(kind: ItemKind, document: Mapping[str, Any]) -> str:
    """All of them, each once."""
    every = " ".join(texts(kind, document)).split()
    return "".join(f" {word}" for word in dict.fromkeys(every))


def match(kind: ItemKind, document: Mapping[str, Any], search: str) -> float:
    """How well the item matches what was searched for; half as much again where a word is there whole."""
    score = 0.0
    for weight, text in zip(WEIGHTS, texts(kind, document), strict=True):
        for word in search_words(search):
            score += weight * ((f" {word}" in text) + 0.5 * (f" {word} " in f"{text} "))
    return score
