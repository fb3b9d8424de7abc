"""The way out over aiohttp's client, for HTTP proxies and whatever else needs a real client."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import aiohttp
import structlog
from yarl import URL

from gomodel_proxy.api import UpstreamError, UpstreamTimeout, UpstreamUnreachable
from gomodel_proxy.wire.codings import Inflater, inflater
from gomodel_proxy.wire.heads import render_fields, render_head, split

from .transport import HttpConfig, explain

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from gomodel_proxy.api import Headers, Receiver, UpstreamRequest

__all__ = ["SessionConfig", "SessionTransport"]


class SessionConfig(HttpConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`HttpConfig`, and the HTTP proxy to go through.

    ``trust_env`` takes the proxy from ``HTTP_PROXY``, ``HTTPS_PROXY`` and ``NO_PROXY`` instead.
    """

    proxy: str | None = None
    trust_env: bool = False

    def __repr__(self) -> str:  # a proxy's URL may carry a password
        return f"SessionConfig(proxy={'***' if self.proxy else None}, trust_env={self.trust_env})"


class SessionTransport:
    """An `api.Transport` over one `aiohttp.ClientSession`; make it within a running event loop."""

    def __init__(
        self,
        settings: SessionConfig | None = None,
        *,
        tls: ssl.SSLContext | None = None,
        log: Any = None,
    ) -> None:
        self.settings = settings if settings is not None else SessionConfig()
        self.log = log if log is not None else structlog.get_logger(__name__)
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0, keepalive_timeout=self.settings.keepalive, ssl=tls if tls else True
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            # The waits for head and body are ours: aiohttp cannot tell them apart.
            timeout=aiohttp.ClientTimeout(total=None, connect=self.settings.connect_timeout),
            auto_decompress=False,  # ours is bounded, and its errors are those of `HttpTransport`
            skip_auto_headers=("Content-Type",),
            trust_env=self.settings.trust_env,
        )
        self.exchanges: set[SessionExchange] = set()

    def open(self, request: UpstreamRequest, receiver: Receiver) -> SessionExchange:
        """Start sending; what goes wrong goes to ``receiver``, never before this returns."""
        exchange = SessionExchange(self, request, receiver)
        self.exchanges.add(exchange)
        return exchange

    async def close(self) -> None:
        """Fail what is under way, close every connection."""
        for exchange in list(self.exchanges):
            exchange.fail(UpstreamUnreachable("the gateway is shutting down", status=503))
            exchange.task.cancel()
        await asyncio.gather(*(each.task for each in self.exchanges), return_exceptions=True)
        await self.session.close()


