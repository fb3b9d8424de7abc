"""Whole replies: a receiver that collects one, bounded, and what becomes of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gomodel_proxy.api import UpstreamError, UpstreamTimeout

from .run import Signal

if TYPE_CHECKING:
    from gomodel_proxy.api import Exchange, Headers, Transport, UpstreamRequest

    from .account import Account

__all__ = ["Answer", "Whole", "check", "fetch"]


class Answer:
    """A whole reply, ready for the caller. A streamed one has gone already."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: Headers, body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body


class Whole:
    """Collects one reply. Await ``done``; then status, headers and body are there."""

    __slots__ = ("_limit", "_pieces", "_size", "body", "done", "exchange", "headers", "status")

    def __init__(self, limit: int) -> None:
        self.done = Signal()
        self.exchange: Exchange | None = None
        self.status = 0
        self.headers: Headers = ()
        self.body = b""
        self._limit = limit
        self._size = 0
        self._pieces: list[bytes] = []

    def head(self, status: int, headers: Headers) -> None:
        """Take the status and headers."""
        self.status = status
        self.headers = headers

    def data(self, data: bytes) -> None:
        """Take a piece, unless the reply has grown too long."""
        self._size += len(data)
        if self._size > self._limit:
            self._give_up()
        elif not self.done.over:
            self._pieces.append(data)

    def _give_up(self) -> None:
        self._pieces.clear()
        if self.exchange is not None:
            self.exchange.close()
        self.failed(
            UpstreamError(
                f"The provider's reply is longer than {self._limit} bytes (upstream.reply_limit).",
                code="reply_too_large",
            )
        )

    def end(self, framed: bool) -> None:
        """Finish; an unframed body is judged by whether it makes sense."""
        if not self.done.over:
            pieces = self._pieces
            self.body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
            self.done.set()

    def failed(self, error: UpstreamError) -> None:
        """Finish with an error."""
        self.done.set(error)


def check(account: Account, status: int, headers: Headers, body: bytes) -> None:
    """Raise `UpstreamError` for a status that no reply has."""
    if status >= 400:
        raise account.failure(status, headers, body)
    if not 200 <= status < 300:
        raise UpstreamError(
            f"The provider answered with status {status}, which is no reply.",
            code="unexpected_status",
        )


async def fetch(
    transport: Transport, request: UpstreamRequest, *, limit: int, within: float
) -> Whole:
    """Send and return the whole reply, whatever its status; raises `UpstreamError`.

    Cancelling drops the upstream connection. ``within`` is in seconds, for the whole exchange.
    """
    receiver = Whole(limit)
    exchange = receiver.exchange = transport.open(request, receiver)
    try:
        async with asyncio.timeout(within):
            await receiver.done
    except TimeoutError:
        exchange.close()
        raise UpstreamTimeout(f"The provider did not answer within {within:g} s.") from None
    except asyncio.CancelledError:
        exchange.close()
        raise
    return receiver
