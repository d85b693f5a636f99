"""What schemas say of who comes in."""

from typing import Any

import pytest
from django.test import RequestFactory
from rest_framework.permissions import AllowAny
from rest_framework.views import APIView

from shopkit.permissions import IsKnown, IsService, IsStaff, ReadOrStaff
from shopkit.schema import access


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
