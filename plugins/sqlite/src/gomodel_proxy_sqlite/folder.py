"""The bytes of files, in a folder beside the database."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import secrets
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, BinaryIO, Final, TypeVar

from gomodel_proxy.api import ConfigError, Unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import ParamSpec, Self

    P = ParamSpec("P")

T = TypeVar("T")

PIECE: Final = 256 * 1024
"""Bytes that are read or written at once."""

THREADS: Final = 4
UNFINISHED: Final = ".part"
FORM: Final = re.compile(r"file-[A-Za-z0-9_-]{1,200}")
"""What an id must be, so that it names a file in the folder and nothing else."""


class Folder:
    """A file for each id. Disks can be slow, so threads of its own do all the work on them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="sqlite-files")

    async def __aenter__(self) -> Self:
        try:
            await self._run(os.makedirs, self.path, exist_ok=True)
        except Unavailable as error:
            self._threads.shutdown()
            raise ConfigError(f"store.files: {self.path}: {error.__cause__}") from error
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await asyncio.to_thread(self._threads.shutdown)

    async def receive(self, id_: str, content: AsyncIterable[bytes]) -> int:
        """Keep all of ``content``, or nothing; return its size.

        It is on the disk, and not only on its way there, when this returns.
        """
        path = self._at(id_)
        unfinished = path.with_name(f"{id_}.{secrets.token_hex(8)}{UNFINISHED}")
        try:
            size = await self._write(unfinished, content)
            await self._run(_publish, unfinished, path)
        except BaseException:
            await self._run(_remove, [unfinished])
            raise
        return size

    async def _write(self, path: Path, content: AsyncIterable[bytes]) -> int:
        file = await self._run(_create, path)
        size, waiting = 0, bytearray()
        try:
            async for piece in content:
                waiting += piece
                if len(waiting) >= PIECE:
                    size += await self._run(file.write, waiting)
                    waiting = bytearray()
            size += await self._run(file.write, waiting)
            await self._run(_to_disk, file)
        finally:
            await self._run(file.close)
        return size

    async def read(self, id_: str, start: int = 0) -> AsyncIterator[bytes]:
        """Yield the bytes from ``start`` on; raises LookupError if there are none of this id.

        A file that is removed meanwhile is read to its end.
        """
        file = await self._run(_open, self._at(id_), start)
        if file is None:
            raise LookupError(id_)
        try:
            while piece := await self._run(file.read, PIECE):
                yield piece
        finally:
            file.close()

    async def remove(self, ids: Iterable[str]) -> None:
        """Remove what is there of these ids."""
        await self._run(_remove, [self._at(id_) for id_ in ids])

    async def older(self, before: float) -> tuple[Sequence[str], Sequence[str]]:
        """Return the ids of files not written to since a time, and names of unfinished ones."""
        return await self._run(_older, self.path, before)

    async def discard(self, names: Iterable[str]) -> None:
        """Remove unfinished files."""
        await self._run(_remove, [self.path / name for name in names])

    def _at(self, id_: str) -> Path:
        if FORM.fullmatch(id_) is None:
            raise LookupError(id_)
        return self.path / id_

    async def _run(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run ``work`` in a thread, to its end: what it works on is not closed under it."""
        running = asyncio.get_running_loop().run_in_executor(
            self._threads, lambda: work(*args, **kwargs)
        )
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            await asyncio.wait([running])
            raise
        except OSError as error:
            raise Unavailable(f"the store's files cannot be used: {error.strerror}") from error


def _create(path: Path) -> BinaryIO:
    return path.open("xb")


def _open(path: Path, start: int) -> BinaryIO | None:
    try:
        file = path.open("rb", buffering=0)
    except FileNotFoundError:
        return None
    file.seek(start)
    return file


def _to_disk(file: BinaryIO) -> None:
    # A row that outlives a power cut must not name a file that did not.
    file.flush()
    os.fsync(file.fileno())


def _publish(unfinished: Path, path: Path) -> None:
    unfinished.replace(path)
    if os.name == "posix":  # elsewhere a folder cannot be opened
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        with contextlib.suppress(FileNotFoundError, PermissionError):  # somebody reads it: Windows
            path.unlink()


def _older(folder: Path, before: float) -> tuple[list[str], list[str]]:
    ids: list[str] = []
    unfinished: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):
                if entry.stat().st_mtime >= before:
                    continue
                if entry.name.endswith(UNFINISHED):
                    unfinished.append(entry.name)
                elif FORM.fullmatch(entry.name):
                    ids.append(entry.name)
    return ids, unfinished
