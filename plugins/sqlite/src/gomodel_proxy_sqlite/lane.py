"""A lane: threads that each own a connection and take work from one queue."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final, TypeVar

from gomodel_proxy.api import Unavailable

from .errors import in_service
from .transaction import Work

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

T = TypeVar("T")

INSTRUCTIONS: Final = 200_000
"""How many of SQLite's own instructions run (a few milliseconds) between looks at the caller."""


class Promise:
    """A result that a thread will hand to the event loop."""

    __slots__ = ("_loop", "future")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Any] = self._loop.create_future()

    def settle(self, value: object = None, error: BaseException | None = None) -> None:
        """Hand over the outcome, from any thread; a caller that has gone is not looked for."""
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._deliver, value, error)

    def _deliver(self, value: object, error: BaseException | None) -> None:
        if self.future.done():
            return
        if error is None:
            self.future.set_result(value)
        else:
            self.future.set_exception(error)


Job = tuple[Work[Any], Promise]


class Lane:
    """Runs work beside the event loop, in order of arrival.

    At most ``waiting`` pieces may wait, more are refused. Work in an ``interruptible`` lane stops
    soon after its caller was cancelled or the lane closes; it must have nothing to lose.
    """

    def __init__(
        self,
        name: str,
        connect: Callable[[], sqlite3.Connection],
        *,
        threads: int,
        waiting: int,
        interruptible: bool,
    ) -> None:
        self._name = name
        self._connect = connect
        self._count = threads
        self._waiting = waiting
        self._interruptible = interruptible
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._threads: list[tuple[threading.Thread, Promise]] = []
        self._closing = True

    async def start(self) -> None:
        """Start the threads and open their connections; raises what opening raises."""
        self._closing = False
        for number in range(self._count):
            ready, ended = Promise(), Promise()
            thread = threading.Thread(
                target=self._serve, args=(ready, ended), name=f"{self._name}-{number}", daemon=True
            )
            thread.start()
            self._threads.append((thread, ended))
            await ready.future

    async def run(self, work: Work[T]) -> T:
        """Run ``work`` with a connection and return its result; raises `Unavailable` if full."""
        if self._closing:
            raise Unavailable("the store is closed")
        if self._queue.qsize() >= self._waiting:
            raise Unavailable("the store has too much to do")
        promise = Promise()
        self._queue.put((work, promise))
        result: T = await promise.future
        return result

    async def close(self) -> None:
        """Finish what waits, close the connections, end the threads."""
        self._closing = True
        for _ in self._threads:
            self._queue.put(None)
        for thread, ended in self._threads:
            await ended.future
            thread.join()
        self._threads.clear()

    def _serve(self, ready: Promise, ended: Promise) -> None:
        try:
            with contextlib.closing(self._connect()) as connection:
                ready.settle()
                while (job := self._queue.get()) is not None:
                    self._do(job, connection)
        except BaseException as error:
            ready.settle(error=error)
        finally:
            ended.settle()

    def _do(self, job: Job, connection: sqlite3.Connection) -> None:
        work, promise = job
        if promise.future.cancelled():
            return
        if self._interruptible:
            connection.set_progress_handler(
                lambda: self._closing or promise.future.cancelled(), INSTRUCTIONS
            )
        try:
            value = work(connection)
        except BaseException as error:
            promise.settle(error=in_service(error))
        else:
            promise.settle(value)
