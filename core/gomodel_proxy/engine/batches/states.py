"""The life of a batch, as pure functions from how it stands to how it stands next.

validating → in_progress → finalizing → completed | expired, with ways out to failed and, by
cancelling, to cancelled. Stores run these inside their transactions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from gomodel_proxy.api import BatchError, Spent

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gomodel_proxy.api import Batch, LedgerRow, Outcome, Shipment

__all__ = [
    "ENDED",
    "UNEXECUTED",
    "at_once",
    "awaiting",
    "begun",
    "cancelling",
    "counted",
    "ended",
    "ending",
    "finished",
    "left_open",
    "refused",
    "shipped",
    "spent",
    "told",
    "unshipped",
]

ENDED: Final = frozenset({"completed", "failed", "expired", "cancelled"})

UNEXECUTED: Final = {
    "expired": ("batch_expired", "This request was not executed before its batch expired."),
    "cancelled": ("batch_cancelled", "This request was not executed: its batch was cancelled."),
}
"""By the batch's end: code and message of a line that came to nothing."""

_GONE: Final = "provider_gone"
_PAGE: Final = 1000  # results that are read at once, at most
_PIECE: Final = 4 << 20  # bytes that these may have, if all are as long as the mean
_NAMED: Final = 100  # models and providers that a batch remembers by name


def ended(batch: Batch) -> bool:
    """Return whether nothing can change its results any more."""
    return batch.status in ENDED


def left_open(batch: Batch) -> int:
    """Return how many lines have no result."""
    return batch.total - batch.completed - batch.failed


def unshipped(batch: Batch) -> bool:
    """Return whether a vendor still has, or is still to get, some of its lines."""
    return any(shipment.state not in ("settled", "failed") for shipment in batch.shipments)


