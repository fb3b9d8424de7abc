"""The file and the lanes into it."""

from __future__ import annotations

import os
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from gomodel_proxy.api import Unavailable

from .connection import open_reader, open_writer
from .lane import Lane
from .transaction import Work, patiently, transact

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path
    from types import TracebackType

T = TypeVar("T")

CALLERS: Final = 10_000
"""Short work that may wait: more than the gateway has requests under way."""

REPORTS: Final = 100
"""Long work that may wait."""


class Database:
    """One file. Work is a function of a connection; each runs in one transaction.

    There are three lanes. One thread writes, because SQLite has one writer anyway. Reports have
    threads of their own, so they hold up nobody; neither do they stand before the short look-ups
    that a request waits for.
    """

    def __init__(self, path: Path, busy_timeout: float) -> None:
        self.path = path
        self._patience = busy_timeout
        reader = partial(open_reader, path, busy_timeout)
        self._writer = Lane(
            "sqlite-writer",
            partial(open_writer, path, busy_timeout),
            threads=1,
            waiting=CALLERS,
            interruptible=False,
        )
        self._finder = Lane("sqlite-finder", reader, threads=1, waiting=CALLERS, interruptible=True)
        self._reporter = Lane(
            "sqlite-reporter", reader, threads=2, waiting=REPORTS, interruptible=True
        )
        self._stack = AsyncExitStack()
        self._identity: os.stat_result | None = None

    async def __aenter__(self) -> Database:
        async with AsyncExitStack() as stack:
            # The writer comes first, it creates the file; and closes last, so that its
            # connection is the one that folds the log into the file.
            for lane in (self._writer, self._finder, self._reporter):
                stack.push_async_callback(lane.close)
                await lane.start()
            self._identity = await self._writer.run(lambda _: os.stat(self.path))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    async def write(self, work: Work[T]) -> T:
        """Commit ``work``; it may run again if another process was in the way."""
        return await self._writer.run(
            lambda connection: patiently(
                self._patience, lambda: transact(connection, "IMMEDIATE", self._present(work))
            )
        )

    def _present(self, work: Work[T]) -> Work[T]:
        """Return ``work`` that is refused where what it commits would be lost with the file."""

        def checked(connection: sqlite3.Connection) -> T:
            self._probe(connection)
            return work(connection)

        return checked

    async def find(self, work: Work[T]) -> T:
        """Read something small."""
        return await self._finder.run(self._reading(work))

    async def report(self, work: Work[T]) -> T:
        """Read as much as it takes, all of it as it was at one moment."""
        return await self._reporter.run(self._reading(work))

    async def check(self) -> None:
        """Raise `Unavailable` unless the file is still there and can be written."""
        await self.write(lambda connection: None)

    def _reading(self, work: Work[T]) -> Work[T]:
        return lambda connection: patiently(
            self._patience, lambda: transact(connection, "DEFERRED", work)
        )

    def _probe(self, connection: sqlite3.Connection) -> None:
        # BEGIN IMMEDIATE has just proved the lock and the permission. A file that was deleted
        # or replaced can still be written, and all of it would be lost.
        try:
            current = os.stat(self.path)
        except OSError as error:
            raise Unavailable("the store's file has gone") from error
        if self._identity is None or not os.path.samestat(self._identity, current):
            raise Unavailable("the store's file was replaced")
