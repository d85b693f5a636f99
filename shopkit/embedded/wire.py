"""Framing: bytes ↔ commands.

Source: MongoDB wire protocol specification: OP_MSG, and OP_QUERY and OP_REPLY for the one legacy hello.
"""

import struct
from typing import BinaryIO, NamedTuple

import bson

from shopkit.embedded.values import CODEC, Document

MAX_MESSAGE_BYTES = 48_000_000

_OP_REPLY, _OP_QUERY, _OP_MSG = 1, 2004, 2013
_CHECKSUM, _MORE_TO_COME, _REQUIRED_FLAGS = 1 << 0, 1 << 1, 0xFFFF
_HEADER, _INT = struct.Struct("<iiii"), struct.Struct("<i")


class Malformed(Exception):
    """These bytes are not the protocol; the connection is of no more use."""


class Request(NamedTuple):
    """A command as one document, and how to answer it: `silent` wants no answer."""

    command: Document
    identity: int
    legacy: bool
    silent: bool


def read_request(stream: BinaryIO) -> Request | None:
    """The next command, or None when the peer has closed. Raises `Malformed`."""
    header = stream.read(_HEADER.size)
    if not header:
        return None
    if len(header) < _HEADER.size:
        raise Malformed("truncated header")
    length, identity, _, code = _HEADER.unpack(header)
    if not _HEADER.size < length <= MAX_MESSAGE_BYTES:
        raise Malformed(f"a message of {length} bytes")
    body = stream.read(length - _HEADER.size)
    if len(body) < length - _HEADER.size:
        raise Malformed("truncated message")
    try:
        return _parse(body, identity, code)
    except (struct.error, ValueError, IndexError, RecursionError, bson.errors.BSONError) as error:
        raise Malformed(f"{type(error).__name__}: {error}") from error


def _parse(body: bytes, identity: int, code: int) -> Request:
    if code == _OP_QUERY:
        return Request(_legacy_command(body), identity, legacy=True, silent=False)
    if code != _OP_MSG:
        raise Malformed(f"opcode {code}")
    flags: int = struct.unpack_from("<I", body)[0]
    if flags & _REQUIRED_FLAGS & ~(_CHECKSUM | _MORE_TO_COME):
        raise Malformed(f"flags {flags:#x}")
    command = _sections(body[4 : len(body) - (4 if flags & _CHECKSUM else 0)])
    return Request(command, identity, legacy=False, silent=bool(flags & _MORE_TO_COME))


def _sections(body: bytes) -> Document:
    """The body section, with each document sequence added as an array under its name."""
    command: Document = {}
    sequences: Document = {}
    place = 0
    while place < len(body):
        size = _INT.unpack_from(body, place + 1)[0]
        section = body[place + 1 : place + 1 + size]
        if size < 5 or len(section) < size:
            raise Malformed("a section overruns its message")
        if body[place] == 0:
            command = bson.decode(section, CODEC)
        elif body[place] == 1:
            end = section.index(0, 4)
            sequences[section[4:end].decode()] = bson.decode_all(section[end + 1 :], CODEC)
        else:
            raise Malformed(f"a section of kind {body[place]}")
        place += 1 + size
    if not command:
        raise Malformed("no command")
    return command | sequences


def _legacy_command(body: bytes) -> Document:
    end = body.index(0, 4)
    if body[4:end] != b"admin.$cmd":
        raise Malformed("OP_QUERY is for hello only")
    command: Document = bson.decode(body[end + 9 : end + 9 + _INT.unpack_from(body, end + 9)[0]], CODEC)
    if next(iter(command), "") not in ("hello", "isMaster", "ismaster"):
        raise Malformed("OP_QUERY is for hello only")
    return command | {"$db": "admin"}


def encode_reply(request: Request, reply: Document) -> bytes:
    """The whole message that answers `request`."""
    document = bson.encode(reply)
    if request.legacy:
        body, code = struct.pack("<iqii", 8, 0, 0, 1) + document, _OP_REPLY
    else:
        body, code = bytes(5) + document, _OP_MSG
    return _HEADER.pack(_HEADER.size + len(body), 0, request.identity, code) + body
