"""PostgreSQL storage for gomodel-proxy: every part of the store in one schema of a database."""

from __future__ import annotations

from typing import Final

from gomodel_proxy.api import Kind, Store
from gomodel_proxy.hookspecs import hookimpl

from .config import PostgresConfig
from .store import open_store

GOMODEL_API: Final = 1


@hookimpl
def gomodel_stores() -> list[Kind[Store]]:
    """Offer ``[store] type = "postgres"``."""
    return [Kind("postgres", PostgresConfig, open_store)]
