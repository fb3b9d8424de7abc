"""A gateway without sockets: its vendors play what a test says, for callers of every dialect."""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import msgspec
import structlog
from structlog.testing import LogCapture

from gomodel_proxy import builtin
from gomodel_proxy.config import load
from gomodel_proxy.engine.generation import opened
from gomodel_proxy.engine.pipeline import serve
from gomodel_proxy.engine.run import Run
from gomodel_proxy.http.assets import AssetFetcher
from gomodel_proxy.plugins import Plugins

from .pieces import Got, Playing
from .recorded import ACCOUNTS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping

    from gomodel_proxy.api import Exchange, LedgerRow, Receiver, UpstreamRequest
    from gomodel_proxy.engine.generation import Generation

    from .pieces import Play
    from .streams import Stream

_TOGETHER = 64  # calls under way at once: a turn of the loop costs more than most of them
_PATIENCE = 60  # seconds; only what is broken takes that long
_HELLO = [{"role": "user", "content": "Hi"}]

BODIES: Mapping[str, Callable[[str], dict[str, Any]]] = {
    "openai.chat": lambda model: {
        "model": model,
        "messages": _HELLO,
        "stream": True,
        "stream_options": {"include_usage": True},
    },
    "openai.responses": lambda model: {"model": model, "input": "Hi", "stream": True},
    "anthropic.messages": lambda model: {
        "model": model,
        "messages": _HELLO,
        "max_tokens": 999,
        "stream": True,
    },
    "gemini.generate": lambda _: {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]},
}
"""What callers of each dialect ask a model; the last one says the rest in its path."""


class Unplugged:
    """The gateway, and the transport of all its accounts."""

    def __init__(self, generation: Generation, rows: list[LedgerRow], log: LogCapture) -> None:
        self._g = generation
        self._rows = rows
        self._log = log
        self._numbers = itertools.count()
        self._asked: dict[str, Got] = {}
        self._content_type = ""
        self._running = 0
        self._idle = asyncio.Event()
        for account in generation.accounts.values():
            account.transport = self

    def open(self, request: UpstreamRequest, receiver: Receiver) -> Exchange:
        headers = dict((*request.headers, *request.extra))
        return Playing(self._asked[headers["x-request-id"]], self._content_type, receiver)

    async def one(self, caller: str, stream: Stream, play: Play) -> Got:
        """Return what a caller gets of a play, see `each`."""
        (got,) = [got async for got in self.each(caller, stream, [play])]
        return got

    async def each(self, caller: str, stream: Stream, plays: Iterable[Play]) -> AsyncIterator[Got]:
        """Yield what a caller gets of each play, in order, with the only row that it has.

        Whatever is raised or logged as an error makes this raise.
        """
        self._content_type = stream.content_type
        anonymous = stream.dialect == "bedrock"
        left = iter(plays)
        while some := list(itertools.islice(left, _TOGETHER)):
            self._asked = {
                f"ask-{next(self._numbers)}": Got(play, anonymous=anonymous) for play in some
            }
            await self._serve(caller, f"{ACCOUNTS[stream.dialect]}/{stream.model}")
            self._settle()
            for got in self._asked.values():
                yield got

    async def _serve(self, caller: str, model: str) -> None:
        dialect = self._g.dialects[caller]
        body = json.dumps(BODIES[caller](model)).encode()
        path = {"model": model, "method": "streamGenerateContent", "alt": "sse"}
        if caller != "gemini.generate":
            path = {}
        self._idle.clear()
        self._running = len(self._asked)
        for id_, got in self._asked.items():
            work = serve(self._g, dialect, {"x-request-id": id_}, body, got, path)
            Run(self._counted(work)).resume()
        async with asyncio.timeout(_PATIENCE):
            await self._idle.wait()
        await self._g.books.flush()

    async def _counted(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        finally:
            self._running -= 1
            if not self._running:
                self._idle.set()

    def _settle(self) -> None:
        faults = [fault for got in self._asked.values() for fault in got.faults]
        assert faults == []
        errors = [one for one in self._log.entries if one["log_level"] not in ("info", "warning")]
        assert errors == []
        assert sorted(row.request_id for row in self._rows) == sorted(self._asked)
        for row in self._rows:
            self._asked[row.request_id].row = row
        self._log.entries.clear()
        self._rows.clear()


@asynccontextmanager
async def unplug(providers: dict[str, dict[str, Any]]) -> AsyncIterator[Unplugged]:
    """Open a gateway that keeps no store: its rows go to the test, and so does its log."""
    rows: list[LedgerRow] = []
    log, plugins = LogCapture(), Plugins()
    plugins.add(builtin, builtin.NAME)
    tables = {"upstream": {"retries": 0}, "providers": providers}
    configuration = msgspec.structs.replace(load(tables, plugins, {}), store=None)
    logger = structlog.wrap_logger(None, processors=[log])
    fetcher = AssetFetcher(configuration.assets)
    async with opened(configuration, plugins, logger, rows.extend, fetcher) as generation:
        gc.freeze()  # what the SDKs define need not be searched again with each thousand calls
        yield Unplugged(generation, rows, log)
        gc.unfreeze()
