"""Results on their way to a file or to standard output."""

from __future__ import annotations

import shutil
import sys
import tempfile
from typing import TYPE_CHECKING, Any

from .waiting import patiently

if TYPE_CHECKING:
    from pathlib import Path

    from .client import Client
    from .progress import Progress

__all__ = ["errors_beside", "fetch"]


def errors_beside(out: Path) -> Path:
    """Return where the failures go: ``a.jsonl`` has them in ``a.errors.jsonl``."""
    return out.with_name(f"{out.stem}.errors{out.suffix}")


async def fetch(
    client: Client, batch: dict[str, Any], out: Path | None, progress: Progress
) -> list[str]:
    """Get the results of a batch, and return what is to be said of it.

    A file stands there whole or not at all. Without ``out`` they are printed.
    """
    written = []
    for title, id_, file in (
        ("answers", batch["output_file_id"], out),
        ("failures", batch["error_file_id"], out and errors_beside(out)),
    ):
        if id_ is None:
            continue
        if file is None:
            await _print(client, id_, progress)
            continue
        await _write(client, id_, file, progress)
        written.append(f"{title}: {file}")
    return written


async def _write(client: Client, id_: str, file: Path, progress: Progress) -> None:
    part = file.with_name(f"{file.name}.part")
    with part.open("wb") as into:
        await patiently(lambda: client.download(id_, into), progress)
    part.replace(file)


async def _print(client: Client, id_: str, progress: Progress) -> None:
    with tempfile.TemporaryFile() as into:
        await patiently(lambda: client.download(id_, into), progress)
        into.seek(0)
        shutil.copyfileobj(into, sys.stdout.buffer)
    sys.stdout.buffer.flush()
