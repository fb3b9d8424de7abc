"""Writes that are made together, at the end of the event loop's turn in which they came up.

A write wakes whoever waits for it, which takes the system longer than the write. While many
requests are under way, a turn of the loop reads from many connections; if what comes of that is
written in one go, the other side is woken once. With one request under way nothing changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

__all__ = ["Outbox", "Writer"]

_MOST: Final = 16  # writers that wait for each other: the first has waited long enough by then


class Writer(Protocol):
    """Somebody who has something to write."""

    def flush(self) -> None:
        """Write it; raises nothing, whatever has become of the connection."""


W = TypeVar("W", bound=Writer)


class Outbox(Generic[W]):
    """Those who wait for the end of the turn. Call `flush` before anything that must come after."""

    __slots__ = ("_loop", "_writers")

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._loop = loop
        self._writers: list[W] = []

    def put(self, writer: W) -> None:
        """Have a writer flushed, soon and after those that are waiting already."""
        writers = self._writers
        if not writers:
            self._loop.call_soon(self.flush)
        writers.append(writer)
        if len(writers) >= _MOST:
            self.flush()

    def flush(self) -> None:
        """Let all of them write now."""
        writers, self._writers = self._writers, []
        for writer in writers:
            writer.flush()
