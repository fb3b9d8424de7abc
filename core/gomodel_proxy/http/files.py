"""``/v1/files``: what callers upload and batches produce, kept by the gateway's store.

https://platform.openai.com/docs/api-reference/files (22 November 2026)
"""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from gomodel_proxy.api import InvalidRequest, NotFound, StoredFile
from gomodel_proxy.engine.admission import user_path
from gomodel_proxy.engine.batches.contents import content
from gomodel_proxy.engine.batches.stores import files_of
from gomodel_proxy.engine.ids import new, now

from .responses import Deleted
from .routes import GENERATION, Parameter, Route, answer, caller
from .schemas import FileForm, FileList, FileObject
from .streaming import stream
from .upload_limits import UPLOADS
from .uploads import Upload
from .usage import integer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp import web

    from gomodel_proxy.api import Principal
    from gomodel_proxy.engine.generation import Generation

__all__ = ["ROUTES", "UPLOADS"]

_ID: Final = Parameter("file_id", str, "the file's id", "path")
_MOST: Final = 10_000
_SECOND: Final = 1_000_000
_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})\Z")
_BINARY: Final = "application/octet-stream"


async def upload_file(request: web.Request) -> web.Response:
    """Keep a file, or return the one that was made under the same ``Idempotency-Key``."""
    g, principal = await _asked(request)
    files = files_of(g)
    upload = Upload(request, g.configuration.batches.file_limit)
    name = await upload.begin()
    file = upload.describe(
        StoredFile(
            id=_new_id(request, principal),
            owner=principal.id,
            user_path=user_path(principal, request.headers),
            created=now(),
            name=name,
            purpose="",
        )
    )
    known = await files.find(file.id, principal.id)
    if known is not None:
        # to its end, because a client sends all of it before it reads an answer
        if await _digest(upload.content()) != await _digest(content(g, known)):
            raise InvalidRequest(
                f"This Idempotency-Key has made {known.id}, which has other bytes.",
                code="idempotency_key_reused",
                status=409,
            )
        return answer(_shown(known))
    saved = await files.save(file, upload.content())
    described = upload.describe(saved)
    if described != saved:  # fields stood behind the file
        await files.enter(described)
    return answer(_shown(described))


async def list_files(request: web.Request) -> web.Response:
    """List files, the newest first."""
    g, principal = await _asked(request)
    query = request.query
    order = query.get("order", "desc")
    if order not in ("asc", "desc"):
        raise InvalidRequest("'order' takes 'asc' or 'desc'.", param="order")
    limit = integer(query, "limit", _MOST, 1, _MOST)
    after = query.get("after")
    try:
        found = await files_of(g).list(
            _owner(principal),
            limit=limit + 1,
            after=after,
            purpose=query.get("purpose"),
            ascending=order == "asc",
        )
    except LookupError:
        raise _unknown(after or "", "after") from None
    data = [_shown(file) for file in found[:limit]]
    return answer(
        {
            "object": "list",
            "data": data,
            "first_id": data[0]["id"] if data else None,
            "last_id": data[-1]["id"] if data else None,
            "has_more": len(found) > limit,
        }
    )


async def show_file(request: web.Request) -> web.Response:
    """Answer with what is known of a file."""
    g, principal = await _asked(request)
    return answer(_shown(await _find(g, principal, request)))


async def read_file(request: web.Request) -> web.StreamResponse:
    """Answer with a file's bytes, or one range of them."""
    g, principal = await _asked(request)
    file = await _find(g, principal, request)
    start, end = _range(request, file.size)
    headers = {
        "Content-Type": _BINARY,
        "Content-Length": str(end - start),
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name, safe='')}",
        "Accept-Ranges": "bytes",
    }
    if end - start < file.size:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{file.size}"
    pieces = _first(end - start, content(g, file, start))
    return await stream(request, pieces, headers, 206 if "Content-Range" in headers else 200)


async def delete_file(request: web.Request) -> web.Response:
    """Delete a file."""
    g, principal = await _asked(request)
    id_ = request.match_info["file_id"]
    if not await files_of(g).delete(id_, _owner(principal)):
        raise _unknown(id_)
    return answer({"id": id_, "object": "file", "deleted": True})


# ---------------------------------------------------------------- reading


async def _asked(request: web.Request) -> tuple[Generation, Principal]:
    return request.app[GENERATION](), await caller(request)


def _owner(principal: Principal) -> str | None:
    return None if principal.admin else principal.id


def _new_id(request: web.Request, principal: Principal) -> str:
    """Return a new id, or that of the file made under the same ``Idempotency-Key``."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return new("file-")
    text = f"{principal.id}\0{key}".encode("utf-8", "surrogateescape")
    return f"file-{blake2b(text, digest_size=16).hexdigest()}"


async def _digest(pieces: AsyncIterator[bytes]) -> bytes:
    digest = blake2b()
    async for piece in pieces:
        digest.update(piece)
    return digest.digest()


async def _find(g: Generation, principal: Principal, request: web.Request) -> StoredFile:
    id_ = request.match_info["file_id"]
    file = await files_of(g).find(id_, _owner(principal))
    if file is None:
        raise _unknown(id_)
    return file


def _unknown(id_: str, param: str = "id") -> NotFound:
    return NotFound(f"No file with id '{id_[:100]}' was found.", code="file_not_found", param=param)


def _range(request: web.Request, size: int) -> tuple[int, int]:
    """Return which bytes are asked for; all of them where that is not one plain range.

    RFC 9110, section 14. There is nothing that ``If-Range`` could be compared with.
    """
    found = _RANGE.match(request.headers.get("Range", ""))
    if found is None or found.group() == "bytes=-" or "If-Range" in request.headers:
        return 0, size
    first, last = found.groups()
    start = int(first) if first else max(size - int(last), 0)
    end = min(int(last) + 1, size) if first and last else size
    if start >= end:
        raise InvalidRequest(
            f"The file has {size} bytes.",
            code="range_not_satisfiable",
            status=416,
            headers=(("Content-Range", f"bytes */{size}"),),
        )
    return start, end


async def _first(size: int, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield that many bytes."""
    async for piece in pieces:
        yield piece[:size]
        size -= len(piece)
        if size <= 0:
            return


def _shown(file: StoredFile) -> dict[str, Any]:
    return {
        "id": file.id,
        "object": "file",
        "bytes": file.size,
        "created_at": file.created // _SECOND,
        "expires_at": None if file.expires is None else file.expires // _SECOND,
        "filename": file.name,
        "purpose": file.purpose,
        "status": "processed",
        "status_details": None,
    }


ROUTES = (
    Route(
        "POST",
        UPLOADS,
        upload_file,
        "Upload a file",
        FileObject,
        body=FileForm,
        takes="multipart/form-data",
    ),
    Route(
        "GET",
        UPLOADS,
        list_files,
        "List files",
        FileList,
        (
            Parameter("limit", int, "files a page, 10,000 by default", "query", 1, _MOST),
            Parameter("order", str, "asc or desc, which is the default"),
            Parameter("after", str, "the last id of the page before"),
            Parameter("purpose", str, "only files of this purpose"),
        ),
    ),
    Route("GET", f"{UPLOADS}/{{file_id}}", show_file, "Show a file", FileObject, (_ID,)),
    Route(
        "GET",
        f"{UPLOADS}/{{file_id}}/content",
        read_file,
        "Read a file",
        dict[str, Any],
        (_ID, Parameter("Range", str, "one range of bytes", "header")),
        gives=(_BINARY,),
    ),
    Route("DELETE", f"{UPLOADS}/{{file_id}}", delete_file, "Delete a file", Deleted, (_ID,)),
)
