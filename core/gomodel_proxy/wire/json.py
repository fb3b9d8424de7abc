"""JSON bodies read one level deep: every member's bytes survive, and every doubt is refused.

A body that two parsers could read differently (a duplicate member, broken UTF-8) must not pass a
gateway that checks what it says: RFC 8259, sections 4 and 8.1.
"""

from __future__ import annotations

import json as stdlib
import re
from itertools import accumulate
from typing import Any, Final

import msgspec
from msgspec import Raw

from gomodel_proxy.api import InvalidRequest

__all__ = [
    "FALSE",
    "MAX_DEPTH",
    "NULL",
    "TRUE",
    "a",
    "boolean",
    "encode",
    "excerpt",
    "fields",
    "insert_member",
    "is_empty",
    "kind",
    "loads",
    "members",
    "portable",
    "string",
    "wrong_type",
]

MAX_DEPTH: Final = 200
"""The deepest nesting that is accepted; the outermost object counts as one."""

NULL: Final = Raw(b"null")
TRUE: Final = Raw(b"true")
FALSE: Final = Raw(b"false")

encode = msgspec.json.encode
"""Write a value as compact JSON; `Raw` members keep their bytes."""

_decode = msgspec.json.Decoder(dict[str, Raw]).decode
_decode_raw = msgspec.json.Decoder(Raw).decode
_decode_string = msgspec.json.Decoder(str).decode
_BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_KINDS: Final = {
    ord('"'): "string",
    ord("{"): "object",
    ord("["): "array",
    ord("t"): "boolean",
    ord("f"): "boolean",
    ord("n"): "null",
}
_NESTING: Final = {ord("["): 1, ord("]"): -1}
_BRACKETS: Final = bytes.maketrans(b"{}", b"[]")
_NO_STRUCTURE: Final = bytes(set(range(256)) - set(b'[]{}"'))
_KEY: Final = re.compile(rb'[ \t\n\r,]*("(?:[^"\\]|\\.)*+")[ \t\n\r]*+:[ \t\n\r]*+', re.DOTALL)
_AT_BYTE: Final = re.compile(r"\(byte (\d+)\)$")
_WHITESPACE: Final = b" \t\n\r"


def fields(body: bytes) -> dict[str, Raw]:
    """Return the members of a request body; raises `InvalidRequest` on anything ambiguous."""
    try:
        members = _decode(body)
    except _BROKEN as error:
        raise _refusal(body, error) from None
    if not body.isascii():
        _check_utf8(body)
    size = len(body)
    if size > 2 * MAX_DEPTH and body.count(b"{") + body.count(b"[") > MAX_DEPTH:
        _check_depth(body)
    # A member too many makes the body longer than the members it was decoded to: equal length
    # proves that a body without spaces has none.
    surplus = size - sum(map(len, [*members, *members.values()]), 4 * len(members) + 1)
    if surplus:
        _check_duplicates(body, members, surplus)
    return members


def loads(data: bytes) -> Any:
    """Decode what a vendor sent, NaN and lone surrogates included; raises ValueError."""
    try:
        return stdlib.loads(data.decode("utf-8-sig"))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def members(data: bytes) -> dict[str, Raw]:
    """Return the members of a vendor's object, as `loads` would; raises ValueError if it is none.

    Re-encoded are only the values of a body that a strict decoder refuses.
    """
    try:
        return _decode(data)
    except _BROKEN:
        value = loads(data)
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return {name: Raw(stdlib.dumps(member).encode()) for name, member in value.items()}


def portable(data: bytes) -> bytes:
    """Return what a vendor sent as JSON that every reader takes, amid other JSON too.

    That is ``data`` itself, unless a strict decoder refuses it. Then what is no character is
    replaced, numbers that are none are null, and what is no JSON at all is one string.
    """
    if _is_strict(data):
        return data
    text = data.decode("utf-8-sig", "replace")
    try:
        value = stdlib.loads(text, parse_constant=lambda _: None)
        written = stdlib.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
    except (ValueError, RecursionError):
        return encode(text)
    return written if _is_strict(written) else encode(text)


def _is_strict(data: bytes) -> bool:
    try:
        _decode_raw(data)
        data.decode()
        if data.count(b"{") + data.count(b"[") > MAX_DEPTH:
            _check_depth(data)
    except (*_BROKEN, InvalidRequest):
        return False
    return True


def kind(raw: Raw) -> str:
    """Return the JSON type of a value, from its first byte."""
    return _KINDS.get(memoryview(raw)[0], "number")


def is_empty(raw: Raw) -> bool:
    """Return whether an array or object has no members."""
    if memoryview(raw)[1] in b" \t\n\r]}":
        return not bytes(raw)[1:-1].strip(_WHITESPACE)
    return False


def string(raw: Raw, param: str) -> str:
    """Return a string value; raises `InvalidRequest` naming ``param`` for any other type."""
    try:
        return _decode_string(raw)
    except msgspec.ValidationError:
        raise wrong_type(param, "a string", raw) from None


def boolean(raw: Raw, param: str) -> bool:
    """Return a boolean, False for null; raises `InvalidRequest` naming ``param`` otherwise."""
    if raw == TRUE:
        return True
    if raw in (FALSE, NULL):
        return False
    raise wrong_type(param, "a boolean", raw)


