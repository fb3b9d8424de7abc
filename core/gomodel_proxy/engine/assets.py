"""Media that a caller names by a web address and a vendor does not fetch: fetched by the gateway.

All of it happens before anything is spent on the model; what cannot be fetched is a 400 that names
the place. The connections are the fetcher's business, what may be fetched is decided here.
"""

from __future__ import annotations

import asyncio
import base64
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.wire.later import later

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gomodel_proxy.api.chat import ChatRequest, Media
    from gomodel_proxy.config.settings import Assets
    from gomodel_proxy.wire import media as medias
    from gomodel_proxy.wire import media_types
else:
    medias, media_types = later("gomodel_proxy.wire", "media", "media_types")

__all__ = ["Asset", "AssetRefused", "Fetcher", "Inliner", "TooLarge"]

_AT_ONCE: Final = 4
_SCHEMES: Final = ("http://", "https://")


class Asset(msgspec.Struct, frozen=True, gc=False):
    """What was fetched, and what its sender declared it to be."""

    data: bytes
    declared: str


class AssetRefused(Exception):
    """It cannot be had; the text completes "… could not be fetched:"."""


class TooLarge(AssetRefused):
    """It is longer than the limit that was given."""


class Fetcher(Protocol):
    """Fetches from the web, whatever a URL leads to."""

    async def fetch(self, url: str, limit: int) -> Asset:
        """Return what is there, ``limit`` bytes at most; raises `AssetRefused`."""


class Inliner:
    """Puts media into requests in place of their addresses."""

    def __init__(self, settings: Assets, fetcher: Fetcher) -> None:
        self._settings = settings
        self._fetcher = fetcher
        self._types = frozenset(settings.types)

    async def inline(
        self, request: ChatRequest, remote: frozenset[str] | None, fetched: dict[str, Asset]
    ) -> None:
        """Fetch what is not to go on as an address; raises `InvalidRequest` naming the medium.

        ``remote`` are the kinds that may, None means all. ``fetched`` keeps assets by URL from one
        attempt to the next.
        """
        if remote is None:
            return
        wanted = [media for media in medias.find_media(request) if _is_wanted(media, remote)]
        if wanted:
            await self._fetch_all(wanted, fetched)
            for media in wanted:
                self._put(media, fetched[media.url or ""])

    async def _fetch_all(self, wanted: Iterable[Media], fetched: dict[str, Asset]) -> None:
        """Fetch each address once, a few at the same time; the first failure ends all."""
        missing: dict[str, Media] = {}
        for media in wanted:
            if media.url is not None and media.url not in fetched:
                missing.setdefault(media.url, media)
        most = self._settings.max_count
        if len(missing) > most:
            late = list(missing.values())[most]
            raise _refusal(late, f"{len(missing)} are more than {most} (assets.max_count)")
        places = asyncio.Semaphore(_AT_ONCE)
        try:
            async with asyncio.TaskGroup() as group:
                for media in missing.values():
                    group.create_task(self._fetch(media, fetched, places))
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None

    async def _fetch(
        self, media: Media, fetched: dict[str, Asset], places: asyncio.Semaphore
    ) -> None:
        url, settings = media.url or "", self._settings
        async with places:
            left = settings.max_total - sum(len(asset.data) for asset in fetched.values())
            try:
                asset = await self._fetcher.fetch(url, min(settings.max_size, left))
            except TooLarge:
                raise self._too_large(media, left) from None
            except AssetRefused as refused:
                raise _refusal(media, str(refused)) from None
        fetched[url] = asset
        if sum(len(asset.data) for asset in fetched.values()) > settings.max_total:
            raise self._too_large(media, 0)

    def _too_large(self, media: Media, left: int) -> InvalidRequest:
        if left < self._settings.max_size:
            limit = f"{self._settings.max_total} bytes (assets.max_total)"
            return _refusal(media, f"with it, the request's media are longer than {limit}")
        limit = f"{self._settings.max_size} bytes (assets.max_size)"
        return _refusal(media, f"it is longer than {limit}")

    def _put(self, media: Media, asset: Asset) -> None:
        """Replace an address by what is there, if that is what the request says it is."""
        try:
            type_ = media_types.settle(asset.data, asset.declared)
            if media.media_type is not None:
                type_ = media_types.settle(asset.data, media.media_type)
        except ValueError as error:
            raise _refusal(media, str(error)) from None
        if media_types.kind_of(type_) != media.kind:
            raise _refusal(media, f"it is {type_}, which is no {media.kind}")
        if type_ not in self._types:
            raise _refusal(media, f"it is {type_}, which is not among assets.types")
        media.data = base64.b64encode(asset.data).decode()
        media.media_type = type_
        media.url = None


def _is_wanted(media: Media, remote: frozenset[str]) -> bool:
    url = media.url
    return url is not None and media.kind not in remote and url.lower().startswith(_SCHEMES)


def _refusal(media: Media, reason: str) -> InvalidRequest:
    # the address is not repeated: it may be signed
    return InvalidRequest(
        f"'{media.at}' could not be fetched: {reason}.", code="asset_refused", param=media.at
    )
