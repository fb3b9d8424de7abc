"""The database and the connections to it."""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

import asyncpg

from gomodel_proxy.api import ConfigError, Unavailable

from . import migrations, text
from .errors import CONTENTION, LOST, Again, at_start, in_service

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from asyncpg import Connection, Pool

    from .config import PostgresConfig

T = TypeVar("T")

OLDEST: Final = 130000
"""The oldest server: PostgreSQL 13."""

TRIES: Final = 8
"""How often a transaction runs that others are in the way of."""

# A statement's plan is kept. One that was made while a table was small, or grew since its last
# ANALYZE, must not be to read it all.
WORK: Final = {"enable_seqscan": "off"}
REPORTS: Final = {"plan_cache_mode": "force_custom_plan"}

PAUSE: Final = 0.01
GRACE: Final = 10.0
"""Seconds for what is under way when the store closes."""


class Database:
    """One schema of one database. Work is a function of a connection.

    There are two pools. Reports have connections of their own, so they hold up nobody; what they
    read they read as it was at one moment.
    """

    def __init__(self, config: PostgresConfig) -> None:
        self.config = config
        self._stack = contextlib.AsyncExitStack()
        self._pool: Pool | None = None
        self._reports: Pool | None = None

    async def __aenter__(self) -> Database:
        config = self.config
        try:
            if urlsplit(config.url.reveal()).scheme not in ("postgres", "postgresql"):
                raise ValueError(config.url)
            async with contextlib.AsyncExitStack() as stack:
                await self._migrate()
                self._pool = await self._open(config.connections, config.statement_timeout, WORK)
                stack.push_async_callback(_close, self._pool)
                self._reports = await self._open(
                    config.report_connections, config.report_timeout, REPORTS
                )
                stack.callback(self._reports.terminate)  # a report has nothing to lose
                self._stack = stack.pop_all()
        except ValueError as error:
            raise at_start(error) from None
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            raise at_start(error) from error
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()

    # ------------------------------------------------------------ work

    async def write(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Commit ``work``; it runs again if another process was in the way."""
        return await self._retried(self._pool, lambda connection: connection.transaction(), work)

    async def once(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run ``work`` that is a single statement, and so a transaction by itself."""
        return await self._retried(self._pool, lambda connection: contextlib.nullcontext(), work)

    async def report(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Read as much as it takes, all of it as it was at one moment."""
        return await self._retried(
            self._reports,
            lambda connection: connection.transaction(isolation="repeatable_read", readonly=True),
            work,
        )

    async def check(self) -> None:
        """Raise `Unavailable` unless the database answers and can be written."""
        sql = "SELECT current_setting('transaction_read_only'), to_regclass('requests') IS NULL"
        read_only, gone = await self.once(lambda connection: connection.fetchrow(sql))
        if read_only == "on" or gone:
            why = "its tables have gone" if gone else "its database can only be read"
            raise Unavailable(f"the store cannot be used: {why}")

    async def connect(self, limit: float) -> Connection:
        """Return a connection that is nobody else's; the caller closes it.

        ``limit`` is seconds for a statement, 0 for none.
        """
        config = self.config
        connection = await asyncpg.connect(
            config.url.reveal(),
            timeout=config.connect_timeout,
            command_timeout=limit + GRACE if limit else None,
            server_settings=self._settings(limit),
        )
        try:
            await text.prepare(connection)
        except BaseException:
            connection.terminate()
            raise
        return connection

    # ------------------------------------------------------------ connections

    def _settings(self, limit: float) -> dict[str, str]:
        return {
            "application_name": "gomodel-proxy",
            "default_transaction_isolation": "read committed",
            "idle_in_transaction_session_timeout": "60s",
            "jit": "off",  # compiling takes longer than any of these statements
            "search_path": self.config.schema,
            "statement_timeout": f"{limit * 1000:.0f}ms",
        }

    async def _migrate(self) -> None:
        connection = await self.connect(0)
        try:
            await _suit(connection)
            await migrations.migrate(connection, self.config.schema)
        finally:
            await connection.close()

    async def _open(self, size: int, limit: float, more: dict[str, str]) -> Pool:
        return await asyncpg.create_pool(
            self.config.url.reveal(),
            min_size=0,
            max_size=size,
            max_queries=10**9,
            timeout=self.config.connect_timeout,
            command_timeout=limit + GRACE,
            init=text.prepare,
            reset=_unchanged,
            server_settings=self._settings(limit) | more,
        )

    @contextlib.asynccontextmanager
    async def _acquired(self, pool: Pool | None) -> AsyncIterator[Connection]:
        if pool is None or pool.is_closing():
            raise Unavailable("the store is closed")
        try:
            connection = await pool.acquire(timeout=self.config.wait)
        except TimeoutError as error:
            raise Unavailable("the store has too much to do, or cannot be reached") from error
        try:
            yield connection
        finally:
            # Kept from being cancelled, or the pool would have a connection less.
            await asyncio.shield(pool.release(connection))

    async def _retried(
        self,
        pool: Pool | None,
        within: Callable[[Connection], Any],
        work: Callable[[Connection], Awaitable[T]],
    ) -> T:
        tries = 0
        while True:
            tries += 1
            stale = False
            try:
                async with self._acquired(pool) as connection:
                    # A server that was restarted has closed what idles here. Nothing has been
                    # done with such a connection; the next one is a new one.
                    stale = True
                    async with within(connection):
                        stale = False
                        return await work(connection)
            except (*CONTENTION, Again) as error:
                if tries >= TRIES:
                    raise in_service(error) from error
                await asyncio.sleep(PAUSE * 2**tries * random.random())  # noqa: S311
            except Exception as error:
                if stale and isinstance(error, LOST) and tries < TRIES:
                    continue
                found = in_service(error)
                if found is error:
                    raise
                raise found from error


async def _suit(connection: Connection) -> None:
    """Raise `ConfigError` for a server that cannot hold a store."""
    number = int(await connection.fetchval("SHOW server_version_num"))
    if number < OLDEST:
        raise ConfigError(
            f"store.url: the server is PostgreSQL {number // 10000}; {OLDEST // 10000} is needed"
        )
    encoding = await connection.fetchval("SHOW server_encoding")
    if encoding != "UTF8":
        raise ConfigError(f"store.url: the database's encoding is {encoding}; UTF8 is needed")


async def _unchanged(connection: Connection) -> None:
    """Leave a connection as it is when it is given back: nothing here changes its settings."""


async def _close(pool: Pool) -> None:
    try:
        async with asyncio.timeout(GRACE):
            await pool.close()
    except (TimeoutError, *LOST):
        pool.terminate()
