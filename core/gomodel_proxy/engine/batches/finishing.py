"""The end of a batch: its files, and its last status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gomodel_proxy.api import StoredFile
from gomodel_proxy.engine.ids import now
from gomodel_proxy.wire import openai_batch_results as results

from .lines import result_id
from .states import UNEXECUTED, at_once, finished

if TYPE_CHECKING:
    from gomodel_proxy.api import Batch, Batches, Files, LineResult

__all__ = ["file_ids", "finish", "unexecuted"]

_SECOND: Final = 1_000_000


def file_ids(batch: Batch) -> tuple[str, str]:
    """Return the ids of a batch's output file and error file."""
    hexed = batch.id.removeprefix("batch_")
    return f"file-{hexed}-output", f"file-{hexed}-errors"


def unexecuted(batch: Batch, result: LineResult) -> bytes:
    """Return the line of the error file for a line that nothing has become of."""
    end = "expired" if batch.cancelling_at is None else "cancelled"
    code, message = UNEXECUTED[end]
    return results.write_error(result_id(batch.id, result.index), result.custom_id, code, message)


async def finish(batches: Batches, files: Files | None, batch: Batch, token: int) -> Batch | None:
    """Enter the files of a batch that takes no more results, give it its end and return it.

    The files come first and always have the same ids, so doing it again changes nothing.
    """
    errors = batch.error_size + await _size_of_unexecuted(batches, batch)
    end = now()
    output_id, errors_id = file_ids(batch)
    made: list[str | None] = []
    for id_, size, kind in (
        (output_id, batch.output_size, "output"),
        (errors_id, errors, "errors"),
    ):
        if size == 0 or files is None:
            made.append(None)
            continue
        lifetime = batch.output_lifetime
        await files.enter(
            StoredFile(
                id=id_,
                owner=batch.owner,
                user_path=batch.user_path,
                created=end,
                name=f"{batch.id}_{kind}.jsonl",
                purpose="batch_output",
                size=size,
                expires=None if lifetime is None else end + lifetime * _SECOND,
                batch=batch.id,
            )
        )
        made.append(id_)
    output, error = made
    return await batches.change(
        batch.id, lambda it: finished(it, batch, errors, (output, error), end), token
    )


async def _size_of_unexecuted(batches: Batches, batch: Batch) -> int:
    size, after, left = 0, -1, batch.taken - batch.completed - batch.failed
    while left > 0:
        limit = at_once(batch, failed=True)
        page = await batches.results(batch.id, limit=limit, after=after, failed=True)
        for result in page:
            if result.result is None:
                size += len(unexecuted(batch, result)) + 1
        if not page:
            break
        after = page[-1].index
    return size
