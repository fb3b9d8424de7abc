"""Delivery: when each piece of a body goes out, and whether all of them do."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .replies import Reply

__all__ = ["Delivery"]


class Delivery:
    """The pieces of one reply's body, each with the seconds to wait before it.

    ``whole`` tells afterwards whether everything went out; ``framed`` whether the body is to
    end as HTTP demands.
    """

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self.whole = True
        self.framed = True

    def __iter__(self) -> Iterator[tuple[float, bytes]]:
        faults = self._reply.faults
        pieces = self._timed()
        if faults.chunk is not None:
            pieces = _rechunked(pieces, faults.chunk)
        for limit, framed in ((faults.cut, False), (faults.cutframed, True)):
            if limit is not None:
                pieces = self._cut(pieces, limit, framed)
        return pieces

    def _timed(self) -> Iterator[tuple[float, bytes]]:
        faults = self._reply.faults
        wait = faults.first
        for event in self._reply.body:
            yield wait, event
            wait = faults.pause

    def _cut(
        self, pieces: Iterable[tuple[float, bytes]], limit: int, framed: bool
    ) -> Iterator[tuple[float, bytes]]:
        """Stop once ``limit`` bytes are out, even if they are all there are."""
        left = limit
        for wait, data in pieces:
            if len(data) >= left:
                self.framed = framed
                self.whole = False
                if left:
                    yield wait, data[:left]
                return
            left -= len(data)
            yield wait, data


def _rechunked(pieces: Iterable[tuple[float, bytes]], size: int) -> Iterator[tuple[float, bytes]]:
    """Return the same bytes in pieces of ``size``, each no sooner than its last byte."""
    held = bytearray()
    waited = 0.0
    for wait, data in pieces:
        waited += wait
        held += data
        for start in range(0, len(held) - size + 1, size):
            yield waited, bytes(held[start : start + size])
            waited = 0.0
        del held[: len(held) // size * size]
    if held:
        yield waited, bytes(held)
