"""The request id: the caller's when sane, else a new one."""

import re

import pytest

from shopkit.request_id import sane_or_new


@pytest.mark.parametrize("value", ["a", "A-b_c.9", "x" * 64])
def test_a_sane_id_is_kept(value: str) -> None:
    assert sane_or_new(value) == value


@pytest.mark.parametrize("value", [None, "", "x" * 65, "a b", "a\n", "a\r\nSet-Cookie: x", "é", "<script>"])
def test_anything_else_is_replaced(value: str | None) -> None:
    assert re.fullmatch("[0-9a-f]{32}", sane_or_new(value))


def test_each_new_id_is_another() -> None:
    assert len({sane_or_new(None) for _ in range(100)}) == 100
