"""Fetches assets from the web, and from nowhere else.

A host is resolved once, all of its addresses are checked, and the connection goes to one of these
very addresses: a second look-up could say something else. Redirects are checked as the first URL
is. Nothing of the caller's goes along.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

from gomodel_proxy.api import UpstreamError, UpstreamRequest
from gomodel_proxy.engine.assets import Asset, AssetRefused, TooLarge
from gomodel_proxy.engine.replies import fetch
from gomodel_proxy.wire.heads import split
from gomodel_proxy.wire.later import later

from .dialing import reach, resolve
from .transport import HttpConfig, HttpTransport

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable, Sequence

    from gomodel_proxy.config.settings import Assets
    from gomodel_proxy.engine.replies import Whole
    from gomodel_proxy.wire import public_hosts
    from gomodel_proxy.wire.heads import Address

    from .dialing import Info
else:
    (public_hosts,) = later("gomodel_proxy.wire", "public_hosts")

__all__ = ["AssetFetcher"]

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_LONGEST_URL: Final = 8192
_HEADERS: Final = (("accept", "*/*"), ("connection", "close"))


class AssetFetcher:
    """A `Fetcher` over the gateway's own transport; one connection per fetch."""

    def __init__(
        self,
        settings: Assets,
        *,
        look_up: Callable[[str, int], Awaitable[Sequence[Info]]] = resolve,
        connect: Callable[[Sequence[Info]], Awaitable[socket.socket]] = reach,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._settings = settings
        self._look_up = look_up
        self._connect = connect
        self._tls = tls

    async def fetch(self, url: str, limit: int) -> Asset:
        """Return what is there, ``limit`` bytes at most; raises `AssetRefused`."""
        within = self._settings.timeout
        try:
            async with asyncio.timeout(within):
                return await self._follow(url, limit)
        except TimeoutError:
            raise AssetRefused(f"it did not come within {within:g} s (assets.timeout)") from None

    async def _follow(self, url: str, limit: int) -> Asset:
        for _ in range(self._settings.max_redirects + 1):
            url = _encoded(url)
            reply = await self._get(url, limit)
            headers = dict(reply.headers)
            if reply.status == 200:
                return Asset(reply.body, headers.get("content-type", ""))
            if reply.status not in _REDIRECTS or "location" not in headers:
                raise AssetRefused(f"its host answered with status {reply.status}")
            url = urljoin(url, headers["location"])
        most = self._settings.max_redirects
        raise AssetRefused(f"it redirects more than {most} times (assets.max_redirects)")

    async def _get(self, url: str, limit: int) -> Whole:
        try:
            address = split(url)
            infos = await self._resolve(address)
            if self._tls is None and address.scheme == "https":
                self._tls = ssl.create_default_context()
                self._tls.set_alpn_protocols(["http/1.1"])
            return await self._exchange(url, infos, limit)
        except UpstreamError as error:
            if error.code == "reply_too_large":
                raise TooLarge from None
            raise AssetRefused(error.message) from None

    async def _resolve(self, address: Address) -> Sequence[Info]:
        """Return where to connect to; raises `AssetRefused` for what is not public."""
        private = self._settings.allow_private
        if not private and not public_hosts.is_canonical(address.host):
            raise AssetRefused("its host is neither a full name nor an address as usually written")
        try:
            infos = await self._look_up(address.host, address.port)
        except (OSError, UnicodeError):
            raise AssetRefused("its host has no address") from None
        # one that is not public is enough: whoever mixes them is up to something
        if not private and not all(public_hosts.is_public(str(info[4][0])) for info in infos):
            raise AssetRefused("its host is not a public one")
        return infos

    async def _exchange(self, url: str, infos: Sequence[Info], limit: int) -> Whole:
        async def dial(host: str, port: int) -> socket.socket:
            return await self._connect(infos)

        wait = self._settings.timeout
        config = HttpConfig(
            connect_timeout=wait, first_byte_timeout=wait, idle_timeout=wait, keepalive=0
        )
        # a transport of its own: nobody else may come to use a connection that a caller chose
        transport = HttpTransport(config, tls=self._tls, dial=dial)
        try:
            request = UpstreamRequest(method="GET", url=url, headers=_HEADERS)
            return await fetch(transport, request, limit=limit, within=wait)
        finally:
            await transport.close()


def _encoded(url: str) -> str:
    """Return a URL in ASCII; raises `AssetRefused` where that could not be done in one way."""
    if len(url) > _LONGEST_URL:
        raise AssetRefused("its address is too long")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise AssetRefused("its address makes no sense") from None
    if not parts.netloc.isascii():
        raise AssetRefused("its host must be written in ASCII")
    if url.isascii():
        return url
    path, query = quote(parts.path, safe="/%:@!$&'()*+,;=~"), quote(parts.query, safe="/%?:@&=+,;")
    return urlunsplit((parts.scheme, parts.netloc, path, query, ""))
