"""Our parser of headers takes what gunicorn's own takes, byte by byte."""

import pytest
from gunicorn.asgi.parser import PythonProtocol  # type: ignore[import-untyped]

from shopkit.proxy_worker import Parser

AROUND = (b"%s", b"a%s", b"%sa", b"a%sa", b" %s\t", b"GE%sT")
WORDS = [b"", *(around % bytes([byte]) for byte in range(256) for around in AROUND)]
CHECKS = ["_is_valid_token", "_has_invalid_header_chars", "_is_valid_method"]


@pytest.mark.parametrize("check", CHECKS)
def test_a_word_is_one_if_it_is_one_to_gunicorn(check: str) -> None:
    ours, theirs = getattr(Parser(), check), getattr(PythonProtocol(), check)
    assert [word for word in WORDS if bool(ours(word)) != theirs(word)] == []
    assert {bool(ours(word)) for word in WORDS} == {True, False}
