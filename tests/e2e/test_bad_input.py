"""Whatever is wrong with a request: a 4xx in the one error form, at the gateway and at every service's own port."""

import json
from dataclasses import dataclass

import pytest

from shopkit import topology
from shopkit.settings import MAX_BODY
from tests.e2e import raw
from tests.e2e.raw import Answer, assert_refused
from tests.fleet import Fleet

JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Door:
    """A path, and a service at whose port it is answered."""

    at: str
    path: str

    def __str__(self) -> str:
        return f"{self.at}{self.path}"


def _doors() -> list[Door]:
    """Each service's lists: at its own port, at its router's, and at the gateway."""
    return [
        Door(at, f"/api/{path}/")
        for service in topology.SERVICES.values()
        for path in service.paths
        for at in (service.name, service.behind, "gateway")
        if at and path != "auth"
    ]


at_each_door = pytest.mark.parametrize("door", _doors(), ids=str)
at_each_port = pytest.mark.parametrize("name", topology.SERVICES)


def _send(fleet: Fleet, door: Door, method: str, rest: str | bytes = "", **more: object) -> Answer:
    rest = rest if isinstance(rest, bytes) else rest.encode()
    return raw.request(fleet.port(door.at), method, door.path.encode() + rest, **more)  # type: ignore[arg-type]


def _takes_post(fleet: Fleet, door: Door) -> bool:
    """The combined list takes it too: the router sends it on to the service of its type."""
    return door.path in ("/api/items/", "/api/products/") or "POST" in _send(fleet, door, "OPTIONS").headers["allow"]


# -- bodies

MALFORMED = {
    "cut off": b'{"name": ',
    "nothing like JSON": b"<xml/>",
    "no UTF-8": b'{"name": "\xff\xfe"}',
    "not a number": b'{"price": NaN}',
    "a number without end": b'{"price": ' + b"9" * 5000 + b"}",
    "nested too deeply": b"[" * 100_000,
    "a list": b"[1, 2]",
    "a word": b'"book"',
    "null": b"null",
    "a number": b"7",
}


@at_each_door
@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
def test_malformed_json_is_refused(fleet: Fleet, door: Door, body: bytes) -> None:
    assert_refused(_send(fleet, door, "POST", headers=JSON, body=body), 400 if _takes_post(fleet, door) else 405)


FIELDS = ("name", "title", "id", "type", "email", "first_name", "description", "order_id", "cart_id", "provider")
ODD_TEXT = {"NUL": "a\0b", "half a surrogate pair": "a\ud800b", "control characters": "a\x1b[2Jb"}


@at_each_door
@pytest.mark.parametrize("text", ODD_TEXT.values(), ids=ODD_TEXT)
def test_text_that_is_none_is_refused(fleet: Fleet, door: Door, text: str) -> None:
    body = json.dumps(dict.fromkeys(FIELDS, text)).encode()
    assert_refused(_send(fleet, door, "POST", headers=JSON, body=body), 400 if _takes_post(fleet, door) else 405)


@pytest.mark.parametrize("text", ODD_TEXT.values(), ids=ODD_TEXT)
@pytest.mark.parametrize("item_type", topology.by_item_type())
def test_text_that_is_none_is_refused_in_a_new_item(fleet: Fleet, item_type: str, text: str) -> None:
    body = json.dumps({"type": item_type, "name": "x", "description": text}).encode()
    for at in ("gateway", "items_router"):
        assert_refused(_send(fleet, Door(at, "/api/items/"), "POST", headers=JSON, body=body), 400)


@at_each_door
@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "multipart/form-data", "nonsense"])
def test_a_wrong_content_type_is_refused(fleet: Fleet, door: Door, content_type: str) -> None:
    answer = _send(fleet, door, "POST", headers={"Content-Type": content_type}, body=b'{"type": "book", "name": "x"}')
    assert_refused(answer, 415 if _takes_post(fleet, door) else 405)


@at_each_door
def test_a_body_over_the_limit_is_refused_without_reading_it(fleet: Fleet, door: Door) -> None:
    assert_refused(_send(fleet, door, "POST", headers=JSON, body=b"{", length=MAX_BODY + 1), 413)


@at_each_port
def test_a_chunked_body_over_the_limit_is_refused(fleet: Fleet, name: str) -> None:
    service = topology.service(name)
    target = f"/api/{(service.paths or ('items',))[0]}/"
    chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    head = f"POST {target} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    data = head.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 11 + b"0\r\n\r\n"
    assert_refused(raw.send(fleet.port(name), data), 413)


