"""A process that works at a store: ``writer_process.py URL SCHEMA``.

Leases and commits lines until there are none, printing the number of lines after each commit.
"""

from __future__ import annotations

import asyncio
import sys
from types import SimpleNamespace
from typing import Any

import structlog

from gomodel_proxy.api import Secret
from gomodel_proxy.testing.batch_case import NOW, SOON, count, outcome
from gomodel_proxy_postgres.config import PostgresConfig
from gomodel_proxy_postgres.store import open_store


async def main(url: str, schema: str) -> None:
    log = structlog.wrap_logger(structlog.PrintLogger(sys.stderr))
    runtime: Any = SimpleNamespace(name="store", log=log)
    config = PostgresConfig(
        url=Secret(url), schema=schema, responses_days=0, batches_days=0, files_days=0
    )
    async with open_store(config, runtime) as store:
        while leased := await store.batches.lease({"acme": 20}, NOW, SOON):
            kept = await store.batches.commit([outcome(lease) for lease in leased], count)
            print(sum(kept), flush=True)  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
