"""Fixtures: one gateway and its vendors for each module."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest_asyncio

from gomodel_proxy.testing.served import Served

from .sdk import Callers
from .setting import Setting, config
from .vendor import Vendor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest

    from gomodel_proxy.testing.processes import SandboxProcess


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def setting(
    tmp_path_factory: pytest.TempPathFactory, sandbox: SandboxProcess
) -> AsyncIterator[Setting]:
    async with AsyncExitStack() as stack:
        vendor = Vendor()
        await vendor.server.start_server()
        stack.push_async_callback(vendor.server.close)
        folder = tmp_path_factory.mktemp("gate")
        gate = await stack.enter_async_context(Served(config(vendor, sandbox), folder))
        yield Setting(gate, vendor, lambda url: Callers(url.rstrip("/"), stack))


@pytest_asyncio.fixture(loop_scope="module")
async def vendor(setting: Setting) -> Vendor:
    setting.vendor.forget()
    return setting.vendor


@pytest_asyncio.fixture(loop_scope="module")
async def gate(setting: Setting) -> Served:
    return setting.gate


@pytest_asyncio.fixture(loop_scope="module")
async def callers(setting: Setting, vendor: Vendor) -> Callers:
    return setting.callers
