from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gomodel_proxy.testing.store_suite import StoreSuite
from gomodel_proxy_sqlite.config import SqliteConfig
from gomodel_proxy_sqlite.store import open_store

from .conftest import runtime_in

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path


class TestSqlite(StoreSuite):
    def open_store(self, tmp_path: Path) -> AbstractAsyncContextManager[Any]:
        return open_store(SqliteConfig(), runtime_in(tmp_path))
