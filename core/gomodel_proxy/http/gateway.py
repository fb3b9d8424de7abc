"""The gateway as an object: entered, it serves; it can also be called without a socket."""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import msgspec

from gomodel_proxy import builtin
from gomodel_proxy.api import ANONYMOUS, GatewayError, Principal
from gomodel_proxy.config import Configuration, load
from gomodel_proxy.engine.generation import Generation, opened
from gomodel_proxy.engine.pipeline import serve
from gomodel_proxy.logs import RequestLog, logger
from gomodel_proxy.plugins import Plugins

from .assets import AssetFetcher
from .local import LocalSink

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

__all__ = ["Gateway"]


class Gateway:
    """One configuration, served. Enter it with ``async with``; two of them share nothing.

    ``config`` is a path to a TOML file, a mapping of the same shape, a loaded `Configuration`, or
    None for providers from the environment. ``plugins`` may bring objects of the application's own.
    """

    def __init__(
        self,
        config: Path | str | Mapping[str, Any] | Configuration | None = None,
        *,
        plugins: Plugins | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self.plugins = plugins or Plugins()
        self.plugins.add(builtin, builtin.NAME)
        if isinstance(config, Configuration):
            self.configuration = config
        else:
            source = Path(config) if isinstance(config, str) else config
            self.configuration = load(source, self.plugins, environ)
        self._generation: Generation | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        c = self.configuration
        rows = RequestLog(c.logs, secrets=c.secrets())
        log = logger(c.logs, c.secrets())
        self._generation = await self._stack.enter_async_context(
            opened(c, self.plugins, log, rows.write, AssetFetcher(c.assets))
        )
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()
        self._generation = None

    @property
    def generation(self) -> Generation:
        """What serves now; raises RuntimeError outside ``async with``."""
        if self._generation is None:
            raise RuntimeError("the gateway is not running: use 'async with gateway:'")
        return self._generation

    async def chat(self, *, principal: Principal = ANONYMOUS, **body: Any) -> Any:
        """Return the reply to an OpenAI chat request, as a dict: ``model=…, messages=[…]``.

        Raises `GatewayError`. Use `stream` for ``stream=True``.
        """
        return await self.call("openai.chat", body, principal=principal)

    async def call(
        self, dialect: str, body: Mapping[str, Any], *, principal: Principal = ANONYMOUS
    ) -> Any:
        """Return the reply to a request in any dialect, as a dict; raises `GatewayError`."""
        sink = await self._run(dialect, {**body, "stream": False}, principal)
        return sink.result()

    async def stream(
        self, dialect: str = "openai.chat", *, principal: Principal = ANONYMOUS, **body: Any
    ) -> AsyncIterator[Any]:
        """Yield the events of a streamed reply as dicts; leaving the loop drops the upstream."""
        sink = LocalSink()
        work = asyncio.ensure_future(
            self._serve(dialect, {**body, "stream": True}, principal, sink)
        )
        work.add_done_callback(sink.over)
        try:
            async for event in sink.events():
                yield event
            await work
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    async def _run(self, dialect: str, body: Mapping[str, Any], principal: Principal) -> LocalSink:
        sink = LocalSink()
        await self._serve(dialect, body, principal, sink)
        return sink

    async def _serve(
        self, dialect: str, body: Mapping[str, Any], principal: Principal, sink: LocalSink
    ) -> None:
        g = self.generation
        try:
            spoken = g.dialects[dialect]
        except KeyError:
            raise GatewayError(
                f"No dialect is called '{dialect}'; known are {', '.join(sorted(g.dialects))}."
            ) from None
        data = msgspec.json.encode(body)
        await serve(g, spoken, {}, data, sink, principal=principal)
