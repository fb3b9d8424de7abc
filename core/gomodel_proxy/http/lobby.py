"""What all connections of one server share, and the sweep that looks after their time limits."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from .framing import Limit
from .outbox import Outbox
from .upload_limits import FILE_LIMIT, FORM, UPLOADS

if TYPE_CHECKING:
    from collections.abc import Callable

    from gomodel_proxy.api import Dialect
    from gomodel_proxy.engine.generation import Generation

    from .fast import FastSink
    from .front import Front

__all__ = ["Lobby"]


class Lobby:
    """What all connections of one server share: settings, the generation, who is here."""

    def __init__(self, generation: Generation, inner: Callable[[], asyncio.Protocol]) -> None:
        self.generation = generation
        self.inner = inner
        self.settings = generation.configuration.server
        self.dialects = {
            path: dialect for path, dialect in generation.paths.items() if "{" not in path
        }
        self.default = generation.default
        self.uploads = {
            UPLOADS: Limit(generation.configuration.batches.file_limit + FORM, FILE_LIMIT)
        }
        self.fronts: set[Front] = set()
        self.loop = asyncio.get_running_loop()
        self.outbox: Outbox[FastSink] = Outbox(self.loop)
        self._sweep: asyncio.TimerHandle | None = None

    def dialect(self, path: str) -> Dialect:
        """Return the dialect that errors on this path are written in."""
        return self.generation.dialect_at(path) or self.default

    def start(self) -> None:
        """Begin to look after time limits, twice a second."""
        self._sweep = self.loop.call_later(0.5, self._check)

    def _check(self) -> None:
        now = self.loop.time()
        for front in list(self.fronts):
            front.check(now)
        self._sweep = self.loop.call_later(0.5, self._check)

    def stop(self) -> None:
        """Look no longer."""
        if self._sweep is not None:
            self._sweep.cancel()

    @property
    def busy(self) -> list[Front]:
        """Connections with a request under way."""
        return [front for front in self.fronts if front.busy]

    def close_idle(self) -> None:
        """Close connections that wait for a next request."""
        for front in list(self.fronts):
            if not front.busy:
                front.close()

    def cut_off(self) -> None:
        """End what is still under way, with an error the client can read."""
        for front in list(self.fronts):
            front.cut_off()

    def abort(self) -> None:
        """Close every connection now."""
        for front in list(self.fronts):
            front.abort()