# -- ids, pages, filters

NO_IDS = {
    "a word": "not-an-id/",
    "another kind's": "spaceship_1/",
    "a number": "0/",
    "minus one": "-1/",
    "a huge number": "99999999999999999999999999/",
    "markup": "%3Cscript%3E/",
    "a quote": "'%20OR%201=1--/",
    "an operator": "$ne/",
    "letters that are not ASCII": "%F0%9F%93%9A/",
    "2000 characters": "x" * 2000 + "/",
    "further down": "not-an-id/and/further/down/",
}


@at_each_door
@pytest.mark.parametrize("rest", NO_IDS.values(), ids=NO_IDS)
def test_an_id_that_is_none_is_refused(fleet: Fleet, door: Door, rest: str) -> None:
    assert_refused(_send(fleet, door, "GET", rest), 404)
    for method in ("PATCH", "DELETE"):
        assert_refused(_send(fleet, door, method, rest, headers=JSON, body=b"{}"), 404, 405)


PAGES = ("page=-1", "page=0", "page=x", "page=1.5", "page=1e3", "page=", "page=%D9%A1", "page_size=-1", "page_size=0")
PAGES += ("page_size=1000000000", "page_size=101", "page_size=x", "page=" + "9" * 5000, "page_size=" + "9" * 3000)
PAST_THE_END = ("page=1000000000", "page=999999")


@at_each_door
@pytest.mark.parametrize("query", [*PAGES, *PAST_THE_END], ids=lambda query: query[:20])
def test_a_page_that_is_none_is_refused(fleet: Fleet, door: Door, query: str) -> None:
    assert_refused(_send(fleet, door, "GET", f"?{query}"), *((400,) if query in PAGES else (400, 404)))


@at_each_door
def test_an_unknown_field_to_order_by_is_refused(fleet: Fleet, door: Door) -> None:
    assert_refused(_send(fleet, door, "GET", "?ordering=no_such_field"), 400)


# -- types


@pytest.mark.parametrize("at", ["gateway", "items_router"])
@pytest.mark.parametrize("path", ["/api/items/", "/api/v1/items/", "/api/products/", "/api/items"])
def test_an_unknown_item_type_is_refused_naming_those_there_are(fleet: Fleet, at: str, path: str) -> None:
    asked = [_send(fleet, Door(at, path), "GET", "?type=spaceship")]
    for posted in ({"type": "spaceship"}, {"type": "BOOKS"}, {"name": "x"}, {"type": ["book"]}, {"type": None}):
        asked.append(_send(fleet, Door(at, path), "POST", headers=JSON, body=json.dumps(posted).encode()))
    for answer in asked:
        assert_refused(answer, 400)
        assert all(item_type in answer.json()["error"] for item_type in topology.by_item_type())


@at_each_door
@pytest.mark.parametrize("customer_type", ["king", "guest, vip", "v\xefp"])
def test_an_unknown_customer_type_is_refused_naming_those_there_are(
    fleet: Fleet, door: Door, customer_type: str
) -> None:
    answer = _send(fleet, door, "GET", headers={"X-Customer-Type": customer_type})
    assert_refused(answer, 400)
    assert all(known in answer.json()["error"] for known in topology.by_customer_type())


@at_each_door
@pytest.mark.parametrize("user_id", ["a b", "\x01", "x" * 65], ids=["two words", "a control character", "too long"])
def test_a_user_id_that_is_none_is_refused(fleet: Fleet, door: Door, user_id: str) -> None:
    assert_refused(_send(fleet, door, "GET", headers={"X-User-ID": user_id}), 400)


# -- what is no path, no header, no request

PATHS = {
    "dots, escaped": b"%2e%2e%2fetc/passwd",
    "dots, half escaped": b"..%2fadmin/",
    "dots": b"../../admin/",
    "dots, capital escapes": b"%2E%2E/%2E%2E/",
    "one dot": b"./x/",
    "an escaped slash": b"a%2fb/",
    "an escaped backslash": b"a%5cb/",
    "a backslash": b"a\\b/",
    "two slashes": b"/x/",
    "NUL": b"a%00b/",
    "an escaped newline": b"a%0d%0ab/",
    "an escaped escape": b"a%252fb/",
    "half an escape": b"a%2",
    "no escape": b"a%zz/",
    "bytes that are no UTF-8": b"a%ff/",
    "a control character": b"a\x01b/",
    "a byte outside ASCII": b"a\xffb/",
    "10,000 characters": b"x" * 10_000,
    "NUL in the query": b"?name=a%00b",
    "a control character in the query": b"?name=a\x01b",
    "half an escape in the query": b"?name=%",
}


