"""The transport: the sandbox inside this process, for gateways without a network."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from gomodel_proxy.api import UpstreamError, UpstreamUnreachable

from .delivery import Delivery
from .player import Player
from .replies import Request
from .sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gomodel_proxy.api import Exchange, Receiver, Runtime, UpstreamRequest

    from .replies import Reply

__all__ = ["SandboxTransport", "TransportConfig", "open_transport"]


class TransportConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[transports.<name>]`` of type ``sandbox`` has no settings."""

    type: str = "sandbox"


class SandboxTransport:
    """Answers requests without sending them anywhere."""

    def __init__(self) -> None:
        self._sandbox = Sandbox()

    def open(self, request: UpstreamRequest, receiver: Receiver) -> Exchange:
        """Start answering in the next turn of the loop."""
        return _Exchange(self._sandbox, request, receiver)


class _Exchange:
    """One request and its answer."""

    def __init__(self, sandbox: Sandbox, request: UpstreamRequest, receiver: Receiver) -> None:
        self._loop = asyncio.get_running_loop()
        self._sandbox = sandbox
        self._request = request
        self._receiver = receiver
        self._player: Player | None = None
        self._paused = False
        self._closed = False
        self._timer: asyncio.Handle = self._loop.call_soon(self._start)

    def pause(self) -> None:
        self._paused = True
        if self._player is not None:
            self._player.pause()

    def resume(self) -> None:
        self._paused = False
        if self._player is not None:
            self._player.resume()

    def close(self) -> None:
        self._closed = True
        self._timer.cancel()
        if self._player is not None:
            self._player.stop()

    def _start(self) -> None:
        reply = self._sandbox.answer(_request(self._request))
        if reply.faults.hang:
            return
        if failure := _failure(reply):
            self._receiver.failed(failure)
        elif reply.streamed or not reply.faults.first:
            self._answer(reply)
        else:  # a whole reply is slow from its head on
            self._timer = self._loop.call_later(reply.faults.first, self._answer, reply)

    def _answer(self, reply: Reply) -> None:
        self._receiver.head(reply.status, reply.headers)
        if self._closed:
            return
        delivery = Delivery(reply)
        self._player = Player(
            self._loop, delivery, self._receiver.data, lambda: self._end(delivery)
        )
        if self._paused:
            self._player.pause()

    def _end(self, delivery: Delivery) -> None:
        if delivery.framed:
            self._receiver.end(framed=True)
        else:
            self._receiver.failed(UpstreamError("the sandbox cut the reply"))


def _request(request: UpstreamRequest) -> Request:
    headers = {name.lower(): value for name, value in (*request.headers, *request.extra)}
    return Request(request.method, urlsplit(request.url).path, headers, request.body)


def _failure(reply: Reply) -> UpstreamError | None:
    """Return what HTTP would make of faults that leave no body to read."""
    faults = reply.faults
    if faults.refuse:
        return UpstreamUnreachable("the sandbox refused the connection")
    if faults.garbage:
        return UpstreamError("the sandbox did not answer in HTTP")
    if faults.badgzip:
        return UpstreamError("the sandbox sent a broken gzip body")
    if faults.wronglength:
        return UpstreamError("the sandbox sent less than its Content-Length")
    return None


@asynccontextmanager
async def open_transport(
    config: TransportConfig, runtime: Runtime
) -> AsyncIterator[SandboxTransport]:
    """Open the transport; there is nothing to close."""
    yield SandboxTransport()
