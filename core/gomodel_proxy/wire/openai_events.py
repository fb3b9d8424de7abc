"""Streams of response events.

platform.openai.com/docs/api-reference/responses-streaming (2026-11): typed events, of which
``response.completed``, ``response.incomplete`` and ``response.failed`` end the stream and carry the
whole response. An ``error`` event has its members at its own level by that page, and in an
``error`` member as servers send it (github.com/openai/openai-dotnet/issues/881).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Raw

from . import json
from .openai_reply import created_response, find_usage
from .openai_stream import DONE, STRICT, StreamMeter

if TYPE_CHECKING:
    from gomodel_proxy.api import Usage

__all__ = ["EventMeter"]

_LAST = frozenset({"response.completed", "response.incomplete", "response.failed"})
_FAILED = b'"The response failed."'


class _Event(msgspec.Struct, gc=False):
    type: str | None = None
    response: Raw = json.NULL
    error: Any = None


_decode = msgspec.json.Decoder(_Event).decode


class EventMeter(StreamMeter):
    """Watches a stream of response events; only the last of them makes it complete."""

    __slots__ = ("_complete", "_last")

    def __init__(self) -> None:
        super().__init__()
        self._complete = False
        self._last: dict[str, Raw] = {}

    def usage(self) -> Usage | None:
        """Return the usage of the whole response."""
        return find_usage(self._last)

    def _take(self, name: bytes, data: bytes) -> bool:
        if data.startswith(DONE):
            return (
                self._complete
                or self.error is not None
                or self._break("The provider's stream ended without its last event")
            )
        try:
            event = _decode(data)
        except STRICT:
            if data.startswith(DONE):
                return self._end()
            loose = _read_loosely(data)
            if loose is None:
                return self._malformed(data)
            event = loose
        kind = event.type or name.decode("utf-8", "replace")
        if kind.endswith(".delta"):
            self.events += 1
        elif kind == "error" or (not kind and event.error):
            self._report(data)
        elif json.kind(event.response) == "object":
            self._note(kind, json.members(bytes(event.response)))
        return True

    def _end(self) -> bool:
        # Not part of these streams, but sent by some after the last event.
        if self._complete or self.error is not None:
            return True
        return self._break("The provider's stream ended without its last event")

    def _note(self, kind: str, response: dict[str, Raw]) -> None:
        if not self.created:
            self.created = created_response(response)
        if kind not in _LAST:
            return
        self._complete = True
        self._last = response
        if kind == "response.failed":
            error = response.get("error", json.NULL)
            self._report(bytes(error) if error != json.NULL else _FAILED)

    def _ending(self, framed: bool) -> tuple[bytes, bool]:
        return b"", self._complete


def _read_loosely(data: bytes) -> _Event | None:
    """Read an object that has members of unusual types, None if it is none."""
    try:
        event = json.members(data)
    except ValueError:
        return None
    kind = event.get("type", json.NULL)
    return _Event(
        type=json.loads(bytes(kind)) if json.kind(kind) == "string" else None,
        response=event.get("response", json.NULL),
        error=json.loads(bytes(event.get("error", json.NULL))),
    )
