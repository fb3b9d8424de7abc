"""Waking tasks that wait for something to do, in this process and in the others."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Final, Self
from uuid import uuid4
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from asyncpg import Connection

    from .database import Database

LOOK: Final = 30.0
"""Seconds between looks whether a silent connection is still one."""

PAUSE: Final = 1.0
"""Seconds before the next try to connect; whoever waits looks for work by himself meanwhile."""


class Bell:
    """Rings for all tasks that wait, and for those who were busy meanwhile when they wait next."""

    def __init__(self) -> None:
        self._rung = 0
        self._next = asyncio.Event()
        self._heard: WeakKeyDictionary[asyncio.Task[Any], int] = WeakKeyDictionary()

    def ring(self) -> None:
        """Wake everybody in this process."""
        self._rung += 1
        self._next.set()
        self._next = asyncio.Event()

    async def wait(self, seconds: float) -> None:
        """Return when it rings, or has rung since this task last waited, or after ``seconds``."""
        task = asyncio.current_task()
        if task is None or self._heard.get(task, self._rung) == self._rung:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._next.wait()
        if task is not None:
            self._heard[task] = self._rung


class Tower(Bell):
    """A bell that other processes on the same schema hear too, by LISTEN and NOTIFY.

    It has a connection of its own, which is made again when it is lost.
    """

    def __init__(self, database: Database, log: Any) -> None:
        super().__init__()
        self._database = database
        self._log = log
        self._channel = f"gomodel {database.config.schema}"
        self._name = uuid4().hex
        self._listening: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        connection = await self._connect()
        self._listening = asyncio.create_task(self._listen(connection))
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._listening is not None:
            self._listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._listening

    async def tell(self, connection: Connection) -> None:
        """Ring in the other processes once the caller's transaction is committed.

        Who calls this rings here himself: without the way there and back, and also while nobody
        listens.
        """
        await connection.execute("SELECT pg_notify($1, $2)", self._channel, self._name)

    async def _connect(self) -> Connection:
        connection = await self._database.connect(LOOK)
        await connection.add_listener(self._channel, self._hear)
        return connection

    def _hear(self, connection: Connection, process: int, channel: str, payload: str) -> None:
        if payload != self._name:
            self.ring()

    async def _listen(self, connection: Connection | None) -> None:
        while True:
            try:
                if connection is None:
                    connection = await self._connect()
                    self._log.info("postgres.listening_again")
                    self.ring()  # for what was missed
                await self._hold(connection)
            except Exception as error:
                self._log.warning("postgres.not_listening", error=type(error).__name__)
            connection = None
            await asyncio.sleep(PAUSE)

    async def _hold(self, connection: Connection) -> None:
        """Return when the connection is lost."""
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _: lost.set())
        try:
            while not connection.is_closed():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK):
                        await lost.wait()
                if not lost.is_set():
                    await connection.execute("SELECT 1", timeout=LOOK)
        finally:
            connection.terminate()
