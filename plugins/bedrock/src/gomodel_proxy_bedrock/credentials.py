"""Credentials as AWS's own tools find them, kept fresh.

Looked for in the environment, the shared files, the container and the instance, in that order:
docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html (2026-11).
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError  # type: ignore[import-untyped]
from botocore.session import Session  # type: ignore[import-untyped]

from gomodel_proxy.api import ConfigError

from .signing import Key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

__all__ = ["found"]

_LOOK: Final = 60.0  # seconds; temporary keys are renewed a quarter of an hour before they end


@asynccontextmanager
async def found(profile: str, log: Any) -> AsyncIterator[Callable[[], Key]]:
    """Find credentials and renew them, in a thread; raises `ConfigError` if there are none."""
    holder = _Holder(await asyncio.to_thread(_find, profile))
    keeping = asyncio.create_task(holder.keep(log), name="bedrock credentials")
    try:
        yield holder.key
    finally:
        keeping.cancel()
        with suppress(asyncio.CancelledError):
            await keeping


def _find(profile: str) -> Any:
    try:
        credentials = Session(profile=profile or None).get_credentials()
        if credentials is not None:
            credentials.get_frozen_credentials()
    except BotoCoreError as error:
        raise ConfigError(f"AWS credentials: {error}", param="profile") from None
    if credentials is None:
        raise ConfigError(
            "No AWS credentials were found; set access_key_id and secret_access_key, or api_key.",
            param="aws_credentials",
        )
    return credentials


class _Holder:
    """The credentials of now, so that signing never waits for a renewal."""

    def __init__(self, credentials: Any) -> None:
        self._credentials = credentials
        self._key = _key(credentials)

    def key(self) -> Key:
        return self._key

    async def keep(self, log: Any) -> None:
        while True:
            await asyncio.sleep(_LOOK)
            try:
                self._key = await asyncio.to_thread(_key, self._credentials)
            except BotoCoreError as error:
                log.warning("bedrock.credentials", error=str(error))


def _key(credentials: Any) -> Key:
    frozen = credentials.get_frozen_credentials()
    return Key(frozen.access_key, frozen.secret_key, frozen.token)
