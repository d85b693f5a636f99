"""What may cross a hop: one canonical path, and the headers that are neither framing, hop-by-hop nor forged.

RFC 9110 §7.6 (forwarding), RFC 9112 §3.2 and §6 (targets, framing), RFC 3986 §2 and §3.3 (paths).
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote, unquote_to_bytes

from shopkit.errors import BadGateway, Invalid, ShopError

Headers = list[tuple[bytes, bytes]]

MAX_PATH = 4096

_NEVER_IN_PATH = re.compile(rb"%(?:2f|5c|25|[01][0-9a-f]|7f)|%(?![0-9a-f]{2})|[\x00-\x20\x7f\\#?]", re.IGNORECASE)
_NEVER_IN_QUERY = re.compile(rb"%00|%(?![0-9a-f]{2})|[\x00-\x20\x7f-\xff#]", re.IGNORECASE)
_PLAIN = re.compile(r"(?:/[A-Za-z0-9_~-]+)+/?")  # as most paths are: nothing in it needs a second look
_READY = re.compile(r"/api/(?!v1)(?:[A-Za-z0-9_~-]+/)+")  # plain, and as it is to be
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_API_VERSION = re.compile(r"\A/api(?:/v1)+(?=/|\Z)")
_PATH_CHARACTERS = "/:@!$&'()*+,;=-._~"


def canonical_path(raw: bytes) -> str:
    """The one path, decoded, that is both routed and forwarded: `/api/v1/x` becomes `/api/x/`.

    `raw` is the target up to its `?`, as received. `Invalid("bad_path")` for whatever two servers could read
    differently; a `ShopError` with status 414 over `MAX_PATH` bytes.
    """
    if len(raw) > MAX_PATH:
        raise ShopError("The path is too long.", status=414, code="uri_too_long")
    path = raw.decode("latin-1")
    if _READY.fullmatch(path):
        return path
    if _PLAIN.fullmatch(path):
        return _in_api(path)
    if raw[:1] != b"/" or b"//" in raw or _NEVER_IN_PATH.search(raw):
        raise _bad_path()
    try:
        path = (unquote_to_bytes(raw) if b"%" in raw else raw).decode()
    except UnicodeDecodeError:
        raise _bad_path() from None
    if _CONTROL.search(path) or ("/." in path and not {".", ".."}.isdisjoint(path.split("/"))):
        raise _bad_path()
    return _in_api(path)


def _bad_path() -> Invalid:
    return Invalid("This path is not one that can be served.", code="bad_path")


def _in_api(path: str) -> str:
    if path != "/api" and not path.startswith("/api/"):
        return path
    if path.startswith("/api/v1"):
        path = _API_VERSION.sub("/api", path, count=1)
    return path if path.endswith("/") or "." in path.rpartition("/")[2] else path + "/"


def encoded_path(path: str) -> bytes:
    """A canonical path as it goes on the wire."""
    return path.encode() if _PLAIN.fullmatch(path) else quote(path, safe=_PATH_CHARACTERS).encode()


def check_query(query: bytes) -> None:
    """`Invalid("bad_query")` for control characters, raw or `%00`, broken escapes, and bytes outside ASCII."""
    if query and _NEVER_IN_QUERY.search(query):
        raise Invalid("This query is not one that can be served.", code="bad_query")


_FOLD = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ_.", b"abcdefghijklmnopqrstuvwxyz--")


def fold(name: str) -> str:
    """A header name as it compares: `X_User.ID` and `x-user-id` are one name to some server or other."""
    return name.lower().replace("_", "-").replace(".", "-")


_HOP_BY_HOP = frozenset((b"connection", b"keep-alive", b"te", b"trailer", b"transfer-encoding", b"upgrade"))
_OWN = _HOP_BY_HOP | {b"host", b"content-length", b"expect", b"forwarded", b"x-real-ip", b"x-request-id"}
_PROXY_ONLY = (b"proxy-", b"x-forwarded-")
_NOT_PASSED = _HOP_BY_HOP | {b"server", b"x-powered-by", b"date", b"x-request-id"}
_HOST = re.compile(rb"[A-Za-z0-9.\-_:\[\]]{1,255}")


_OURS, _PASSED, _DROPPED = range(3)


@lru_cache(maxsize=1024)
def _fate(name: bytes) -> int:
    """What becomes of a header by its name: we write it anew, it goes on, or it does not."""
    if name in _OWN or name.startswith(_PROXY_ONLY):
        return _OURS
    return _PASSED if name == name.translate(_FOLD) else _DROPPED


@dataclass(slots=True)
class Arrival:
    """What the headers of a request say, taken apart: those that go on, and what we write anew ourselves.

    `length` is the body's length in bytes, None when it is chunked; `own` holds, by name, what came of those that we
    write anew.
    """

    headers: Headers
    host: bytes
    length: int | None
    websocket: bool
    own: dict[bytes, bytes]


def arrival(headers: Iterable[tuple[bytes, bytes]], dropped: Collection[bytes] = ()) -> Arrival:
    """Sorts a request's headers (lower-case names); `dropped` are further names to drop, folded.

    A name with `_` or `.` never goes on: it could become another's twin behind us. `Invalid` when the framing or
    the host is ambiguous (RFC 9112 §3.2, §6.3).
    """
    passed: Headers = []
    own: dict[bytes, bytes] = {}
    for header in headers:
        name, value = header
        fate = _fate(name)
        if fate == _OURS:
            own[name] = own[name] + b"," + value if name in own else value
        elif fate == _PASSED and name not in dropped:
            passed.append(header)
    if b"connection" in own:
        nominated = _nominated(own[b"connection"])
        passed = [header for header in passed if header[0] not in nominated]
    return Arrival(
        passed,
        _host(own.get(b"host", b"")),
        _length(own.get(b"content-length"), own.get(b"transfer-encoding")),
        b"websocket" in own.get(b"upgrade", b"").lower(),
        own,
    )


def _nominated(connection: bytes) -> set[bytes]:
    return {name.strip().lower() for name in connection.split(b",")}


def _host(value: bytes) -> bytes:
    if value and not _HOST.fullmatch(value):
        raise Invalid("The Host header is not valid.", code="bad_host")
    return value


def _length(content_length: bytes | None, transfer_encoding: bytes | None) -> int | None:
    if transfer_encoding is not None:
        if content_length is not None or transfer_encoding.lower() != b"chunked":
            raise Invalid("The length of the body is ambiguous.", code="bad_framing")
        return None
    if content_length is None:
        return 0
    if not content_length.isdigit() or len(content_length) > 18:
        raise Invalid("The length of the body is ambiguous.", code="bad_framing")
    return int(content_length)


def forwarded_headers(came: Arrival, *, client: str, trusted: bool) -> Headers:
    """`X-Forwarded-For`, `-Host` and `-Proto` as the next hop sees them; what came counts only from a trusted hop."""
    before = came.own if trusted else {}
    chain = before.get(b"x-forwarded-for")
    address = client.encode()
    return [
        (b"x-forwarded-for", chain + b", " + address if chain else address),
        (b"x-forwarded-host", before.get(b"x-forwarded-host", came.host)),
        (b"x-forwarded-proto", before.get(b"x-forwarded-proto", b"http")),
    ]


def response_headers(headers: Headers, origins: Collection[bytes]) -> Headers:
    """A response's headers (lower-case names) without those of its hop or its server.

    `origins` are the authorities that count as our own in `Location`; a redirect anywhere else is `BadGateway`.
    """
    passed: Headers = []
    nominated: set[bytes] = set()
    for header in headers:
        name = header[0]
        if name == b"location":
            passed.append((name, _local(header[1], origins)))
        elif name not in _NOT_PASSED and not name.startswith(b"proxy-"):
            passed.append(header)
        elif name == b"connection":
            nominated |= _nominated(header[1])
    return [header for header in passed if header[0] not in nominated] if nominated else passed


_LOCATION = re.compile(rb"(?:([A-Za-z][A-Za-z0-9+.\-]*):)?(?://([^/?#]*))?([^\x00-\x20\x7f\\]*)")


def _local(location: bytes, origins: Collection[bytes]) -> bytes:
    match = _LOCATION.fullmatch(location)
    if match is None:
        raise _leak()
    scheme, authority, path = match.groups()
    if authority is None and scheme is None:
        return location
    # After a path that itself began with `//`, a browser would read the rest as another host.
    if scheme not in (None, b"http", b"https") or authority not in origins or path.startswith(b"//"):
        raise _leak()
    return path if path.startswith(b"/") else b"/" + path


def _leak() -> BadGateway:
    return BadGateway("A service behind this one redirected to where it may not.")
