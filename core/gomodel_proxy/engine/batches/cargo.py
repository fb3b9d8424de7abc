"""The lines of a shipment, as the store has them: walked through in pieces, settled in pieces."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from gomodel_proxy.engine.ids import now

from .states import counted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from gomodel_proxy.api import Batch, Batches, BatchLine, Outcome, Shipment

__all__ = ["TOGETHER", "commit", "lines_of_shipment", "open_lines", "settle_all", "yielding"]

TOGETHER: Final = 500
"""Lines in one piece, and outcomes in one commit."""

_BREATH: Final = 16  # lines between which others may run


async def lines_of_shipment(
    batches: Batches, batch: Batch, shipment: Shipment
) -> AsyncIterator[Sequence[BatchLine]]:
    """Yield a shipment's lines in pieces, whether they have a result or not."""
    after = -1
    while True:
        lines = await batches.lines(batch.id, limit=TOGETHER, after=after, shipment=shipment.number)
        if not lines:
            return
        yield lines
        after = lines[-1].index


async def open_lines(
    batches: Batches, batch: Batch, shipment: Shipment
) -> AsyncIterator[Sequence[BatchLine]]:
    """Yield a shipment's lines that have no result, in pieces."""
    async for lines in lines_of_shipment(batches, batch, shipment):
        left = await batches.pick(batch.id, [line.index for line in lines])
        if left:
            yield left


async def commit(batches: Batches, outcomes: Sequence[Outcome]) -> None:
    """Keep results with their charges. A line that has one takes no other."""
    if outcomes:
        await batches.commit(outcomes, lambda batch, kept: counted(batch, kept, now()))


async def settle_all(
    batches: Batches, batch: Batch, shipment: Shipment, outcome: Callable[[BatchLine], Outcome]
) -> None:
    """Give the same end to every line of a shipment that has none."""
    async for lines in open_lines(batches, batch, shipment):
        await commit(batches, [outcome(line) for line in lines])


async def yielding(count: int) -> None:
    """Let others run, every few lines."""
    if count % _BREATH == 0:
        await asyncio.sleep(0)
