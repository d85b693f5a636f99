"""Request bodies: JSON or a form with files, refused where a store or a terminal behind us would choke on it."""

import re
from typing import Any

from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.parsers import JSONParser, MultiPartParser

from shopkit.errors import Invalid

_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


class StrictJSONParser(JSONParser):
    """JSON whose text is text: no control characters but tabs and line ends, no half of a surrogate pair."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        try:
            data = super().parse(stream, media_type, parser_context)
            check_text(data, "")
        except RecursionError:
            raise ParseError("JSON parse error - nested too deeply") from None
        return data


class StrictMultiPartParser(MultiPartParser):
    """A form with files, whose text is text too."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        if "boundary=" not in (media_type or ""):  # then nobody can say where its parts end
            raise UnsupportedMediaType(media_type)
        parsed: Any = super().parse(stream, media_type, parser_context)
        check_text({name: parsed.data.getlist(name) for name in parsed.data}, "")
        return parsed


def check_text(data: object, place: str = "") -> None:
    """`Invalid` for text with control characters in it, or with half of a surrogate pair, however deep it lies."""
    if isinstance(data, str) and _NOT_TEXT.search(data):
        message = "Text must be without control characters."
        raise Invalid(f"{place or 'body'}: {message}", details={place or "body": [message]})
    if isinstance(data, dict):
        for name, value in data.items():
            check_text(name, place)
            check_text(value, f"{place}.{name}" if place else name)
    elif isinstance(data, list):
        for number, value in enumerate(data):
            check_text(value, f"{place}.{number}" if place else str(number))
