"""What callers can do with batches that are there, whatever dialect they see them in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from gomodel_proxy.api import Batch, Forbidden, InvalidRequest, NotFound
from gomodel_proxy.engine.ids import now

from . import states
from .stores import batches_of, files_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gomodel_proxy.api import Principal
    from gomodel_proxy.engine.generation import Generation

__all__ = ["cancel", "find", "page", "remove", "resend"]


def _missing(id_: str) -> NotFound:
    return NotFound(
        f"No batch with id '{id_[:100]}' was found.", code="batch_not_found", param="id"
    )


def _owner(principal: Principal) -> str | None:
    return None if principal.admin else principal.id


async def find(g: Generation, principal: Principal, id: str) -> Batch:
    """Return a batch; raises `NotFound`."""
    batch = await batches_of(g).find(id, _owner(principal))
    if batch is None:
        raise _missing(id)
    return batch


async def page(
    g: Generation,
    principal: Principal,
    *,
    limit: int,
    after: str | None = None,
    before: str | None = None,
) -> tuple[Sequence[Batch], bool]:
    """Return batches, newest first, and whether more follow; raises `NotFound` for a cursor."""
    try:
        found = await batches_of(g).list(
            _owner(principal), limit=limit + 1, after=after, before=before
        )
    except LookupError:
        raise _missing(after or before or "") from None
    if before is not None:
        return found[-limit:], len(found) > limit
    return found[:limit], len(found) > limit


async def cancel(g: Generation, principal: Principal, id: str) -> Batch:
    """Have a batch stopped; what it has is kept. Raises `InvalidRequest` if it has ended."""
    batch = await find(g, principal, id)
    time = now()
    changed = await batches_of(g).change(id, lambda it: states.cancelling(it, time))
    if changed is None:
        raise _missing(id)
    if states.ended(batch):
        raise InvalidRequest(
            f"This batch is {batch.status}: it cannot be cancelled any more.",
            code="batch_ended",
            status=409,
        )
    return changed


async def remove(g: Generation, principal: Principal, id: str) -> None:
    """Delete a batch that has ended, with its results."""
    batch = await find(g, principal, id)
    if not states.ended(batch):
        raise InvalidRequest(
            f"This batch is {batch.status}: cancel it first, or wait until it has ended.",
            code="batch_not_ended",
        )
    if not await batches_of(g).delete(id, _owner(principal)):
        raise _missing(id)
    for file in filter(None, (batch.output_file, batch.error_file)):
        await files_of(g).delete(file, None)


async def resend(g: Generation, principal: Principal, id: str) -> Batch:
    """Let shipments be sent again that a vendor may have taken already: an admin's word."""
    if not principal.admin:
        raise Forbidden("Only the master key and admin keys may do this.", code="admin_only")
    batch = await find(g, principal, id)
    if not any(shipment.state == "uncertain" for shipment in batch.shipments):
        raise InvalidRequest("No submission of this batch is uncertain.", code="nothing_uncertain")
    time = now()

    def word(it: Batch) -> Batch:
        shipments = tuple(
            replace(one, resend=True, due=time) if one.state == "uncertain" else one
            for one in it.shipments
        )
        return replace(it, shipments=shipments, due=time)

    changed = await batches_of(g).change(id, word)
    if changed is None:
        raise _missing(id)
    return changed
