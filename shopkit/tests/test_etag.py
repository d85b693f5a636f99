"""Versions as ETags."""

import pytest
from django.test import RequestFactory
from rest_framework.request import Request

from shopkit.errors import Invalid
from shopkit.etag import etag, expected_version


def asking(**headers: str) -> Request:
    return Request(RequestFactory().patch("/", headers=headers))


def if_match(value: str) -> Request:
    return asking(**{"If-Match": value})


def test_what_is_told_is_understood() -> None:
    assert etag(3) == {"ETag": '"3"'}
    assert expected_version(if_match(etag(3)["ETag"])) == 3


def test_without_the_header_or_with_a_star_any_version_will_do() -> None:
    assert expected_version(asking()) is None
    assert expected_version(if_match(" * ")) is None


@pytest.mark.parametrize("value", ["3", '"x"', 'W/"3"', '"3", "4"', '""', '"-1"', '"1234567890123456789"', '"٣"'])
def test_what_is_no_etag_of_ours_is_refused(value: str) -> None:
    with pytest.raises(Invalid) as refused:
        expected_version(if_match(value))
    assert list(refused.value.details) == ["If-Match"]
