"""The gateway's own way out: which connection is used, what is sent again, how long it waits."""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gomodel_proxy.api import (
    UpstreamError,
    UpstreamRequest,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from gomodel_proxy.http.connection import Connection
from gomodel_proxy.http.transport import HttpConfig, HttpTransport, explain
from gomodel_proxy.testing.scripted import Heard, Peer, Upstream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from gomodel_proxy.api import Exchange

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
ENDLESS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"
PAUSED = 100_000  # bytes that come during a pause, less than the TLS layer takes in advance
HUGE = bytes(32 << 20)  # more than any socket takes at once
CERTIFICATE = Path(__file__).parent / "data" / "localhost.pem"


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    upstream = Upstream()
    yield upstream
    upstream.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def way(clock: Clock) -> AsyncIterator[HttpTransport]:
    way = HttpTransport(HttpConfig(), clock=clock)
    yield way
    await way.close()
    assert not way.exchanges
    assert asyncio.all_tasks() == {asyncio.current_task()}


def ask(way: HttpTransport, upstream: Upstream, body: bytes = b"{}") -> Heard:
    heard = Heard()
    way.open(UpstreamRequest(method="POST", url=upstream.url, body=body), heard)
    return heard


async def used(way: HttpTransport, upstream: Upstream) -> Peer:
    """Return a connection that has carried an exchange and is idle."""
    heard = ask(way, upstream)
    peer = await upstream.answer(OK)
    await heard.over()
    return peer


# ---------------------------------------------------------------- the pool


async def test_the_connection_used_last_is_used_next(
    way: HttpTransport, upstream: Upstream
) -> None:
    one, two = ask(way, upstream), ask(way, upstream)
    first, second = await upstream.accept(), await upstream.accept()
    for peer in (first, second):
        await peer.request()
    ends = [asyncio.create_task(heard.over()) for heard in (one, two)]
    await first.send(OK)
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    await second.send(OK)
    await asyncio.gather(*ends)
    third = ask(way, upstream)
    await second.request()
    await second.send(OK)
    await third.over()
    assert not upstream.is_called()


async def test_the_connection_is_free_before_the_end_is_told(
    way: HttpTransport, upstream: Upstream
) -> None:
    again = Heard()

    class Eager(Heard):
        def end(self, framed: bool) -> None:
            super().end(framed)
            way.open(UpstreamRequest(method="POST", url=upstream.url), again)

    way.open(UpstreamRequest(method="POST", url=upstream.url), Eager())
    peer = await upstream.answer(OK)
    await peer.request()
    await peer.send(OK)
    await again.over()
    assert not upstream.is_called()


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        OK + b"surplus",
        b"HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 2\r\n\r\nok",
    ],
)
async def test_a_connection_that_cannot_be_used_again_is_closed(
    way: HttpTransport, upstream: Upstream, answer: bytes
) -> None:
    heard = ask(way, upstream)
    peer = await upstream.answer(answer)
    await heard.over()
    assert (bytes(heard.body), heard.framed) == (b"ok", True)
    await peer.gone()


async def test_bytes_on_an_idle_connection_close_it(way: HttpTransport, upstream: Upstream) -> None:
    peer = await used(way, upstream)
    await peer.send(b"HTTP/1.1 408 Request Timeout\r\n\r\n")
    await peer.gone()


@pytest.mark.parametrize("farewell", ["close", "reset", "bytes"])
async def test_an_idle_connection_with_news_is_not_used(
    way: HttpTransport, upstream: Upstream, farewell: str
) -> None:
    peer = await used(way, upstream)
    if farewell == "bytes":
        await peer.send(b"HTTP/1.1 408 Request Timeout\r\n\r\n")
    else:
        getattr(peer, farewell)()
    heard = ask(way, upstream)  # before the event loop has seen anything
    await upstream.answer(OK)
    await heard.over()
    assert bytes(heard.body) == b"ok"


async def test_idle_connections_are_closed_in_time(
    way: HttpTransport, upstream: Upstream, clock: Clock
) -> None:
    peer = await used(way, upstream)
    clock.now += 59
    way.sweep()
    heard = ask(way, upstream)
    await peer.request()
    await peer.send(OK)
    await heard.over()
    clock.now += 60
    way.sweep()
    await peer.gone()


