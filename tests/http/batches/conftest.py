"""What tests of executed batches begin with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gomodel_proxy.testing.lines import Asked, Line, LineServer

from .line_house import House, reply_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
    from pathlib import Path

    from gomodel_proxy.testing.served import Served

QUICK = {"look": "20ms", "retry_wait": "5ms", "retry_max_wait": "20ms", "tries": 2, "lease": "2s"}


@pytest.fixture
async def open_house(
    served: Callable[..., Awaitable[Served]], unused_tcp_port: int, tmp_path: Path
) -> AsyncIterator[Callable[..., Awaitable[House]]]:
    async def echo(line: Line, asked: Asked) -> None:
        await line.send(reply_of(asked))

    async with LineServer(echo) as vendor:

        async def opened(
            provider: Mapping[str, Any] | None = None, name: str = "up", **batches: Any
        ) -> House:
            def account(port: int) -> dict[str, Any]:
                return {
                    "type": "openai_compatible",
                    "base_url": f"http://127.0.0.1:{port}/v1",
                    "api_key": "sk-canary-9",
                    "models": ["m"],
                    "models_mode": "allowlist",
                    **(provider or {}),
                }

            gateway = await served(
                {
                    "batches": {**QUICK, **batches},
                    "upstream": {"retries": 0},
                    "store": {"type": "sqlite", "path": str(tmp_path / "shared.db")},
                    "providers": {name: account(vendor.port), "down": account(unused_tcp_port)},
                }
            )
            return House(gateway, vendor)

        yield opened
