"""Looking after shipments: each step is recorded before the next one is taken.

planned → sending → sent → ended → settled, or failed. Whoever finds one "sending" does not know
whether the vendor has it, and looks before anything is sent again; see `Shipment`.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from gomodel_proxy.api import BatchError, Unavailable, UpstreamError, UpstreamUnreachable
from gomodel_proxy.engine.ids import now as clock

from .cargo import settle_all
from .crossing import Crossing
from .dialogue import converse, dismiss
from .settlement import Settlement
from .states import shipped
from .submission import headers_for, ids_of, load, surely_refused

if TYPE_CHECKING:
    from gomodel_proxy.api import Batch, Batches, Shipment, Shipping, VendorBatch
    from gomodel_proxy.engine.generation import Generation

__all__ = ["UNCERTAIN", "advance"]

UNCERTAIN: Final = "submission_uncertain"
"""The code of a batch's error about a shipment that a vendor may or may not have taken."""

_SECOND: Final = 1_000_000
_OVER: Final = ("settled", "failed")
_GROWTH: Final = 1.5  # of the pause between two looks


async def advance(g: Generation, batch: Batch, token: int, now: int) -> None:
    """Do what is due for a batch's shipments, and leave its ``due`` at the next time.

    It may be stopped at any point: all that has been done is in the store, or is found again.
    """
    batches = g.store.batches if g.store is not None else None
    if batches is None:
        return
    tried: set[int] = set()
    current: Batch | None = batch
    while current is not None:
        shipment = _next(current, max(now, clock()), tried)
        if shipment is None:
            break
        tried.add(shipment.number)
        current = await _Step(g, batches, current, shipment, token).run()
    await batches.change(batch.id, lambda it: replace(it, due=_due(it, clock())), token)


def stopping(batch: Batch, now: int) -> bool:
    """Return whether a batch wants no more lines executed."""
    return batch.status in ("cancelling", "finalizing") or now >= batch.expires


def _next(batch: Batch, now: int, tried: set[int]) -> Shipment | None:
    """Return a shipment with something to do now. To be stopped never waits."""
    stop = stopping(batch, now)
    for shipment in batch.shipments:
        if shipment.state in _OVER:
            continue
        if shipment.due <= now:
            return shipment
        unstopped = shipment.state in ("planned", "uncertain", "sent") and not shipment.cancelled
        if stop and unstopped and shipment.number not in tried:
            return shipment
    return None


def _due(batch: Batch, now: int) -> int:
    """Return when somebody must look after it again: at once, if nothing is left to look for."""
    due = min((one.due for one in batch.shipments if one.state not in _OVER), default=now)
    return due if stopping(batch, now) else min(due, batch.expires)


