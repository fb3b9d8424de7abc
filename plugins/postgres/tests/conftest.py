from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import structlog

from gomodel_proxy.api import Secret
from gomodel_proxy_postgres.config import PostgresConfig
from gomodel_proxy_postgres.database import Database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


def configured(table: dict[str, Any], **more: Any) -> PostgresConfig:
    """Return what the gateway makes of a ``[store]`` table."""
    return msgspec.convert(
        {**table, **more},
        PostgresConfig,
        dec_hook=lambda kind, value: Secret(value) if kind is Secret else value,
    )


@pytest.fixture
def config(postgres: dict[str, Any]) -> PostgresConfig:
    """Return the settings of a store in a schema of the test's own."""
    return configured(postgres)


@pytest.fixture
def runtime(tmp_path: Path) -> Any:
    """What the gateway tells a store that it opens."""
    return SimpleNamespace(name="store", base=tmp_path, log=structlog.get_logger("store"))


@pytest.fixture
async def database(config: PostgresConfig) -> AsyncIterator[Database]:
    """An open database without a store around it."""
    async with Database(config) as opened:
        yield opened
