"""The shape of a book."""

from typing import Any

from rest_framework import serializers

from shopkit.items.serializers import IsoDateField, ItemSerializer, TextField


def isbn_checks(digits: str) -> bool:
    """Whether the check digit of an ISBN-10 or ISBN-13 (ISO 2108) is right."""
    if len(digits) == 13 and digits.isdigit():
        return sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(digits)) % 10 == 0
    if len(digits) == 10 and digits[:9].isdigit() and (digits[9].isdigit() or digits[9] == "X"):
        return sum((10 if d == "X" else int(d)) * (10 - i) for i, d in enumerate(digits)) % 11 == 0
    return False


class IsbnField(serializers.CharField):
    """An ISBN, kept without hyphens and spaces."""

    def to_internal_value(self, data: Any) -> str:
        digits = super().to_internal_value(data).replace("-", "").replace(" ", "").upper()
        if digits and not (digits.isascii() and isbn_checks(digits)):
            raise serializers.ValidationError("This is not an ISBN: its check digit does not fit.")
        return digits


class BookSerializer(ItemSerializer):
    author = serializers.CharField(max_length=200)
    isbn = IsbnField(max_length=17, allow_blank=True, default="")
    publisher = TextField()
    genre = TextField()
    language = TextField(max_length=35)
    pages = serializers.IntegerField(min_value=1, max_value=100_000, allow_null=True, default=None)
    published = IsoDateField(allow_null=True, default=None)
