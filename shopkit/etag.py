"""Versions as ETags: told in `ETag`, and named again in `If-Match` and `If-None-Match` (RFC 9110 §8.8.3, §13.1)."""

import re

from drf_spectacular.utils import OpenApiParameter
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from shopkit.errors import Invalid

IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, description='The ETag of the version to change, such as "3".'
)
_ETAG = re.compile(r'"(\d{1,18})(?:-\d{1,18})?"\Z', re.ASCII)


def etag(version: int, *, also: int | None = None) -> dict[str, str]:
    """The header that tells a version: 3 → `{"ETag": '"3"'}`; `also` is a number that the answer shows beside it."""
    return {"ETag": f'"{version}"' if also is None else f'"{version}-{also}"'}


def is_known(asked: str | None, tag: str) -> bool:
    """Whether `If-None-Match` names the ETag, by weak comparison (RFC 9110 §13.1.2)."""
    if asked is None:
        return False
    return asked.strip() == "*" or tag in (each.strip().removeprefix("W/") for each in asked.split(","))


def unchanged(request: Request, tag: str) -> Response | None:
    """304 for who has what that ETag names already."""
    if not is_known(request.headers.get("If-None-Match"), tag):
        return None
    return Response(status=status.HTTP_304_NOT_MODIFIED, headers={"ETag": tag})


def expected_version(request: Request) -> int | None:
    """The version that `If-Match` names; None without the header or for `*`; `Invalid` for what is no ETag of ours."""
    header = request.headers.get("If-Match", "*").strip()
    if header == "*":
        return None
    if not (match := _ETAG.match(header)):
        raise Invalid('If-Match must be an ETag such as "3".', details={"If-Match": ["not an ETag"]})
    return int(match[1])
