"""The request id: the caller's when sane, else a new one."""

import os
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


def test_processes_forked_from_one_make_ids_of_their_own() -> None:
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        os.write(writing, sane_or_new(None).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 32).decode() != sane_or_new(None)
