"""Pytest fixtures, there for everybody who has gomodel-proxy installed.

Imports are made inside the fixtures, so that a test run without them pays nothing and coverage
sees the modules it measures being imported.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
    from pathlib import Path

    from gomodel_proxy.http.gateway import Gateway

    from .processes import SandboxProcess
    from .served import Served


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
