"""Server-sent events, cut from bytes as they arrive.

The format: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
(WHATWG, living standard, 2026-11). An event ends with a blank line; a line with CR, LF or CRLF.
An event here is its own bytes, blank line included: what is passed on is what came.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["Cutter", "Event", "event", "is_noise", "parse"]

Event = tuple[bytes, bytes, bytes | None]
"""One event: its own bytes, its name (empty if it has none), its data (None if it has none)."""

# Possessive, so that CRLF is never taken for two line ends.
_EVENT_END: Final = re.compile(rb"(?:\r\n?+|\n)(?:\r\n?+|\n)")
_LF: Final = 10  # a byte is looked up several times faster by its number
_CR: Final = 13
_BOM: Final = b"\xef\xbb\xbf"
_FIELDS: Final = (b"data", b"event", b"id", b"retry")


class Cutter:
    """Cuts one stream into events; their bytes and `rest`, joined, are exactly what was fed."""

    __slots__ = ("_held", "pending")

    def __init__(self) -> None:
        self._held: list[bytes] = []
        self.pending = 0
        """Bytes held back because their event is not complete."""

    def feed(self, data: bytes) -> list[Event]:
        """Return the events that ``data`` completes."""
        if not self._held:
            # By far the commonest read: one event of one line of data, with a name or without.
            lines = data.split(b"\n")
            if not lines[-1] and len(lines) <= 4 and _CR not in data:
                line = lines[0]
                if len(lines) == 3 and not lines[1] and line.startswith(b"data: "):
                    return [(data, b"", line[6:])]
                if (
                    len(lines) == 4
                    and not lines[2]
                    and line.startswith(b"event: ")
                    and lines[1].startswith(b"data: ")
                ):
                    return [(data, line[7:], lines[1][6:])]
        elif _LF in data or _CR in data or self._held[-1].endswith(b"\r"):
            self._held.append(data)
            data = b"".join(self._held)
        else:
            # No line ends here, so no event does: a long event is joined only once.
            self._held.append(data)
            self.pending += len(data)
            return []
        events, rest = _cut_any(data) if _CR in data else _cut(data)
        self._held = [rest] if rest else []
        self.pending = len(rest)
        return events

    def close(self) -> bytes:
        """Return the unfinished event with the blank line it lacks; empty if there is none."""
        rest = b"".join(self._held)
        self._held = []
        self.pending = 0
        if not rest.strip(b"\r\n"):
            return b""
        if rest.endswith(b"\r\r"):
            return rest  # complete, and only held back in case a line feed followed
        return rest + (b"\n" if rest.endswith((b"\n", b"\n\r")) else b"\n\n")


def _cut(data: bytes) -> tuple[list[Event], bytes]:
    """Cut at line feeds: the two forms of event that vendors send at once, others by `parse`."""
    pieces = data.split(b"\n\n")
    rest = pieces.pop()
    events: list[Event] = []
    for piece in pieces:
        whole = piece + b"\n\n"
        if piece.startswith(b"data: ") and _LF not in piece:
            events.append((whole, b"", piece[6:]))
            continue
        if piece.startswith(b"event: "):
            name, _, line = piece.partition(b"\n")
            if line.startswith(b"data: ") and _LF not in line:
                events.append((whole, name[7:], line[6:]))
                continue
        events.append(parse(whole))
    return events, rest


def _cut_any(data: bytes) -> tuple[list[Event], bytes]:
    """Cut at any line ends."""
    events = []
    start = 0
    for match in _EVENT_END.finditer(data):
        end = match.end()
        if end == len(data) and data.endswith(b"\r"):
            break  # a line feed that belongs to this end may follow
        events.append(parse(data[start:end]))
        start = end
    return events, data[start:]


def parse(event: bytes) -> Event:
    """Read one event's bytes."""
    name = b""
    data = []
    for line in event.removeprefix(_BOM).splitlines():
        field, _, value = line.partition(b":")
        if field == b"data":
            data.append(value.removeprefix(b" "))
        elif field == b"event":
            name = value.removeprefix(b" ")
    return event, name, b"\n".join(data) if data else None


def is_noise(event: bytes) -> bool:
    """Return whether an event without data is one that streams may have: comments, ids, names.

    What is left is no event stream at all, such as a page of HTML.
    """
    return all(
        not line or line.startswith(b":") or line.partition(b":")[0] in _FIELDS
        for line in event.removeprefix(_BOM).splitlines()
    )


def event(data: bytes, name: str | None = None) -> bytes:
    """Return an event of one line of data."""
    if name is None:
        return b"data: %b\n\n" % data
    return b"event: %b\ndata: %b\n\n" % (name.encode(), data)
