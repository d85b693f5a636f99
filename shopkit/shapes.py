"""What a serializer does, by one of each class a process: to make its fields costs more than their use.

Filling fields and checking values keeps nothing in them, so that threads share them; what a serializer only knows of
one request (`context`, `instance`, `initial_data`, `partial`) it does not know here.
"""

from functools import cache
from typing import Any

from rest_framework.request import Request
from rest_framework.serializers import Serializer

Shape = type[Serializer[Any]]


def shown(shape: Shape, thing: object) -> dict[str, Any]:
    """`thing` in that shape."""
    return dict(_kept(shape).to_representation(thing))


def given(shape: Shape, request: Request) -> dict[str, Any]:
    """What the body says, in that shape; the error form's 400 when it doesn't."""
    return dict(_kept(shape).run_validation(request.data))


@cache
def _kept(shape: Shape) -> Serializer[Any]:
    return shape()