def at_once(batch: Batch, failed: bool | None = None) -> int:
    """Return how many results can be read at once: fewer of long ones, such as images.

    ``failed`` as `Batches.results` takes it.
    """
    means = [1]
    if failed is not True and batch.completed:
        means.append(batch.output_size // batch.completed)
    # the errors of an ended batch are those of its open lines too
    errors = batch.total - batch.completed if ended(batch) else batch.failed
    if failed is not False and errors:
        means.append(batch.error_size // errors)
    return max(1, min(_PAGE, _PIECE // max(means)))


# ---------------------------------------------------------------- intake


def begun(batch: Batch, now: int, look: int) -> Batch:
    """Open its lines, now that the last is in; somebody looks after it by the time ``look``."""
    if batch.status != "validating":
        return batch
    due = now if batch.shipments else min(look, batch.expires)
    return replace(batch, status="in_progress", in_progress_at=now, total=batch.taken, due=due)


def refused(batch: Batch, errors: Sequence[BatchError], now: int) -> Batch:
    """Fail it before anything was sent."""
    return replace(
        batch,
        status="failed",
        failed_at=now,
        errors=tuple(errors),
        shipments=(),
        taken=0,
        total=0,
        due=_tell(batch, now),
    )


# ---------------------------------------------------------------- lines


def counted(batch: Batch, outcomes: Sequence[Outcome], now: int) -> Batch:
    """Count what was committed; with the last line it is to be finished."""
    failed = [outcome for outcome in outcomes if outcome.failed]
    error_size = sum(len(outcome.result) + 1 for outcome in failed)
    size = sum(len(outcome.result) + 1 for outcome in outcomes)
    batch = replace(
        batch,
        completed=batch.completed + len(outcomes) - len(failed),
        failed=batch.failed + len(failed),
        output_size=batch.output_size + size - error_size,
        error_size=batch.error_size + error_size,
        spent=_sum(batch.spent, (outcome.spent for outcome in outcomes)),
        models=_named(batch.models, (outcome.model for outcome in outcomes)),
        providers=_named(batch.providers, (outcome.provider for outcome in outcomes)),
        shipments=_settled(batch.shipments, outcomes),
    )
    if left_open(batch) > 0 or ended(batch):
        return batch
    if batch.status == "in_progress" and not unshipped(batch):
        return ending(batch, now)
    return replace(batch, due=now)


def _settled(shipments: tuple[Shipment, ...], outcomes: Sequence[Outcome]) -> tuple[Shipment, ...]:
    counts: dict[int, int] = {}
    for outcome in outcomes:
        if outcome.shipment is not None:
            counts[outcome.shipment] = counts.get(outcome.shipment, 0) + 1
    if not counts:
        return shipments
    return tuple(
        replace(shipment, settled=shipment.settled + counts.get(shipment.number, 0))
        for shipment in shipments
    )


def shipped(batch: Batch, shipment: Shipment, due: int | None) -> Batch:
    """Put a shipment's new state in place of the old one."""
    shipments = tuple(shipment if old.number == shipment.number else old for old in batch.shipments)
    return replace(batch, shipments=shipments, due=due)


def spent(rows: Iterable[LedgerRow]) -> Spent:
    """Return what rows of the ledger cost together."""
    attempts = [attempt for row in rows for attempt in row.attempts]
    used = [attempt.usage for attempt in attempts if attempt.usage is not None]
    # an attempt without tokens cost nothing that anybody knows of
    priced = [attempt for attempt in attempts if attempt.usage is not None]
    return Spent(
        input_tokens=sum(usage.input or 0 for usage in used),
        cached_tokens=sum(usage.cache_read or 0 for usage in used),
        output_tokens=sum(usage.output or 0 for usage in used),
        reasoning_tokens=sum(usage.reasoning or 0 for usage in used),
        input_cost=_total(attempt.input_cost for attempt in priced),
        output_cost=_total(attempt.output_cost for attempt in priced),
        total_cost=_total(attempt.total_cost for attempt in priced),
    )


def _sum(first: Spent, others: Iterable[Spent]) -> Spent:
    all_ = [first, *others]
    return Spent(
        input_tokens=sum(one.input_tokens for one in all_),
        cached_tokens=sum(one.cached_tokens for one in all_),
        output_tokens=sum(one.output_tokens for one in all_),
        reasoning_tokens=sum(one.reasoning_tokens for one in all_),
        input_cost=_total(one.input_cost for one in all_),
        output_cost=_total(one.output_cost for one in all_),
        total_cost=_total(one.total_cost for one in all_),
    )


def _total(costs: Iterable[int | None]) -> int | None:
    total = 0
    for cost in costs:
        if cost is None:
            return None
        total += cost
    return total


def _named(known: tuple[str, ...], names: Iterable[str]) -> tuple[str, ...]:
    new = dict.fromkeys(name for name in names if name and name not in known)
    return (*known, *new)[:_NAMED] if new else known


def awaiting(batch: Batch, gone: Iterable[str], due: int) -> Batch:
    """Say which of the providers that its lines wait for are gone, and no longer which were."""
    if batch.status != "in_progress":
        return batch
    errors = [
        BatchError(
            code=_GONE,
            message=f"Provider '{name}' is not configured any more: the lines for it wait until "
            "it is, or until the batch is cancelled or expires.",
            param=name,
        )
        for name in gone
    ]
    return replace(batch, errors=(*_others(batch), *errors), due=min(due, batch.expires))


def _others(batch: Batch) -> Iterable[BatchError]:
    return (error for error in batch.errors if error.code != _GONE)


# ---------------------------------------------------------------- the end


def cancelling(batch: Batch, now: int) -> Batch:
    """Have it stopped, if it has not ended."""
    if ended(batch) or batch.status == "cancelling":
        return batch
    return replace(batch, status="cancelling", cancelling_at=now, due=now)


def ending(batch: Batch, now: int) -> Batch:
    """Take no more results of lines that are not under way: it is complete, or out of time."""
    if batch.status != "in_progress":
        return batch
    errors = batch.errors if left_open(batch) else tuple(_others(batch))
    return replace(batch, status="finalizing", finalizing_at=now, due=now, errors=errors)


def finished(
    batch: Batch, seen: Batch, error_size: int, files: tuple[str | None, str | None], now: int
) -> Batch:
    """Give it its end, unless it has changed since it was ``seen``.

    ``files`` are the ids of output and errors, where there are any.
    """
    if ended(batch):
        return batch
    if (batch.completed, batch.failed) != (seen.completed, seen.failed):
        return replace(batch, due=now)
    output, errors = files
    batch = replace(
        batch,
        total=batch.taken,
        output_file=output,
        error_file=errors,
        error_size=error_size,
        due=_tell(batch, now),
    )
    if batch.cancelling_at is not None:
        return replace(batch, status="cancelled", cancelled_at=now)
    if left_open(batch) > 0:
        return replace(batch, status="expired", expired_at=now)
    return replace(batch, status="completed", completed_at=now)


def told(batch: Batch, now: int, due: int | None, error: str | None = None) -> Batch:
    """Note one try to tell the webhook; ``due`` is when the next one is, None after the last."""
    if batch.webhook is None:
        return batch
    webhook = replace(
        batch.webhook,
        tries=batch.webhook.tries + 1,
        delivered=now if error is None else None,
        error=error,
    )
    return replace(batch, webhook=webhook, due=due)


def _tell(batch: Batch, now: int) -> int | None:
    return None if batch.webhook is None else now