def wrong_type(param: str, expected: str, raw: Raw) -> InvalidRequest:
    """Return the refusal of a member that has another type than ``expected``."""
    return InvalidRequest(
        f"'{param}' must be {expected}, not {a(kind(raw))}.", code="invalid_type", param=param
    )


def a(kind: str) -> str:
    """Return a JSON type's name as it stands in a sentence."""
    return kind if kind == "null" else f"{'an' if kind[0] in 'ao' else 'a'} {kind}"


def insert_member(body: bytes, name: str, value: bytes) -> bytes:
    """Return ``body``, a JSON object, with a first member more; all other bytes as they were."""
    start = body.index(b"{") + 1
    comma = b","
    if body[start] in b" \t\n\r}" and body[start:].lstrip(_WHITESPACE)[:1] == b"}":
        comma = b""
    return b"%b%b:%b%b%b" % (body[:start], encode(name), value, comma, body[start:])


def excerpt(data: bytes, limit: int = 200) -> str:
    """Return the beginning of foreign bytes on one line, fit for a message or a log."""
    text = data[: limit * 4].decode("utf-8", "replace")
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


# ------------------------------------------------------------------------------
# Refusals
# ------------------------------------------------------------------------------


def _invalid(reason: str) -> InvalidRequest:
    return InvalidRequest(f"The request body is not valid JSON: {reason}.", code="invalid_json")


def _refusal(body: bytes, error: Exception) -> InvalidRequest:
    if not body.strip(_WHITESPACE):
        return InvalidRequest("The request body is empty.", code="empty_body")
    if isinstance(error, RecursionError):
        return _too_deep()
    if isinstance(error, msgspec.ValidationError):
        found = _KINDS.get(body.lstrip(_WHITESPACE)[0], "number")
        return InvalidRequest(
            f"The request body must be a JSON object, not {a(found)}.", code="invalid_type"
        )
    if isinstance(error, UnicodeDecodeError):
        _check_utf8(body)
    reason = str(error).removeprefix("JSON is malformed: ")
    where = _AT_BYTE.search(reason)
    if where is None:
        return _invalid(f"{reason[:1].lower()}{reason[1:]} ({len(body)} bytes)")
    found_byte = body[int(where[1])] if int(where[1]) < len(body) else 0x20
    if found_byte < 0x20 and found_byte not in _WHITESPACE:
        return _invalid(f"raw control character 0x{found_byte:02x} {where[0]}")
    return _invalid(reason)


def _check_utf8(body: bytes) -> None:
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise _invalid(f"invalid UTF-8 (byte {error.start})") from None


# ------------------------------------------------------------------------------
# Depth
# ------------------------------------------------------------------------------


def _too_deep() -> InvalidRequest:
    return InvalidRequest(
        f"The request body is nested more than {MAX_DEPTH} levels deep.", code="nesting_too_deep"
    )


def _check_depth(body: bytes) -> None:
    """Measure the nesting of valid JSON by its brackets outside strings."""
    if b"\\" in body:
        # Pairs first: in a run of backslashes only an odd one can escape a quote.
        body = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    # Strings without brackets go first: two quotes side by side open and close one, or close
    # and open, and what is between the others stays on its side either way.
    quoted = body.translate(_BRACKETS, _NO_STRUCTURE).replace(b'""', b"")
    brackets = b"".join(quoted.split(b'"')[::2])
    depth = 0
    while brackets:
        # Each round takes away the innermost level everywhere, as long as that is quick.
        outer = brackets.replace(b"[]", b"")
        depth += 1
        if len(outer) > len(brackets) * 7 // 8:
            depth += max(accumulate(map(_NESTING.__getitem__, outer)))
            break
        brackets = outer
    if depth > MAX_DEPTH:
        raise _too_deep()


# ------------------------------------------------------------------------------
# Duplicates
# ------------------------------------------------------------------------------


def _check_duplicates(body: bytes, members: dict[str, Raw], surplus: int) -> None:
    """Refuse a body that has more members than the decoder kept.

    ``surplus`` is what it is longer than compact ones. Those as Python's json writes them are
    rebuilt and compared, only the rest is walked through.
    """
    if surplus == 2 * len(members) - 1:
        parts = [b'"%b": %b' % (name.encode(), raw) for name, raw in members.items()]
        if body == b"{%b}" % b", ".join(parts):
            return
    _walk(body, members)


def _walk(body: bytes, members: dict[str, Raw]) -> None:
    """Step over the top level: each name must come once, with the value the decoder kept.

    The body is known to be valid. A value that differs from the kept one can only be an earlier
    value of the same name.
    """
    seen = set()
    position = body.index(b"{") + 1
    while (match := _KEY.match(body, position)) is not None:
        name = _decode_string(match[1])
        position = match.end()
        raw = members[name]
        if name in seen or not body.startswith(raw, position):
            raise _duplicate(name)
        seen.add(name)
        position += len(raw)
    if body[position:].strip(_WHITESPACE) != b"}":
        raise _duplicate(name)


def _duplicate(name: str) -> InvalidRequest:
    return InvalidRequest(
        f"The request body has more than one member {excerpt(name.encode(), 80)!r}.",
        code="duplicate_member",
        param=excerpt(name.encode(), 80),
    )
