"""A process that writes to a store: ``writer_process.py FOLDER NAME BATCHES``.

Prints the number of each batch of 50 rows once it is committed.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import structlog

from gomodel_proxy.testing.store_case import NOON, attempt, row
from gomodel_proxy_sqlite.config import SqliteConfig
from gomodel_proxy_sqlite.store import open_store

BATCH = 50


async def main(folder: str, name: str, batches: int) -> None:
    runtime: Any = SimpleNamespace(
        name="store", base=Path(folder), log=structlog.wrap_logger(structlog.ReturnLogger())
    )
    async with open_store(SqliteConfig(), runtime) as store:
        for batch in range(batches):
            numbers = range(batch * BATCH, (batch + 1) * BATCH)
            await store.ledger.write(
                [
                    row(f"{name}{n:06}", started=NOON + n, attempts=[attempt(total_cost=1)] * 2)
                    for n in numbers
                ]
            )
            print(batch, flush=True)  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
