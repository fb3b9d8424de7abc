"""Settling a shipment: its vendor's results become its lines' results, each once.

It can be stopped anywhere and begun again: a line that has a result takes no other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from gomodel_proxy.api import UpstreamError

from .cargo import TOGETHER, commit, settle_all, yielding
from .crossing import line_index
from .dialogue import ask
from .jsonl import lines_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from gomodel_proxy.api import (
        Batch,
        Batches,
        Outcome,
        PagedResults,
        Shipment,
        Shipping,
        UpstreamRequest,
        VendorResult,
    )
    from gomodel_proxy.engine.account import Account
    from gomodel_proxy.engine.generation import Generation

    from .crossing import Crossing

__all__ = ["Settlement"]

_SIZE: Final = 8 << 20  # bytes of results in one commit


class Settlement:
    """Settles one shipment that has ended. ``stopping``: its batch takes what there is, no more."""

    def __init__(
        self,
        g: Generation,
        batches: Batches,
        account: Account,
        shipping: Shipping,
        crossing: Crossing,
        batch: Batch,
        shipment: Shipment,
        *,
        stopping: bool,
    ) -> None:
        self._g = g
        self._batches = batches
        self._account = account
        self._shipping = shipping
        self._crossing = crossing
        self._batch = batch
        self._shipment = shipment
        self._stopping = stopping
        self._seen: set[int] = set()
        self._strange = 0

    async def run(self) -> None:
        """Settle every line; raises `UpstreamError` where the results cannot be had now."""
        for request in self._shipping.results(self._shipment):
            await self._settle(request)
        if self._strange:
            self._g.log.warning(
                "batch.strange_results",
                batch=self._batch.id,
                provider=self._account.name,
                shipment=self._shipment.number,
                lines=self._strange,
            )
        await self._close()

    async def _settle(self, request: UpstreamRequest) -> None:
        """Settle what one reply holds; one that is gone for good holds nothing."""
        waiting: dict[int, VendorResult] = {}
        size = 0
        try:
            async for lines in self._pieces(request):
                for line in lines:
                    self._read(line, waiting)
                    size += len(line)
                    if len(waiting) >= TOGETHER or size > _SIZE:
                        await self._commit(waiting)
                        waiting, size = {}, 0
        except UpstreamError as error:
            await self._commit(waiting)
            if error.status not in (404, 410):
                raise
            self._g.log.error(
                "batch.results_gone", batch=self._batch.id, provider=self._account.name
            )
            return
        await self._commit(waiting)

    async def _pieces(self, request: UpstreamRequest) -> AsyncIterator[Sequence[bytes]]:
        if not hasattr(self._shipping, "page"):
            limit = self._g.configuration.upstream.reply_limit
            async for piece in lines_of(self._account, request, limit):
                yield piece
            return
        paged = cast("PagedResults", self._shipping)
        following: UpstreamRequest | None = request
        while following is not None:
            reply = await ask(self._g, self._account, following)
            try:
                lines, following = paged.page(self._shipment, reply.body)
            except ValueError as error:
                raise UpstreamError(
                    "The provider's page of results makes no sense.", code="malformed_reply"
                ) from error
            yield lines

    def _read(self, line: bytes, waiting: dict[int, VendorResult]) -> None:
        """Take one result, unless it makes no sense, is nobody's, or comes a second time."""
        try:
            result = self._shipping.result(line)
        except (ValueError, KeyError, TypeError, AttributeError):
            self._strange += 1
            return
        index = line_index(self._batch.id, result.line)
        if index is None or index in self._seen:
            self._strange += 1
            return
        self._seen.add(index)
        waiting[index] = result

    async def _commit(self, waiting: dict[int, VendorResult]) -> None:
        if not waiting:
            return
        outcomes: list[Outcome] = []
        for line in await self._batches.pick(self._batch.id, sorted(waiting)):
            result = waiting[line.index]
            if line.shipment != self._shipment.number:
                self._strange += 1
            elif result.kind == "done" or not self._stopping:
                outcomes.append(await self._crossing.back(line, result))
            await yielding(len(outcomes))
        await commit(self._batches, outcomes)

    async def _close(self) -> None:
        """Give an end to the lines of which the results say nothing.

        Those of a batch that is stopping need none: its status tells of them.
        """
        rest = self._shipment.rest
        if self._stopping and (self._shipment.cancelled or rest != "missing"):
            return
        await settle_all(
            self._batches,
            self._batch,
            self._shipment,
            self._crossing.missing
            if rest == "missing"
            else lambda line: self._crossing.unexecuted(line, rest),
        )
