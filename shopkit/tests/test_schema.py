"""What schemas say of who comes in, and how they are made."""

import threading
from typing import Any

import pytest
from django.test import Client, RequestFactory
from drf_spectacular.generators import SchemaGenerator
from rest_framework.permissions import AllowAny
from rest_framework.views import APIView

from shopkit.permissions import IsKnown, IsService, IsStaff, ReadOrStaff
from shopkit.schema import access
from shopkit.testing import at_once


def view(permissions: list[Any], method: str) -> APIView:
    made = APIView()
    made.permission_classes = permissions
    made.request = made.initialize_request(getattr(RequestFactory(), method)("/"))
    return made


@pytest.mark.parametrize(
    ("permissions", "method", "kind"),
    [
        ([AllowAny], "post", "public"),
        ([], "post", "public"),
        ([IsKnown], "get", "known"),
        ([IsStaff], "get", "staff"),
        ([ReadOrStaff], "get", "public"),
        ([ReadOrStaff], "patch", "staff"),
        ([IsKnown, ReadOrStaff], "get", "known"),
        ([IsKnown, ReadOrStaff], "delete", "staff"),
        ([IsService], "get", "nobody"),
    ],
)
def test_a_views_permissions_say_who_comes_in(permissions: list[Any], method: str, kind: str) -> None:
    assert access(view(permissions, method)) == kind


def test_those_who_ask_at_once_are_all_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two that are made at the same time would trip over each other when the first ones are."""
    busy = threading.Lock()

    def make(_generator: SchemaGenerator, request: object = None, public: bool = False) -> dict[str, str]:
        assert busy.acquire(blocking=False)
        try:
            threading.Event().wait(0.02)
            return {"openapi": "3.0.3"}
        finally:
            busy.release()

    monkeypatch.setattr(SchemaGenerator, "get_schema", make)
    client = Client(raise_request_exception=False, headers={"host": "localhost"})
    assert at_once(lambda _: client.get("/api/schema/").status_code, 8) == [200] * 8
