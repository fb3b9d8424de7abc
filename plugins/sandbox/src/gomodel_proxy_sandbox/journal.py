"""The journal: which requests came, what was reported for them, and how they ended."""

from __future__ import annotations

import os
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

if TYPE_CHECKING:
    from .replies import Request

__all__ = ["Entry", "Journal"]

_KEPT: Final = 200_000
_MASKED: Final = ("authorization", "x-api-key", "cookie")

State = Literal["accepted", "answered", "disconnected"]


class Entry(msgspec.Struct, kw_only=True):
    """One request. Times are monotonic nanoseconds; ``usage`` is what a whole reply reported."""

    id: int
    method: str
    path: str
    model: str | None
    request_id: str | None
    headers: dict[str, str]
    body: str | None
    state: State = "accepted"
    usage: dict[str, Any] | None = None
    accepted_ns: int
    ended_ns: int | None = None


class _Accepted(msgspec.Struct, tag_field="event", tag="accepted"):
    id: int
    method: str
    path: str
    model: str | None
    request_id: str | None
    headers: dict[str, str]
    body: str | None
    accepted_ns: int


class _Finished(msgspec.Struct, tag_field="event", tag="finished"):
    id: int
    request_id: str | None
    state: State
    usage: dict[str, Any] | None
    ended_ns: int | None


class Journal:
    """Keeps the last requests in memory, and all of them in a file if there is one.

    A line is in the file before the request is answered, so that killing anybody loses none.
    """

    def __init__(self, path: str | None = None) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        self._file = None if path is None else os.open(path, flags, 0o600)
        self._last = 0
        self.reset()

    def reset(self) -> None:
        """Forget what is in memory; the file stays as it is."""
        self._entries: deque[Entry] = deque(maxlen=_KEPT)
        self.totals = {"accepted": 0, "answered": 0, "disconnected": 0}

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    @property
    def entries(self) -> list[Entry]:
        """The requests, oldest first."""
        return list(self._entries)

    def accept(self, request: Request) -> Entry:
        """Enter a request that has come in full."""
        self._last += 1
        entry = Entry(
            id=self._last,
            method=request.method,
            path=request.path,
            model=_model(request.body),
            request_id=request.headers.get("x-request-id"),
            headers={name: _shown(name, value) for name, value in request.headers.items()},
            body=None if self._file is None else request.body.decode(errors="replace"),
            accepted_ns=time.monotonic_ns(),
        )
        self._entries.append(entry)
        self.totals["accepted"] += 1
        self._line(msgspec.convert(entry, _Accepted, from_attributes=True))
        return entry

    def finish(self, entry: Entry, state: State, usage: dict[str, Any] | None) -> None:
        """Enter how a request ended; only the first end counts."""
        if entry.state != "accepted":
            return
        entry.state = state
        entry.usage = usage
        entry.ended_ns = time.monotonic_ns()
        self.totals[state] += 1
        self._line(msgspec.convert(entry, _Finished, from_attributes=True))

    def _line(self, line: _Accepted | _Finished) -> None:
        if self._file is not None:
            os.write(self._file, msgspec.json.encode(line) + b"\n")


def _model(body: bytes) -> str | None:
    try:
        return msgspec.json.decode(body, type=_Named).model
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


class _Named(msgspec.Struct):
    model: str | None = None


def _shown(name: str, value: str) -> str:
    if name not in _MASKED:
        return value
    scheme, blank, _ = value.partition(" ")
    return f"{scheme} ***" if blank else "***"
