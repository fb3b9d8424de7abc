"""Handing a shipment over to its vendor: once, or not at all, or nobody can tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gomodel_proxy.api import GatewayError, Unavailable, UpstreamError, UpstreamUnreachable

from .cargo import TOGETHER, commit, lines_of_shipment, open_lines, yielding
from .crossing import line_id

if TYPE_CHECKING:
    from gomodel_proxy.api import Batch, Batches, Headers, Outcome, Shipment
    from gomodel_proxy.engine.generation import Generation

    from .crossing import Crossing

__all__ = ["headers_for", "ids_of", "load", "surely_refused"]


async def load(
    batches: Batches, crossing: Crossing, batch: Batch, shipment: Shipment
) -> list[bytes]:
    """Return the lines as the vendor takes them; those that cannot be sent get their error.

    Raises `Unavailable` while nobody knows whose models there are.
    """
    loaded: list[bytes] = []
    refused: list[Outcome] = []
    async for lines in lines_of_shipment(batches, batch, shipment):
        for line in lines:
            try:
                loaded.append(await crossing.out(line))
            except Unavailable:
                raise
            except GatewayError as error:
                refused.append(crossing.refused(line, error))
            await yielding(len(loaded) + len(refused))
        if len(refused) >= TOGETHER:
            await commit(batches, refused)
            refused = []
    await commit(batches, refused)
    return loaded


async def ids_of(batches: Batches, batch: Batch, shipment: Shipment) -> list[str]:
    """Return the ids that the vendor knows the lines by; those not sent have their error."""
    pieces = open_lines(batches, batch, shipment)
    return [line_id(batch.id, line.index) async for lines in pieces for line in lines]


def headers_for(g: Generation, batch: Batch, shipment: Shipment) -> Headers:
    """Return the caller's headers that go on to the vendor with these lines."""
    allowed = g.dialects[shipment.dialect].headers
    return tuple(pair for pair in batch.headers if pair[0] in allowed)


def surely_refused(error: UpstreamError) -> bool:
    """Return whether the vendor has certainly taken nothing.

    Too little time, a broken connection and a fault of the vendor's leave it open.
    """
    if isinstance(error, UpstreamUnreachable) or error.retry:
        return True
    return 400 <= error.status < 500 and error.status != 408
