from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import structlog

from gomodel_proxy.testing.store_suite import StoreSuite
from gomodel_proxy_sqlite.config import SqliteConfig
from gomodel_proxy_sqlite.store import open_store

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path


class TestSqlite(StoreSuite):
    def open_store(self, tmp_path: Path) -> AbstractAsyncContextManager[Any]:
        runtime: Any = SimpleNamespace(
            name="store", base=tmp_path, log=structlog.get_logger("store")
        )
        return open_store(SqliteConfig(), runtime)
