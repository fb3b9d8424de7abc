"""Workers for test_accounting: each keeps books until it is killed, and says what it has done.

For each line on standard input one is forked (a fresh process, without the time to start one).
Lines on standard output, each written when the call has returned: ``i <id>`` an intent,
``s <row>`` a settlement, ``c <rows>`` a commit; the pipe is the store. ``p <pid>`` comes first,
``x`` when the worker is dead; an empty line before it says that the last line was not cut.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import structlog

from gomodel_proxy.api import Attempt, LedgerRow, Usage
from gomodel_proxy.engine import ids
from gomodel_proxy.engine.accounting import Accounts

if TYPE_CHECKING:
    from collections.abc import Sequence

IN_FLIGHT = 8


def say(line: bytes) -> None:
    line += b"\n"
    while line:
        line = line[os.write(1, line) :]


class Pipe:
    async def write(self, rows: Sequence[LedgerRow]) -> None:
        say(b"c " + msgspec.json.encode(rows))


def attempt(row_id: str, number: int) -> Attempt:
    return Attempt(
        id=f"{row_id}.{number}", provider="a", type="sandbox", model="m", started=ids.now()
    )


def opened() -> LedgerRow:
    row_id = ids.new("req_")
    return LedgerRow(
        id=row_id,
        request_id="r",
        started=ids.now(),
        principal="p",
        user_path="/",
        operation="chat",
        dialect="openai.chat",
        model="m",
        provider="a",
        type="sandbox",
        served_model="m",
        attempts=[attempt(row_id, 0)],
    )


def settle(books: Accounts, row: LedgerRow, number: int) -> None:
    if random.random() < 0.2:
        row.attempts[0].status = "error"
        row.attempts.append(attempt(row.id, 1))
        books.attempt(row)
    last = row.attempts[-1]
    last.usage = Usage(input=number, output=random.randrange(9), raw=b"{}" * random.randrange(40))
    last.status = row.status = "ok"
    books.settle(row)
    say(b"s " + msgspec.json.encode(row))


async def work(folder: Path) -> None:
    async with Accounts(
        ledger=Pipe(),  # type: ignore[arg-type]
        resources=None,
        journal=folder,
        fsync="off",
        flush_interval=0.002,
        log=structlog.get_logger(),
        on_rows=lambda rows: None,
        segment_size=8192,
    ) as books:
        running: list[LedgerRow] = []
        for number in count():
            if len(running) < IN_FLIGHT and random.random() < 0.6:
                row = opened()
                books.intent(row)
                say(b"i " + row.id.encode())
                running.append(row)
            elif running:
                settle(books, running.pop(random.randrange(len(running))), number)
            await asyncio.sleep(0)


for _ in sys.stdin:
    pid = os.fork()
    if pid == 0:
        say(b"p %d" % os.getpid())
        asyncio.run(work(Path(sys.argv[1])))
    os.waitpid(pid, 0)
    say(b"\nx")
