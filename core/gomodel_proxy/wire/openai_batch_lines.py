"""The lines of a batch's input file.

https://platform.openai.com/docs/api-reference/batch/request-input (22 November 2026)
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import msgspec

from gomodel_proxy.api import InvalidRequest, LineAsk

from . import json
from .shipping import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Line", "Lines", "checked", "path_of", "read_line", "write_line"]

_BOM: Final = b"\xef\xbb\xbf"


class Line(msgspec.Struct, frozen=True, gc=False):
    """One line that is well formed. ``url`` is a path without a trailing slash."""

    custom_id: str
    url: str
    body: bytes


class _Usual(msgspec.Struct, frozen=True, gc=False):
    """What nearly every line looks like; whatever is not so is read again, to say why."""

    custom_id: str
    body: msgspec.Raw
    method: str = "POST"
    url: str = ""


_decode = msgspec.json.Decoder(_Usual).decode


class Lines:
    """Cuts the pieces of a file into lines, and holds back no more than ``limit`` bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the lines that are complete, with their newline; raises `InvalidRequest`."""
        *lines, rest = data.split(b"\n")
        if not lines:
            self._hold(self._rest + rest)
            return
        lines[0] = self._rest + lines[0]
        self._rest = b""
        for line in lines:
            yield line + b"\n"
        self._hold(rest)

    def close(self) -> Iterator[bytes]:
        """Yield the last line, if it has no newline."""
        if self._rest:
            yield self._rest
            self._rest = b""

    def _hold(self, rest: bytes) -> None:
        if len(rest) > self._limit:
            raise InvalidRequest(
                f"This line is longer than {self._limit} bytes (server.body_limit).",
                code="line_too_long",
            )
        self._rest = rest


def read_line(line: bytes, endpoint: str) -> Line:
    """Return a line; raises `InvalidRequest` that names the member. ``endpoint`` may be empty."""
    try:
        usual = _decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return checked(_asked(line.removeprefix(_BOM)), endpoint)
    return checked(LineAsk(usual.custom_id, usual.method, usual.url or None, usual.body), endpoint)


def _asked(line: bytes) -> LineAsk:
    try:
        members = json.fields(line)
    except InvalidRequest as error:
        raise InvalidRequest(
            f"This line is no JSON object: {error.message}", code="invalid_json_line"
        ) from None
    text = {
        name: json.string(members[name], name)
        for name in ("custom_id", "method", "url")
        if name in members
    }
    return LineAsk(text.get("custom_id"), text.get("method"), text.get("url"), members.get("body"))


def checked(ask: LineAsk, endpoint: str) -> Line:
    """Return what is asked for as a line; raises `InvalidRequest` that names the member."""
    if not ask.custom_id:
        raise _lacking("custom_id")
    if ask.method not in (None, "", "POST"):
        raise InvalidRequest(
            f"'method' must be POST, not '{ask.method[:20]}'.",
            code="invalid_method",
            param="method",
        )
    path = path_of(ask.url or endpoint)
    if not path:
        raise _lacking("url")
    if endpoint and path != endpoint:
        raise InvalidRequest(
            f"'url' is {path[:100]}, and the batch is for {endpoint}.",
            code="mismatched_endpoint",
            param="url",
        )
    if ask.body is None:
        raise _lacking("body")
    if json.kind(ask.body) != "object":
        raise InvalidRequest("'body' must be an object.", code="invalid_type", param="body")
    return Line(ask.custom_id, path, bytes(ask.body))


def path_of(url: str) -> str:
    """Return the path of a URL, absolute or not, without its trailing slash.

    What makes no sense as a URL is nobody's path, and stays as it is.
    """
    if not url.startswith("/"):
        with suppress(ValueError):
            url = urlsplit(url).path
    return url.rstrip("/")


def write_line(line: Line) -> bytes:
    """Return a line as the file has it, with its newline."""
    return b'{"custom_id":%b,"method":"POST","url":%b,"body":%b}\n' % (
        json.encode(line.custom_id),
        json.encode(line.url),
        one_line(line.body),
    )


def _lacking(member: str) -> InvalidRequest:
    return InvalidRequest(
        f"'{member}' is missing.", code="missing_required_parameter", param=member
    )