class SessionExchange:
    """An `api.Exchange`: a task that reads and calls back."""

    def __init__(
        self, transport: SessionTransport, request: UpstreamRequest, receiver: Receiver
    ) -> None:
        self._transport = transport
        self._settings = transport.settings
        self._request = request
        self._receiver: Receiver | None = receiver
        self._running = asyncio.Event()
        self._running.set()
        self._place = "the upstream"
        self.task = asyncio.get_running_loop().create_task(self._run())
        self.task.add_done_callback(self._done)

    def pause(self) -> None:
        """Stop reading until `resume`."""
        self._running.clear()

    def resume(self) -> None:
        """Read on."""
        self._running.set()

    def close(self) -> None:
        """Drop the request and its connection now; the receiver hears nothing more."""
        if self._receiver is not None:
            self._receiver = None
            self.task.cancel()

    def fail(self, error: UpstreamError) -> None:
        """Tell the receiver what went wrong."""
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            try:
                receiver.failed(error)
            except Exception:
                self._transport.log.exception("upstream.receiver_failed")

    def _done(self, task: asyncio.Task[None]) -> None:
        self._transport.exchanges.discard(self)

    async def _run(self) -> None:
        try:
            framed = await self._exchange()
        except UpstreamError as error:
            self.fail(error)
        except (OSError, aiohttp.ClientError) as error:
            self.fail(_explain(self._place, error))
        except Exception as error:  # aiohttp refuses some requests with plain built-ins
            reason = type(error).__name__
            self.fail(UpstreamUnreachable(f"the request could not be sent ({reason})"))
        else:
            self._end(framed)

    async def _exchange(self) -> bool:
        """Send, read and call back; return whether the answer's end was framed."""
        response = await self._open()
        try:
            if response.status < 200:
                answer = f"the upstream answered {response.status}, which nobody asked for"
                raise UpstreamError(answer)
            headers = _headers(response)
            has_body = self._request.method != "HEAD" and response.status not in (204, 304)
            coding = response.headers.get("content-encoding", "") if has_body else ""
            inflating = inflater(coding.lower())
            if self._receiver is not None:
                self._hand(self._receiver.head, response.status, headers)
            await self._read(response, inflating)
        except BaseException:
            response.close()
            raise
        response.release()
        framing = {name for name, _ in headers} & {"content-length", "transfer-encoding"}
        return bool(framing) or not has_body

    async def _open(self) -> aiohttp.ClientResponse:
        request = self._request
        address = split(request.url)
        self._place = f"{address.host}:{address.port}"
        render_head(request.method, address, request.headers)  # refuses what must not be sent
        render_fields(request.extra)
        headers = [*request.headers, *request.extra]
        given = {name.lower() for name, _ in headers}
        ours = (("User-Agent", "gomodel-proxy"), ("Accept-Encoding", "identity"))
        headers += [pair for pair in ours if pair[0].lower() not in given]
        try:
            async with asyncio.timeout(self._settings.first_byte_timeout) as wait:
                return await self._transport.session.request(
                    request.method,
                    URL(request.url, encoded=True),
                    headers=headers,
                    data=request.body or None,
                    allow_redirects=False,
                    proxy=self._settings.proxy,
                )
        except TimeoutError:
            if not wait.expired():
                raise
            limit = f"{self._settings.first_byte_timeout:g}s"
            raise UpstreamTimeout(f"{self._place} did not answer within {limit}") from None

    async def _read(self, response: aiohttp.ClientResponse, inflating: Inflater | None) -> None:
        """Pass the body on, piece by piece; only what the upstream lets wait counts as idle."""
        while True:
            await self._running.wait()
            try:
                async with asyncio.timeout(self._settings.idle_timeout):
                    data = await response.content.readany()
            except TimeoutError:
                if not self._running.is_set():
                    continue
                limit = f"{self._settings.idle_timeout:g}s"
                message = f"{self._place} sent nothing for {limit} within its answer"
                raise UpstreamTimeout(message) from None
            if inflating is None:
                await self._pass_on(data)
            else:
                inflating.push(data)
                while piece := inflating.pull():
                    await self._pass_on(piece)
            if not data:
                break
        if inflating is not None:
            inflating.finish()

    async def _pass_on(self, data: bytes) -> None:
        await self._running.wait()
        if data and self._receiver is not None:
            self._hand(self._receiver.data, data)

    def _hand(self, take: Callable[..., None], *args: object) -> None:
        try:
            take(*args)
        except Exception:
            self._transport.log.exception("upstream.receiver_failed")
            message = "the answer could not be processed"
            raise UpstreamError(message, status=500, kind="api_error") from None

    def _end(self, framed: bool) -> None:
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            try:
                receiver.end(framed)
            except Exception:
                self._transport.log.exception("upstream.receiver_failed")


def _headers(response: aiohttp.ClientResponse) -> Headers:
    return tuple(
        (name.decode("latin-1").lower(), value.decode("latin-1"))
        for name, value in response.raw_headers
    )


def _explain(place: str, error: OSError | aiohttp.ClientError) -> UpstreamError:
    """Say what went wrong, without aiohttp's texts: they may repeat what was sent."""
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return UpstreamUnreachable(f"could not connect to {place} in time")
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return UpstreamUnreachable(f"the proxy answered {error.status} for {place}")
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        return explain("the proxy", error.os_error)
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return explain(place, error.certificate_error)
    if isinstance(error, aiohttp.ClientConnectorError):
        return explain(place, error.os_error)
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return UpstreamError(f"{place} closed the connection without an answer")
    if isinstance(error, aiohttp.ClientPayloadError):
        return UpstreamError(
            f"the answer of {place} is broken: it was cut short or wrongly encoded"
        )
    if isinstance(error, aiohttp.ClientResponseError):
        return UpstreamError(f"the answer of {place} is not HTTP/1.1")
    return UpstreamError(f"the connection to {place} broke ({type(error).__name__})")
