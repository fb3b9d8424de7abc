"""SQLite storage for gomodel-proxy: the ledger and who owns what, in one file."""

from __future__ import annotations

from typing import Final

from gomodel_proxy.api import Kind, Store
from gomodel_proxy.hookspecs import hookimpl

from .config import SqliteConfig
from .store import open_store

GOMODEL_API: Final = 1


@hookimpl
def gomodel_stores() -> list[Kind[Store]]:
    """Offer ``[store] type = "sqlite"``."""
    return [Kind("sqlite", SqliteConfig, open_store)]
