from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gomodel_proxy.testing.store_suite import StoreSuite
from gomodel_proxy_postgres.store import open_store

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from gomodel_proxy_postgres.config import PostgresConfig


class TestPostgres(StoreSuite):
    @pytest.fixture(autouse=True)
    def _configured(self, config: PostgresConfig, runtime: Any) -> None:
        self.config, self.runtime = config, runtime

    def open_store(self, tmp_path: Path) -> AbstractAsyncContextManager[Any]:
        return open_store(self.config, self.runtime)