async def test_the_server_may_ask_for_less(
    way: HttpTransport, upstream: Upstream, clock: Clock
) -> None:
    heard = ask(way, upstream)
    peer = await upstream.answer(OK.replace(b"\r\n\r\n", b"\r\nKeep-Alive: timeout=5\r\n\r\n"))
    await heard.over()
    clock.now += 4
    way.sweep()
    await peer.gone()


# ---------------------------------------------------------------- sending again


async def test_what_was_sent_is_not_sent_again(way: HttpTransport, upstream: Upstream) -> None:
    peer = await used(way, upstream)
    heard = ask(way, upstream)
    await peer.request()
    peer.close()
    error = await heard.failure()
    assert type(error) is UpstreamError
    assert error.message == f"127.0.0.1:{upstream.port} closed the connection without an answer"
    assert not upstream.is_called()


async def test_what_a_reused_connection_did_not_take_is_sent_again(
    way: HttpTransport, upstream: Upstream
) -> None:
    peer = await used(way, upstream)
    heard = ask(way, upstream, HUGE)
    await peer.read()
    peer.reset()
    fresh = await upstream.accept()
    assert len(await fresh.request()) > len(HUGE)
    await fresh.send(OK)
    await heard.over()
    assert bytes(heard.body) == b"ok"


async def test_it_is_sent_again_only_once(way: HttpTransport, upstream: Upstream) -> None:
    peer = await used(way, upstream)
    heard = ask(way, upstream, HUGE)
    await peer.read()
    peer.reset()
    fresh = await upstream.accept()
    await fresh.read()
    fresh.reset()
    assert isinstance(await heard.failure(), UpstreamUnreachable)
    assert not upstream.is_called()


async def test_a_fresh_connection_that_breaks_while_sending_is_unreachable(
    way: HttpTransport, upstream: Upstream
) -> None:
    heard = ask(way, upstream, HUGE)
    peer = await upstream.accept()
    await peer.read()
    peer.reset()
    assert isinstance(await heard.failure(), UpstreamUnreachable)
    assert not upstream.is_called()


async def test_an_answer_that_comes_while_sending_is_delivered(
    way: HttpTransport, upstream: Upstream
) -> None:
    heard = ask(way, upstream, HUGE)
    peer = await upstream.accept()
    await peer.read()
    await peer.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
    peer.close()  # with bytes unread, so that a reset follows
    await heard.over()
    assert (heard.error, heard.status, bytes(heard.body)) == (None, 413, b"no")


async def test_a_connection_is_not_used_again_before_all_was_sent(
    way: HttpTransport, upstream: Upstream
) -> None:
    heard = ask(way, upstream, HUGE)
    peer = await upstream.accept()
    await peer.read()
    await peer.send(OK)
    await heard.over()
    await peer.gone()


async def test_a_reset_is_no_end_even_where_closing_would_be(
    way: HttpTransport, upstream: Upstream
) -> None:
    heard = ask(way, upstream)
    peer = await upstream.answer(b"HTTP/1.1 200 OK\r\n\r\nok")
    await heard.until(lambda: heard.body == b"ok")
    peer.reset()
    assert type(await heard.failure()) is UpstreamError


# ---------------------------------------------------------------- waits


async def test_connecting_has_its_time(
    way: HttpTransport, upstream: Upstream, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*args: Any, **kwargs: Any) -> Any:
        await asyncio.get_running_loop().create_future()

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", never)
    heard = ask(way, upstream)
    clock.now += 10
    way.sweep()
    assert heard.calls == []
    clock.now += 0.1
    way.sweep()
    error = await heard.failure()
    assert isinstance(error, UpstreamUnreachable)
    assert error.message == f"could not connect to 127.0.0.1:{upstream.port} within 10s"


