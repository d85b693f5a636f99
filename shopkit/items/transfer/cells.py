"""What a cell of CSV says: lists, nothing at all, and text that a spreadsheet must not take for a formula.

A list is its words with `|` between them; where a word has a `|` itself, it is a JSON list. Text that a spreadsheet
would reckon out (it begins with `=`, `+`, `-` or `@`) is written with a `'` before it, which is taken off again here.
"""

import json
import re
from typing import Any

from rest_framework import serializers

Field = serializers.Field[Any, Any, Any, Any]
ABSENT: Any = object()
"""What an empty cell says of a field that can be neither empty nor null: as if there were no such column."""
_RECKONED = re.compile(r"'*[=+\-@\t\r]")
_GUARDED = re.compile(r"'+[=+\-@\t\r]")


def cell(value: object) -> str:
    """A value as the API shows it → the text of its cell."""
    text = "" if value is None else _joined(value) if isinstance(value, list) else str(value)
    return f"'{text}" if _RECKONED.match(text) else text


def value(field: Field, text: str) -> Any:
    """The text of a cell → what the field's own validation takes. `ValueError` for a list that is none."""
    if _GUARDED.match(text):
        text = text[1:]
    if text.strip() == "":
        return _nothing(field)
    return _split(text) if isinstance(field, serializers.ListField) else text


def _nothing(field: Field) -> Any:
    if field.read_only:
        return ABSENT
    if isinstance(field, serializers.ListField):
        return []
    if field.allow_null:
        return None
    return "" if isinstance(field, serializers.CharField | serializers.ChoiceField) else ABSENT


def _joined(words: list[str]) -> str:
    plain = not any("|" in word for word in words) and not "".join(words).startswith("[")
    return "|".join(words) if plain else json.dumps(words, ensure_ascii=False)


def _split(text: str) -> list[Any]:
    if not text.startswith("["):
        return [word for word in text.split("|") if word.strip()]
    words = json.loads(text)
    if not isinstance(words, list):
        raise ValueError("This is not a list.")
    return words
