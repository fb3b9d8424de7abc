"""The gateway, as the command line asks it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final, Self
from uuid import uuid4

import aiohttp
import msgspec

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

__all__ = ["Away", "Client", "Refused", "new_key"]

_TIMES: Final = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=300)
_PASSING: Final = frozenset({429, 502, 503, 504})


class Refused(Exception):
    """The gateway's no; asking again would not help."""


class Away(Exception):
    """No answer, or none that will stay: the gateway restarts, or the network does."""


class Client:
    """One gateway. Raises `Refused` and `Away`."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/").removesuffix("/v1")
        key = os.environ.get("GOMODEL_API_KEY") or os.environ.get("GOMODEL_MASTER_KEY")
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(headers=self._headers, timeout=_TIMES)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._session.close()

    async def get(self, path: str, **query: str) -> dict[str, Any]:
        """Return what is at a path below ``/v1``."""
        return await self._ask("GET", path, params=query)

    async def post(
        self, path: str, body: dict[str, Any] | None = None, key: str = ""
    ) -> dict[str, Any]:
        """Return what became of a request; with the same ``key`` it is done once."""
        headers = {"Idempotency-Key": key} if key else {}
        return await self._ask("POST", path, json=body or {}, headers=headers)

    async def upload(self, file: Path) -> str:
        """Upload a batch's input, and return the file's id."""
        form = aiohttp.FormData(quote_fields=False)
        form.add_field("purpose", "batch")
        with file.open("rb") as content:
            form.add_field("file", content, filename=file.name, content_type="application/jsonl")
            kept = await self._ask("POST", "/files", data=form)
        return str(kept["id"])

    async def download(self, id_: str, into: BinaryIO) -> None:
        """Append a file's bytes to those that are there already."""
        start = into.tell()
        headers = {"Range": f"bytes={start}-"} if start else {}
        try:
            async with self._session.get(
                f"{self.url}/v1/files/{id_}/content", headers=headers
            ) as reply:
                if reply.status == 416:
                    return  # nothing is missing
                await _check(reply)
                if reply.status != 206:
                    into.seek(0)
                    into.truncate()
                async for piece in reply.content.iter_any():
                    into.write(piece)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Away(_said(error)) from error

    async def _ask(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        try:
            async with self._session.request(method, f"{self.url}/v1{path}", **more) as reply:
                await _check(reply)
                return msgspec.json.decode(await reply.read(), type=dict[str, Any])
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError):
            raise Refused(f"{self.url} is no address of a gateway.") from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Away(_said(error)) from error
        except msgspec.DecodeError:
            raise Refused(f"What answers at {self.url} is no gateway.") from None


def new_key() -> str:
    """Return an ``Idempotency-Key``."""
    return uuid4().hex


async def _check(reply: aiohttp.ClientResponse) -> None:
    """Raise what a reply that is no success means."""
    if reply.status < 400:
        return
    message = _message(await reply.read()) or f"{reply.status} {reply.reason}"
    if reply.status in _PASSING:
        raise Away(message)
    if reply.status == 401:
        message += " Put the key into GOMODEL_API_KEY."
    raise Refused(message)


def _message(body: bytes) -> str:
    try:
        return str(msgspec.json.decode(body)["error"]["message"])
    except (msgspec.DecodeError, TypeError, KeyError):
        return ""


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__