@at_each_door
@pytest.mark.parametrize("rest", PATHS.values(), ids=PATHS)
def test_a_path_that_two_servers_could_read_differently_is_refused(fleet: Fleet, door: Door, rest: bytes) -> None:
    assert_refused(_send(fleet, door, "GET", rest), 414 if len(rest) > 5000 else 400)


@at_each_port
@pytest.mark.parametrize("rest", PATHS.values(), ids=PATHS)
def test_so_is_one_outside_the_api(fleet: Fleet, name: str, rest: bytes) -> None:
    for path in ("/", "/admin/", "/docs/", "/static/", "/health/", "/metrics/"):
        assert_refused(_send(fleet, Door(name, path), "GET", rest), 414 if len(rest) > 5000 else 400)


HEADERS = {
    "64 KB": ("X-Long: " + "a" * 65536, 431),
    "control characters": ("X-Odd: a\x01\x00b", 400),
    "a name that is none": ("X Odd: a", 400),
    "no colon": ("nonsense", 400),
    "continued": ("X-Odd: a\r\n b", 400),
    "200 of them": ("\r\n".join(["X-Many: 1"] * 200), 431),
    "two lengths": ("Content-Length: 1\r\nContent-Length: 2", 400),
    "a length that is none": ("Content-Length: -1", 400),
    "length and chunks": ("Content-Length: 3\r\nTransfer-Encoding: chunked", 400),
    "two hosts": ("Host: localhost", 400),
}


@at_each_port
@pytest.mark.parametrize(("header", "status"), HEADERS.values(), ids=HEADERS)
def test_a_header_that_is_none_is_refused(fleet: Fleet, name: str, header: str, status: int) -> None:
    data = f"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{header}\r\n\r\n"
    assert_refused(raw.send(fleet.port(name), data.encode("latin-1")), status)


@at_each_port
@pytest.mark.parametrize("host", ["evil.example", "a b", "localhost/../x", "localhost@evil.example", "[::1", ""])
def test_a_host_that_is_not_ours_is_refused(fleet: Fleet, name: str, host: str) -> None:
    for path in ("/health/live", f"/api/{(topology.service(name).paths or ('items',))[0]}/"):
        assert_refused(raw.request(fleet.port(name), "GET", path, headers={"Host": host}), 400)


@at_each_door
def test_a_host_that_is_not_ours_is_refused_wherever_the_answer_comes_from(fleet: Fleet, door: Door) -> None:
    assert_refused(_send(fleet, door, "GET", headers={"Host": "evil.example"}), 400)


@at_each_port
@pytest.mark.parametrize("line", ["nonsense", "GET", "GET /", "GET / HTTP/9.9", "get / HTTP/1.1", "\x16\x03\x01"])
def test_what_is_no_request_is_refused(fleet: Fleet, name: str, line: str) -> None:
    assert_refused(raw.send(fleet.port(name), f"{line}\r\nHost: localhost\r\n\r\n".encode("latin-1")), 400)


@at_each_door
@pytest.mark.parametrize("method", ["TRACE", "BREW", "PROPFIND", "PUT"])
def test_a_method_that_is_not_for_a_list_is_refused(fleet: Fleet, door: Door, method: str) -> None:
    assert_refused(_send(fleet, door, method), 405)


@at_each_door
def test_a_format_that_is_not_spoken_is_refused(fleet: Fleet, door: Door) -> None:
    assert_refused(_send(fleet, door, "GET", headers={"Accept": "application/xml"}), 406)


@at_each_door
def test_a_token_that_cannot_be_checked_is_refused(fleet: Fleet, door: Door) -> None:
    answer = _send(fleet, door, "GET", headers={"Authorization": "Bearer e30.e30.e30"})
    assert_refused(answer, 401)
    assert answer.headers["www-authenticate"] == "Bearer"


@at_each_port
def test_a_path_that_leads_nowhere_is_refused(fleet: Fleet, name: str) -> None:
    for path in ("/nowhere", "/api/", "/api/nowhere/", "/api/v2/items/", "/static/nowhere.js", "/static/"):
        assert_refused(raw.request(fleet.port(name), "GET", path), 404)


@pytest.mark.parametrize("name", [name for name, service in topology.SERVICES.items() if service.relational])
def test_a_form_without_its_token_is_refused(fleet: Fleet, name: str) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = raw.request(fleet.port(name), "POST", "/admin/login/", headers=form, body=b"username=a&password=b")
    assert_refused(answer, 403)
