"""The player: hands out timed pieces by the loop's clock, and waits while it is paused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterable

__all__ = ["Player"]

_AT_ONCE: Final = 32  # pieces per turn of the loop; others want their turn, too


class Player:
    """Plays pieces once: ``write`` gets each when its time has come, ``done`` is called last.

    Times add up from the start, so a slow loop does not slow the rate down. A pause does:
    what fell due meanwhile goes out on `resume`.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        pieces: Iterable[tuple[float, bytes]],
        write: Callable[[bytes], None],
        done: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._pieces = iter(pieces)
        self._write = write
        self._done = done
        self._due = loop.time()
        self._next: bytes | None = None
        self._handle: asyncio.Handle | None = loop.call_soon(self._turn)
        self._paused = False
        self._over = False

    def pause(self) -> None:
        """Hold everything back until `resume`."""
        self._paused = True
        self._cancel()

    def resume(self) -> None:
        """Go on; harmless if it never stopped."""
        if self._paused and not self._over:
            self._handle = self._loop.call_soon(self._turn)
        self._paused = False

    def stop(self) -> None:
        """Play nothing more; ``done`` is not called."""
        self._over = True
        self._cancel()

    def _cancel(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _turn(self) -> None:
        self._handle = None
        for _ in range(_AT_ONCE):
            if self._next is None and not self._fetch():
                self._over = True
                self._done()
                return
            if self._due > self._loop.time():
                self._handle = self._loop.call_at(self._due, self._turn)
                return
            data, self._next = self._next or b"", None
            self._write(data)
            if self._paused or self._over or self._handle:  # by what `write` led to
                return
        self._handle = self._loop.call_soon(self._turn)

    def _fetch(self) -> bool:
        for wait, data in self._pieces:
            self._due += wait
            self._next = data
            return True
        return False