async def test_the_first_byte_has_its_time_whatever_comes_before(
    way: HttpTransport, upstream: Upstream, clock: Clock
) -> None:
    heard = ask(way, upstream)
    peer = await upstream.answer(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200")
    clock.now += 601
    way.sweep()
    assert isinstance(await heard.failure(), UpstreamTimeout)
    await peer.gone()


async def test_each_silence_has_its_time(
    way: HttpTransport, upstream: Upstream, clock: Clock
) -> None:
    heard = ask(way, upstream)
    peer = await upstream.answer(ENDLESS)
    await heard.until(lambda: heard.body == b"ok")
    for count in (2, 3):
        clock.now += 299
        way.sweep()
        await peer.send(b"2\r\nok\r\n")
        await heard.until(lambda count=count: heard.body == b"ok" * count)
    clock.now += 301
    way.sweep()
    assert isinstance(await heard.failure(), UpstreamTimeout)
    await peer.gone()


async def test_a_pause_is_no_silence(way: HttpTransport, upstream: Upstream, clock: Clock) -> None:
    heard = Heard()
    exchange = way.open(UpstreamRequest(method="POST", url=upstream.url), heard)
    await upstream.answer(ENDLESS)
    await heard.until(lambda: heard.body == b"ok")
    exchange.pause()
    clock.now += 10_000
    way.sweep()
    exchange.resume()
    clock.now += 299
    way.sweep()
    assert heard.calls == ["head", "data"]
    clock.now += 2
    way.sweep()
    assert isinstance(await heard.failure(), UpstreamTimeout)


async def test_the_sweep_runs_by_itself_and_rests_when_there_is_nothing_to_do(
    way: HttpTransport, upstream: Upstream, clock: Clock
) -> None:
    heard = ask(way, upstream)
    await (await upstream.accept()).request()
    clock.now += 601
    assert isinstance(await heard.failure(), UpstreamTimeout)
    async with asyncio.timeout(5):
        while way._timer is not None:  # noqa: ASYNC110  # nothing tells
            await asyncio.sleep(0)


# ---------------------------------------------------------------- TLS, reasons


@pytest.fixture
async def secure() -> AsyncIterator[int]:
    """The port of a server that answers over TLS."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split()[0]))
                writer.write(OK)
        except asyncio.IncompleteReadError:
            writer.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()


async def test_tls_connections_are_used_again(secure: int) -> None:
    way = HttpTransport(tls=ssl.create_default_context(cafile=str(CERTIFICATE)))
    for body in (b"{}", HUGE, b"{}"):
        heard = Heard()
        url = f"https://localhost:{secure}/"
        way.open(UpstreamRequest(method="POST", url=url, body=body), heard)
        await heard.over()
        assert (heard.error, bytes(heard.body)) == (None, b"ok")
    assert sum(len(origin.connections) for origin in way._origins.values()) == 1
    await way.close()


class Secured:
    """The upstream's end of a TLS connection, sent over byte by byte."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)

    async def shake(self) -> None:
        """Shake hands."""
        await self._step(self._tls.do_handshake)

    async def greet(self) -> None:
        """Shake hands and read the request."""
        await self.shake()
        await self._step(self._tls.read)

    async def send(self, data: bytes) -> None:
        """Encrypt and send."""
        self._tls.write(data)
        await self._flush()

    async def finish(self) -> None:
        """Say that nothing more comes."""
        with suppress(ssl.SSLWantReadError):
            self._tls.unwrap()
        await self._flush()

    async def _step(self, step: Callable[[], object]) -> None:
        while True:
            try:
                step()
            except ssl.SSLWantReadError:
                await self._flush()
                self._incoming.write(await self.peer.read())
            else:
                break
        await self._flush()

    async def _flush(self) -> None:
        await self.peer.send(self._outgoing.read())


@pytest.fixture
async def safe_way() -> AsyncIterator[HttpTransport]:
    way = HttpTransport(tls=ssl.create_default_context(cafile=str(CERTIFICATE)))
    yield way
    await way.close()


async def ask_safely(
    way: HttpTransport, upstream: Upstream, heard: Heard
) -> tuple[Heard, Exchange, Secured]:
    url = f"https://localhost:{upstream.port}/"
    exchange = way.open(UpstreamRequest(method="POST", url=url), heard)
    if isinstance(heard, Pausing):
        heard.exchange = exchange
    peer = Secured(await upstream.accept())
    await peer.greet()
    return heard, exchange, peer


class Pausing(Heard):
    """A receiver that pauses its ``exchange`` as soon as data comes."""

    exchange: Exchange

    def data(self, data: bytes) -> None:
        if not self.body:
            self.exchange.pause()
        super().data(data)


@pytest.mark.parametrize("kind", [Heard, Pausing])
@pytest.mark.parametrize("notified", [True, False])
@pytest.mark.parametrize("framing", [f"Content-Length: {PAUSED}", "Connection: close"])
async def test_what_came_before_a_goodbye_outlasts_a_pause(
    safe_way: HttpTransport, upstream: Upstream, framing: str, notified: bool, kind: type[Heard]
) -> None:
    heard, exchange, peer = await ask_safely(safe_way, upstream, kind())
    await peer.send(f"HTTP/1.1 200 OK\r\n{framing}\r\n\r\n".encode() + b"o")
    await heard.until(lambda: heard.body == b"o")
    exchange.pause()  # one that has paused by itself stays paused
    await peer.send(bytes(PAUSED - 1))
    if notified:
        await peer.finish()
    peer.peer.close()
    for _ in range(20):  # turns in which it could be seen, and lost
        await asyncio.sleep(0)
    assert len(heard.body) == 1
    exchange.resume()
    await heard.over()
    assert (heard.error, len(heard.body)) == (None, PAUSED)


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_connection_is_not_kept_by_one_who_left_as_it_was_made(
    safe_way: HttpTransport, upstream: Upstream, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Connection.connection_made

    def make_and_leave(self: Connection, transport: asyncio.BaseTransport) -> None:
        made(self, transport)
        exchange.close()

    monkeypatch.setattr(Connection, "connection_made", make_and_leave)
    url = f"{scheme}://localhost:{upstream.port}/"
    exchange = safe_way.open(UpstreamRequest(method="POST", url=url), Heard())
    peer = await upstream.accept()
    if scheme == "https":
        await Secured(peer).shake()
    await peer.gone()
    assert not any(origin.connections for origin in safe_way._origins.values())


@pytest.mark.parametrize("notified", [True, False])
async def test_a_goodbye_without_an_answer_is_not_sent_again(
    safe_way: HttpTransport, upstream: Upstream, notified: bool
) -> None:
    heard, _, peer = await ask_safely(safe_way, upstream, Heard())
    await peer.send(OK)
    await heard.over()
    again = Heard()
    url = f"https://localhost:{upstream.port}/"
    safe_way.open(UpstreamRequest(method="POST", url=url), again)
    await peer.peer.read()
    if notified:
        await peer.finish()
    peer.peer.close()
    assert (await again.failure()).message.endswith("closed the connection without an answer")
    assert not upstream.is_called()


async def test_a_certificate_that_is_not_trusted_is_named(secure: int) -> None:
    way = HttpTransport()
    heard = Heard()
    way.open(UpstreamRequest(method="POST", url=f"https://127.0.0.1:{secure}/"), heard)
    error = await heard.failure()
    assert isinstance(error, UpstreamUnreachable)
    assert "certificate" in error.message
    await way.close()


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (socket.gaierror(-2, "Name or service not known"), "its name could not be resolved"),
        (ConnectionRefusedError(111, "x"), "connection refused"),
        (OSError(113, "Connect call failed"), "No route to host"),
        (OSError("Multiple exceptions: x"), "Multiple exceptions: x"),
        (UnicodeError("canary"), "UnicodeError"),
    ],
)
def test_the_reason_is_told(error: Exception, reason: str) -> None:
    assert explain("host:1", error).message == f"could not connect to host:1: {reason}"


async def test_heads_are_forgotten_before_they_are_too_many(way: HttpTransport) -> None:
    for number in range(3000):
        url = f"http://127.0.0.1:9/{number}"
        way.open(UpstreamRequest(method="POST", url=url), Heard()).close()
    assert len(way._heads) <= 1024
    assert len(way._origins) == 1
