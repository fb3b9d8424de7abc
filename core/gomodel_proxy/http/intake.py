"""Pausing and resuming what comes in, over TLS too."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Intake"]


class Intake:
    """The reading side of a transport.

    A TLS transport that is paused reads on, into a buffer of its own. What is there when the other
    side leaves is lost under uvloop, so the socket is held too: what it keeps, nobody drops, and
    the goodbye behind it is not seen before the rest has been read.
    """

    __slots__ = ("_held", "_limit", "_transport", "paused")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        # TLS transports alone have this; at a limit of 0 the socket is not read.
        self._limit: Callable[..., Any] | None = getattr(transport, "set_read_buffer_limits", None)
        self._held = False
        self.paused = False

    def pause(self) -> None:
        """Read no more until `resume`."""
        self.paused = True
        self._transport.pause_reading()
        if self._limit is not None:
            # Within data_received it is too soon: TLS looks at its limits afterwards, and one that
            # is reached and undercut at once would let it read on.
            asyncio.get_running_loop().call_soon(self._hold)

    def resume(self) -> None:
        """Read on."""
        if not self.paused:
            return
        self.paused = False
        self._transport.resume_reading()
        if self._held:
            self._held = False
            if self._limit is not None and not self._transport.is_closing():
                self._limit()

    def _hold(self) -> None:
        if self.paused and not self._held and not self._transport.is_closing():
            assert self._limit is not None  # noqa: S101
            self._held = True
            self._limit(0)
