"""What became of a batch's lines, one by one or as the bytes of its files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from gomodel_proxy.api import NotFound

from .finishing import unexecuted
from .states import at_once
from .stores import batches_of, files_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from gomodel_proxy.api import Batch, LineResult, StoredFile
    from gomodel_proxy.engine.generation import Generation

__all__ = ["content", "results"]


async def results(
    g: Generation, batch: Batch, *, limit: int, after: int = -1, failed: bool | None = None
) -> Sequence[LineResult]:
    """Return what became of the lines of a batch that has ended, in order; each has a result."""
    if batch.status == "failed":
        return ()
    found = await batches_of(g).results(batch.id, limit=limit, after=after, failed=failed)
    return [
        replace(one, result=unexecuted(batch, one), failed=True) if one.result is None else one
        for one in found
    ]


async def content(g: Generation, file: StoredFile, start: int = 0) -> AsyncIterator[bytes]:
    """Yield the bytes of any file: the store's, or a batch's results; raises `NotFound`."""
    missing = NotFound(f"No file with id '{file.id[:100]}' was found.", code="file_not_found")
    if file.batch is None:
        try:
            async for piece in files_of(g).read(file.id, start):
                yield piece
        except LookupError:
            raise missing from None
        return
    batch = await batches_of(g).find(file.batch, None)
    if batch is None:
        raise missing
    async for piece in _rendered(g, batch, failed=file.id == batch.error_file):
        if start >= len(piece):
            start -= len(piece)
            continue
        yield piece[start:] if start else piece
        start = 0


async def _rendered(g: Generation, batch: Batch, *, failed: bool) -> AsyncIterator[bytes]:
    after = -1
    while True:
        limit = at_once(batch, failed)
        found = await results(g, batch, limit=limit, after=after, failed=failed)
        if not found:
            return
        yield b"".join(b"%b\n" % one.result for one in found if one.result is not None)
        after = found[-1].index