class _Step:
    """One step of one shipment; `run` returns the batch after it, None if the claim is lost."""

    def __init__(
        self, g: Generation, batches: Batches, batch: Batch, shipment: Shipment, token: int
    ) -> None:
        self._g = g
        self._settings = g.configuration.batches
        self._batches = batches
        self._batch = batch
        self._shipment = shipment
        self._token = token
        self._stopping = stopping(batch, clock())

    async def run(self) -> Batch | None:
        shipment = self._shipment
        account = self._g.accounts.get(shipment.provider)
        shipping: Shipping | None = getattr(account and account.provider, "shipping", None)
        if account is None or shipping is None:
            return await self._homeless()
        self._account, self._shipping = account, shipping
        self._crossing = Crossing(self._g, account, shipping, self._batch, shipment)
        if shipment.state == "planned":
            return await (self._put(state="failed") if self._stopping else self._submit())
        if shipment.state == "uncertain" and shipment.resend and not self._stopping:
            return await self._put(state="planned", resend=False, tries=0, due=clock())
        if shipment.state in ("sending", "uncertain"):
            return await self._find()
        if shipment.state == "ended":
            return await self._settle()
        if self._stopping and not shipment.cancelled:
            return await self._cancel()
        return await self._poll()

    # ------------------------------------------------------------ handing over

    async def _submit(self) -> Batch | None:
        try:
            lines = await load(self._batches, self._crossing, self._batch, self._shipment)
        except Unavailable:  # nobody knows yet which models there are
            return await self._put(due=self._later())
        if not lines:
            return await self._put(state="settled")
        headers = headers_for(self._g, self._batch, self._shipment)
        if await self._put(state="sending", began=clock(), headers=headers) is None:
            return None
        try:
            taken = await converse(
                self._g, self._account, self._shipping.submit(self._shipment, lines)
            )
        except UpstreamError as error:
            return await self._unsent(error)
        return await self._taken(taken)

    async def _unsent(self, error: UpstreamError) -> Batch | None:
        """Go on after a submission that has failed: try again, give up, or look for it later."""
        self._log("batch.submission_failed", error)
        tries = self._shipment.tries + 1
        if not surely_refused(error):
            return await self._put(tries=tries, error=error.message, due=self._later())
        unreachable = isinstance(error, UpstreamUnreachable)
        if (unreachable and tries < self._settings.tries) or error.retry:
            asked = min(error.retry_after or 0, self._settings.poll_max)
            due = max(self._later(), clock() + int(asked * _SECOND))
            return await self._put(state="planned", tries=tries, error=error.message, due=due)
        return await self._fail(error)

    async def _find(self) -> Batch | None:
        """Learn whether the vendor has taken it; nothing is sent before that is certain."""
        shipment = self._shipment
        # what was accepted just now may not be listed yet
        listed = (shipment.began or 0) + int(self._settings.poll * _SECOND)
        if shipment.state == "sending" and clock() < listed:
            return await self._put(due=listed)
        ids = await ids_of(self._batches, self._batch, shipment)
        try:
            found = await converse(self._g, self._account, self._shipping.find(shipment, ids))
        except UpstreamError as error:
            self._log("batch.search_failed", error)
            return await self._doubt(f"its list of batches cannot be read ({error.message})")
        except LookupError as error:
            return await self._doubt(str(error))
        if found is not None:
            self._g.log.info("batch.submission_found", batch=self._batch.id, vendor_id=found.id)
            return await self._taken(found)
        if self._stopping:
            return await self._put(state="failed")
        if shipment.state == "uncertain":
            return await self._put(state="planned", tries=0, due=clock())
        if shipment.tries >= self._settings.tries:
            return await self._fail(
                UpstreamError(shipment.error or "It was not taken.", status=502)
            )
        return await self._put(state="planned", due=clock())

    async def _doubt(self, reason: str) -> Batch | None:
        """Say that nobody can tell; until the batch's time is over it is asked again."""
        shipment = self._shipment
        message = (
            f"It cannot be told whether '{shipment.provider}' has taken shipment "
            f"{shipment.number} ({shipment.lines} lines, {shipment.mark}): {reason}."
        )
        told = BatchError(code=UNCERTAIN, message=message, param=shipment.mark)
        if clock() >= self._batch.expires:
            return await self._put(told, state="failed", error=message)
        tries = shipment.tries + 1
        return await self._put(told, state="uncertain", tries=tries, due=self._later())

    # ------------------------------------------------------------ at the vendor

    async def _taken(self, vendor: VendorBatch) -> Batch | None:
        """Enter what the vendor says of a batch that it has."""
        shipment = self._shipment
        if vendor.state == "failed":
            said = vendor.error or "The provider failed this batch and said no more."
            error = UpstreamError(said, status=400, code="vendor_batch_failed")
            self._account.masked(error)
            if not vendor.again or self._stopping:
                return await self._fail(error, vendor.id)
            tries, due = shipment.tries + 1, self._later()
            return await self._put(state="planned", error=error.message, tries=tries, due=due)
        ended = vendor.state == "ended"
        first = shipment.state in ("planned", "sending", "uncertain")
        tries = 0 if first else shipment.tries + 1
        return await self._put(
            state="ended" if ended else "sent",
            vendor_id=vendor.id,
            vendor=vendor.data or shipment.vendor,
            rest=vendor.rest,
            error=None,
            tries=0 if ended else tries,
            due=clock() if ended else self._later(tries),
        )

    async def _poll(self) -> Batch | None:
        try:
            vendor = await converse(self._g, self._account, self._shipping.poll(self._shipment))
        except UpstreamError as error:
            if error.status in (404, 410):
                self._g.log.error("batch.vanished", batch=self._batch.id, error=error.message)
                await settle_all(self._batches, self._batch, self._shipment, self._crossing.missing)
                return await self._put(state="failed", error=error.message)
            return await self._unheard(error)
        return await self._taken(vendor)

    async def _cancel(self) -> Batch | None:
        try:
            await converse(self._g, self._account, self._shipping.cancel(self._shipment))
        except UpstreamError as error:
            return await self._unheard(error)
        return await self._put(cancelled=True, tries=0, due=clock())

    async def _settle(self) -> Batch | None:
        settlement = Settlement(
            self._g,
            self._batches,
            self._account,
            self._shipping,
            self._crossing,
            self._batch,
            self._shipment,
            stopping=self._stopping,
        )
        try:
            await settlement.run()
        except UpstreamError as error:
            return await self._unheard(self._account.masked(error))
        batch = await self._put(state="settled", error=None)
        await dismiss(self._g, self._account, self._shipping.leftovers(self._shipment))
        return batch

    # ------------------------------------------------------------ what went wrong

    async def _unheard(self, error: UpstreamError) -> Batch | None:
        """Ask again later; a batch that is stopping does not wait for who refuses to answer."""
        self._log("batch.vendor_unheard", error)
        if self._stopping and surely_refused(error) and error.status in (401, 403):
            return await self._put(state="failed", error=error.message)
        tries = self._shipment.tries + 1
        return await self._put(tries=tries, error=error.message, due=self._later())

    async def _homeless(self) -> Batch | None:
        """Go on without the provider, which is not configured any more or takes no batches."""
        shipment = self._shipment
        message = f"Provider '{shipment.provider}' is not configured for batches any more."
        self._g.log.error("batch.provider_gone", batch=self._batch.id, provider=shipment.provider)
        if self._stopping:
            return await self._put(state="failed", error=message)
        due = clock() + int(self._settings.poll_max * _SECOND)
        return await self._put(error=message, due=due)

    async def _fail(self, error: UpstreamError, vendor_id: str | None = None) -> Batch | None:
        """Give every line the error: the vendor has executed none of them."""
        crossing = self._crossing
        await settle_all(
            self._batches,
            self._batch,
            self._shipment,
            lambda line: crossing.refused(line, error),
        )
        return await self._put(state="failed", error=error.message, vendor_id=vendor_id)

    # ------------------------------------------------------------

    async def _put(self, told: BatchError | None = None, **changes: object) -> Batch | None:
        """Record a shipment's new state; an error told of it goes when it is not so any more."""
        number, mark = self._shipment.number, self._shipment.mark

        def change(batch: Batch) -> Batch:
            old = next(one for one in batch.shipments if one.number == number)
            errors = tuple(one for one in batch.errors if one.param != mark)
            errors += () if told is None else (told,)
            # counts are the store's to keep, so what changes is put over what stands there now
            new = replace(old, **changes)
            return replace(shipped(batch, new, batch.due), errors=errors)

        batch = await self._batches.change(self._batch.id, change, self._token)
        if batch is not None:
            self._shipment = next(one for one in batch.shipments if one.number == number)
        return batch

    def _later(self, tries: int | None = None) -> int:
        """Return the time of the next look: later each time, and never with all others at once."""
        count = self._shipment.tries if tries is None else tries
        pause = min(self._settings.poll * _GROWTH ** min(count, 50), self._settings.poll_max)
        return clock() + int(pause * random.uniform(0.8, 1.2) * _SECOND)  # noqa: S311

    def _log(self, event: str, error: UpstreamError) -> None:
        self._g.log.warning(
            event,
            batch=self._batch.id,
            provider=self._shipment.provider,
            shipment=self._shipment.number,
            error=error.message,
        )
