"""Which paths, queries and headers pass, and as what."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopkit.errors import BadGateway, Invalid, ShopError
from shopkit.hygiene import (
    Arrival,
    arrival,
    canonical_path,
    check_query,
    encoded_path,
    fold,
    forwarded_headers,
    response_headers,
)


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ("/", "/"),
        ("/docs", "/docs"),
        ("/api", "/api/"),
        ("/api/v1", "/api/"),
        ("/api/v1/", "/api/"),
        ("/api/v1/books", "/api/books/"),
        ("/api/v1/books/", "/api/books/"),
        ("/api/v1/v1/books", "/api/books/"),
        ("/api/v10/books/", "/api/v10/books/"),
        ("/apiary/v1/x", "/apiary/v1/x"),
        ("/api/books/book_abc-1", "/api/books/book_abc-1/"),
        ("/api/auth/.well-known/jwks.json", "/api/auth/.well-known/jwks.json"),
        ("/api/items/a%20b", "/api/items/a b/"),
        ("/caf%C3%A9", "/café"),
        ("/caf\u00e9", "/café"),
        ("/a;b=1,c@d:e!$&'()*+~", "/a;b=1,c@d:e!$&'()*+~"),
        ("/a%3Fb%23c", "/a?b#c"),
        ("/...", "/..."),
        ("/a..b/.c", "/a..b/.c"),
    ],
)
def test_a_path_has_one_form(raw: str, path: str) -> None:
    assert canonical_path(raw.encode()) == path


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"x",
        b"*",
        b"http://a/b",
        b"//a",
        b"/a//b",
        b"/.",
        b"/..",
        b"/a/./b",
        b"/a/../b",
        b"/a/..",
        b"/%2e%2E/a",
        b"/a/.%2e/b",
        b"/a%2fb",
        b"/a%2Fb",
        b"/a%5cb",
        b"/a\\b",
        b"/a%00b",
        b"/a\x00b",
        b"/a%0ab",
        b"/a%1Fb",
        b"/a%7fb",
        b"/a\x7fb",
        b"/a\nb",
        b"/a b",
        b"/a%25b",
        b"/a%252fb",
        b"/a%",
        b"/a%4",
        b"/a%zz",
        b"/a%ff",
        b"/a\xff",
        b"/a%c0%af",
        b"/a%c2%85",
        b"/a#b",
        b"/a?b",
    ],
)
def test_a_path_that_two_servers_could_read_differently_is_refused(raw: bytes) -> None:
    with pytest.raises(Invalid) as refusal:
        canonical_path(raw)
    assert (refusal.value.status, refusal.value.code) == (400, "bad_path")


def test_a_path_over_four_kilobytes_is_414() -> None:
    assert canonical_path(b"/" + b"a" * 4095)
    with pytest.raises(ShopError) as refusal:
        canonical_path(b"/" + b"a" * 4096)
    assert refusal.value.status == 414


@given(st.binary(max_size=40) | st.text("/.%25eEfF0aAb\\v1pi", max_size=30).map(str.encode))
def test_what_is_forwarded_is_read_as_the_same_path_again(raw: bytes) -> None:
    try:
        path = canonical_path(b"/" + raw)
    except ShopError:
        return
    assert canonical_path(encoded_path(path)) == path
    assert encoded_path(path).isascii()


def test_queries_are_ordinary_but_for_control_characters() -> None:
    for fine in (b"", b"a=1&b=%0A&c=%20+x&d[]=%C3%A9&e=%2f%25"):
        check_query(fine)
    for bad in (b"a=%00", b"a=\x00", b"a=\n", b"a= b", b"a=%", b"a=%zz", b"a=\xff", b"a#b"):
        with pytest.raises(Invalid):
            check_query(bad)


def test_names_fold_into_one() -> None:
    assert {fold(name) for name in ("X-User-ID", "x_user_id", "X.User.Id", "x-user_ID")} == {"x-user-id"}


def came(*headers: tuple[bytes, bytes]) -> Arrival:
    return arrival([(b"host", b"shop.test"), *headers], {b"x-user-id"})


def test_the_length_of_a_body_is_known_chunked_or_none() -> None:
    assert came().length == 0
    assert came((b"content-length", b"12")).length == 12
    assert came((b"transfer-encoding", b"Chunked")).length is None


@pytest.mark.parametrize(
    "headers",
    [
        [(b"content-length", b"1"), (b"content-length", b"1")],
        [(b"content-length", b"1"), (b"transfer-encoding", b"chunked")],
        [(b"transfer-encoding", b"chunked"), (b"transfer-encoding", b"chunked")],
        [(b"transfer-encoding", b"gzip, chunked")],
        [(b"transfer-encoding", b"")],
        [(b"content-length", b"")],
        [(b"content-length", b"+1")],
        [(b"content-length", b"1_0")],
        [(b"content-length", "١".encode())],
        [(b"content-length", b"9" * 19)],
        [(b"host", b"twice")],
    ],
)
def test_ambiguous_framing_is_refused(headers: list[tuple[bytes, bytes]]) -> None:
    with pytest.raises(Invalid):
        came(*headers)


@given(st.lists(st.tuples(st.text("xX-_.userid", min_size=1, max_size=12), st.just(b"1")), max_size=6))
def test_no_spelling_of_a_dropped_name_passes(headers: list[tuple[str, bytes]]) -> None:
    passed = came(*[(name.lower().encode(), value) for name, value in headers if name]).headers
    assert "x-user-id" not in {fold(name.decode()) for name, _ in passed}


def test_only_a_trusted_hop_says_who_came_before() -> None:
    forged = came((b"x-forwarded-for", b"1.1.1.1"), (b"x-forwarded-host", b"x"), (b"x-forwarded-proto", b"https"))
    ours = forwarded_headers(forged, client="2.2.2.2", trusted=False)
    assert [value for _, value in ours] == [b"2.2.2.2", b"shop.test", b"http"]
    kept = forwarded_headers(forged, client="2.2.2.2", trusted=True)
    assert [value for _, value in kept] == [b"1.1.1.1, 2.2.2.2", b"x", b"https"]


def test_a_redirect_away_is_refused() -> None:
    assert response_headers([(b"location", b"http://own:1/a")], {b"own:1"}) == [(b"location", b"/a")]
    with pytest.raises(BadGateway):
        response_headers([(b"location", b"http://own:2/a")], {b"own:1"})
