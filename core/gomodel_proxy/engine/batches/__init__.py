"""Batches: taken in, executed or handed to vendors, settled, ended."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from .executor import Executor
from .steward import Steward
from .webhook import key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gomodel_proxy.engine.generation import Generation

__all__ = ["working"]

_PATIENCE: Final = 2.0  # seconds for lines under way; a server that stops has waited already


@contextlib.asynccontextmanager
async def working(g: Generation) -> AsyncIterator[None]:
    """Work on the store's batches, if this process is to; raises `ConfigError`."""
    if g.configuration.batches.webhook_secret:
        key(g.configuration.batches.webhook_secret)
    batches = g.store.batches if g.store is not None else None
    if batches is None or not g.configuration.batches.work:
        yield
        return
    executor, steward = Executor(g, batches), Steward(g, batches)
    executor.start()
    steward.start()
    try:
        yield
    finally:
        await steward.stop()
        await executor.stop(_PATIENCE)
