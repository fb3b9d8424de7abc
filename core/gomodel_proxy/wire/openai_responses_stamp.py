"""Stamps a stream of response events: the gateway's own members in every response object.

platform.openai.com/docs/api-reference/responses-streaming (2026-11): the first events and the last
carry the whole response in ``response``; all others name items, and pass as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Raw

from . import json, sse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Stamper"]

_LAST: Final = frozenset({"response.completed", "response.incomplete", "response.failed"})
_MARK: Final = b'"response"'  # in a text it would be written with backslashes


class _Event(msgspec.Struct, gc=False):
    type: str = ""
    response: Raw = json.NULL


_decode: Final = msgspec.json.Decoder(_Event).decode


class Stamper:
    """A `Stage`, fed whole events. ``seen`` gets each response object, and whether it is final."""

    __slots__ = ("_members", "_seen")

    def __init__(self, members: Mapping[str, Any], seen: Callable[[bytes, bool], None]) -> None:
        self._members = members
        self._seen = seen

    def feed(self, data: bytes) -> bytes:
        """Return the events with their response objects stamped."""
        if _MARK not in data:
            return data
        cutter = sse.Cutter()
        out = [self._stamped(*event) for event in cutter.feed(data)]
        out.append(cutter.close())
        return b"".join(out)

    def close(self) -> bytes:
        """Return nothing: nothing is held back."""
        return b""

    def _stamped(self, whole: bytes, name: bytes, data: bytes | None) -> bytes:
        if data is None or _MARK not in data:
            return whole
        try:
            event = _decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return whole
        if json.kind(event.response) != "object":
            return whole
        response = json.encode({**json.members(bytes(event.response)), **self._members})
        self._seen(response, event.type in _LAST)
        members = {**json.members(data), "response": Raw(response)}
        return sse.event(json.encode(members), name.decode() or None)
