"""A file on its way in: its form read in pieces, as fast as the store takes them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from aiohttp import web
from msgspec.structs import replace

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.wire.multipart_reader import Multipart, Part, boundary_of
from gomodel_proxy.wire.openai_batch_requests import check_lifetime

from .framing import Limit
from .upload_limits import FILE_LIMIT, FORM

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gomodel_proxy.api import StoredFile

__all__ = ["FILE_LIMIT", "FORM", "Upload"]

_PURPOSE: Final = re.compile(r"[a-z][a-z0-9_-]{0,63}\Z")
_BATCH: Final = 30 * 86400  # seconds that OpenAI keeps files of this purpose unless told otherwise
_SECOND: Final = 1_000_000
_LENGTH: Final = re.compile(r"\d{1,9}\Z")


class Upload:
    """One form with one file: `begin` it, then take its `content`.

    Fields may stand before the file and behind it.
    """

    def __init__(self, request: web.Request, limit: int) -> None:
        self._body = request.content.iter_any()
        self._form = Multipart(boundary_of(request.headers.get("Content-Type", "")))
        self._limit = limit
        self._fields: dict[str, bytes] = {}
        self._size = 0
        self._parts = self._read()

    async def begin(self) -> str:
        """Read up to the file and return its name; raises `InvalidRequest` if there is none."""
        async for part in self._parts:
            if isinstance(part, Part):
                return part.filename or "file"
        raise _missing("file")

    async def content(self) -> AsyncIterator[bytes]:
        """Yield the file's bytes; raises `InvalidRequest` where the form does not do."""
        size = 0
        async for piece in self._parts:
            if isinstance(piece, Part):
                raise InvalidRequest("The form has more than one file.", param="file")
            size += len(piece)
            if size > self._limit:
                raise Limit(self._limit, FILE_LIMIT).exceeded()
            yield piece
        if "purpose" not in self._fields:
            raise _missing("purpose")
        self._purpose(), self._lifetime()  # what is wrong with them keeps the file out

    def describe(self, file: StoredFile) -> StoredFile:
        """Return the file with what the fields say that have come; raises `InvalidRequest`."""
        if "purpose" not in self._fields:
            return file
        lifetime = self._lifetime()
        expires = None if lifetime is None else file.created + lifetime * _SECOND
        return replace(file, purpose=self._purpose(), expires=expires)

    def _purpose(self) -> str:
        purpose = self._text("purpose") or ""
        if not _PURPOSE.match(purpose):
            raise InvalidRequest(
                "'purpose' takes a name such as 'batch'.", code="invalid_value", param="purpose"
            )
        return purpose

    def _lifetime(self) -> int | None:
        anchor, seconds = self._text("expires_after[anchor]"), self._text("expires_after[seconds]")
        if anchor is None and seconds is None:
            return _BATCH if self._purpose() == "batch" else None
        if anchor != "created_at":
            raise InvalidRequest(
                "'expires_after[anchor]' takes 'created_at'.",
                code="invalid_value",
                param="expires_after[anchor]",
            )
        number = int(seconds) if seconds is not None and _LENGTH.match(seconds) else 0
        return check_lifetime(number, "expires_after[seconds]")

    def _text(self, name: str) -> str | None:
        value = self._fields.get(name)
        return None if value is None else value.decode("utf-8", "replace").strip()

    async def _read(self) -> AsyncIterator[Part | bytes]:
        """Yield the file's part and its bytes; what is not the file's goes into the fields."""
        name = ""
        try:
            async for data in self._body:
                for one in self._form.feed(data):
                    if isinstance(one, Part):
                        name = one.name
                        if name == "file":
                            yield one
                        else:
                            self._add(name, b"")
                    elif name == "file":
                        yield one
                    else:
                        self._add(name, one)
        except (web.RequestPayloadError, ConnectionError) as error:
            raise InvalidRequest(f"The upload is broken: {error}.", code="bad_body") from None
        self._form.close()

    def _add(self, name: str, value: bytes) -> None:
        self._size += len(name) + len(value)
        if self._size > FORM:
            raise InvalidRequest(
                f"The form has more than {FORM} bytes besides its file.",
                code="request_too_large",
                status=413,
            )
        self._fields[name] = self._fields.get(name, b"") + value


def _missing(name: str) -> InvalidRequest:
    return InvalidRequest(
        f"The form has no '{name}'.", code="missing_required_parameter", param=name
    )
