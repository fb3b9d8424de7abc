from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from gomodel_proxy_sqlite.database import Database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


def runtime_in(folder: Path) -> Any:
    """Return what the gateway tells a store that it opens."""
    return SimpleNamespace(name="store", base=folder, log=structlog.get_logger("store"))


@pytest.fixture
def runtime(tmp_path: Path) -> Any:
    """What the gateway tells a store whose data are in the test's folder."""
    return runtime_in(tmp_path)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """An open database without a store around it."""
    async with Database(tmp_path / "gomodel.db", 5.0) as opened:
        yield opened
