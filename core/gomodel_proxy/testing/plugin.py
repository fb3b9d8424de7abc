"""Pytest fixtures, there for everybody who has gomodel-proxy installed.

Imports are made inside the fixtures, so that a test run without them pays nothing and coverage
sees the modules it measures being imported.
"""

from __future__ import annotations

import os
from contextlib import AsyncExitStack, ExitStack
from typing import TYPE_CHECKING, Any

import pytest

NO_POSTGRES = "NO POSTGRESQL"

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
    from pathlib import Path

    from gomodel_proxy.http.gateway import Gateway

    from .processes import SandboxProcess
    from .served import Served


def pytest_configure(config: pytest.Config) -> None:
    """Let ``GOMODEL_TEST_LOOP`` choose the event loop of the tests."""
    if kind := os.environ.get("GOMODEL_TEST_LOOP"):
        from .loops import Loops

        config.pluginmanager.register(Loops(kind))


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Callable[..., Awaitable[Gateway]]]:
    """Return a function that opens a gateway in this process: ``await gateway({...})``.

    The configuration is a mapping; the store and the journal live in the test's own folder.
    """
    from gomodel_proxy.http.gateway import Gateway

    from .served import completed

    async with AsyncExitStack() as stack:
        count = 0

        async def open_one(config: Mapping[str, Any], **more: Any) -> Gateway:
            nonlocal count
            count += 1
            folder = tmp_path / f"gateway{count}"
            return await stack.enter_async_context(Gateway(completed(config, folder), **more))

        yield open_one


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Callable[..., Awaitable[Served]]]:
    """Return a function that serves a gateway on a loopback port: ``await served({...})``.

    It is the command's own server, fast lane included; ``.url``, ``.gateway``, ``.stop()``.
    """
    from .served import Served

    async with AsyncExitStack() as stack:
        count = 0

        async def serve_one(config: Mapping[str, Any], **more: Any) -> Served:
            nonlocal count
            count += 1
            folder = tmp_path / f"served{count}"
            return await stack.enter_async_context(Served(config, folder, **more))

        yield serve_one


@pytest.fixture(scope="session")
def sandbox() -> Iterator[SandboxProcess]:
    """Return the sandbox as a server process of its own: an upstream that can misbehave.

    Faults are asked for by model name, such as ``sandbox-echo+cut=120``.
    """
    from .processes import SandboxProcess

    with SandboxProcess() as process:
        yield process


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Return the URL of a real PostgreSQL, one for the whole run; skips loudly if there is none."""
    from .postgres import NoPostgres, shared_server

    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    with ExitStack() as stack:
        try:
            url = stack.enter_context(shared_server(run))
        except NoPostgres as error:
            pytest.skip(f"{NO_POSTGRES}: {error}")
        yield url


@pytest.fixture
async def postgres(postgres_server: str) -> AsyncIterator[dict[str, Any]]:
    """Return a ``[store]`` of type ``postgres``: a schema of the test's own, dropped behind it."""
    import uuid

    import asyncpg

    schema = f"test_{uuid.uuid4().hex}"
    yield {"type": "postgres", "url": postgres_server, "schema": schema}
    connection = await asyncpg.connect(postgres_server)
    try:
        await connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
    finally:
        await connection.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in red what a skipped test would only whisper."""
    reasons = {str(report.longrepr) for report in terminalreporter.stats.get("skipped", ())}
    if any(NO_POSTGRES in reason for reason in reasons):
        terminalreporter.section(NO_POSTGRES, red=True, bold=True)
        terminalreporter.line("Tests of the PostgreSQL store were skipped.", red=True)
        for reason in sorted(reasons):
            if NO_POSTGRES in reason:
                terminalreporter.line(reason, red=True)
