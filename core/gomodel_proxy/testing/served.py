"""A gateway on a loopback port, in the test's own process and loop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Self

from gomodel_proxy.api import Query
from gomodel_proxy.http.gateway import Gateway
from gomodel_proxy.http.server import Server

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["Served", "completed"]


def completed(config: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return a configuration whose files are in ``folder`` and whose port is a free one."""
    folder.mkdir(parents=True, exist_ok=True)
    whole = {name: dict(table) for name, table in config.items()}
    whole.setdefault("server", {}).setdefault("port", 0)
    whole.setdefault("accounting", {}).setdefault("journal", str(folder / "journal"))
    whole.setdefault("store", {"type": "sqlite", "path": str(folder / "gomodel.db")})
    return whole


class Served:
    """A running server. ``url`` is its address; `stop` ends it as SIGTERM would."""

    def __init__(self, config: Mapping[str, Any], folder: Path, **more: Any) -> None:
        self.gateway = Gateway(completed(config, folder), **more)
        self._server = Server(self.gateway)
        self._stopped = False

    async def __aenter__(self) -> Self:
        await self.gateway.__aenter__()
        try:
            await self._server.start()
        except BaseException:
            await self.gateway.__aexit__(None, None, None)
            raise
        return self

    @property
    def url(self) -> str:
        """Where it listens."""
        return self._server.address

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.url.rpartition(":")[2])

    async def row(self) -> dict[str, Any]:
        """Return the ledger's newest row."""
        generation = self.gateway.generation
        await generation.books.flush()
        if generation.store is None or generation.store.ledger is None:
            raise LookupError("this gateway keeps no ledger")
        (row,) = await generation.store.ledger.log(Query(limit=1))
        return dict(row)

    async def stop(self, grace: float = 5.0) -> None:
        """Take no new requests, let those under way end, close everything."""
        if not self._stopped:
            self._stopped = True
            await self._server.stop(grace, asyncio.Event())
            await self.gateway.__aexit__(None, None, None)

    async def __aexit__(self, *exc: object) -> None:
        await self.stop(0.2)
