"""What the suites of `Batches` have in common: batches, lines and outcomes to try a store with."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from gomodel_proxy.api import Batch, BatchLine, Outcome

from .store_case import row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gomodel_proxy.api import Batches, Lease, Store

NOW = time.time_ns() // 1000
"""Stores forget what is old, so these are not."""

SOON = NOW + 60_000_000
"""When claims and leases run out."""

LATER = SOON + 1
"""When they have run out."""


def batch(number: int = 1, **members: Any) -> Batch:
    """Return a new batch; a higher number is a younger one. Name only the members that matter."""
    given: dict[str, Any] = {
        "owner": "key_a",
        "user_path": "/",
        "created": NOW + number,
        "expires": NOW + 86_400_000_000,
        "input_file": "file-1",
    }
    return Batch(id=f"batch_{number:032x}", **{**given, **members})


def line(index: int, **members: Any) -> BatchLine:
    """Return a line; name only the members that matter."""
    given: dict[str, Any] = {
        "custom_id": f"line {index}",
        "url": "/v1/chat/completions",
        "model": "acme/large",
        "provider": "acme",
        "body": b'{"n":%d}' % index,
    }
    return BatchLine(index=index, **{**given, **members})


def lines(count: int, **members: Any) -> list[BatchLine]:
    """Return so many lines, from index 0."""
    return [line(index, **members) for index in range(count)]


def outcome(lease: Lease, **members: Any) -> Outcome:
    """Return what became of a leased line, with a row of the ledger."""
    return settled(
        lease.batch,
        lease.line.index,
        **{"token": lease.token, "provider": lease.line.provider, **members},
    )


def settled(batch: str, index: int, **members: Any) -> Outcome:
    """Return what became of a line, of a shipment unless a token is given."""
    given: dict[str, Any] = {
        "token": None,
        "failed": False,
        "status_code": 200,
        "result": b'{"result":%d}' % index,
        "rows": (row(f"req_{batch}_{index}", batch=batch),),
    }
    return Outcome(batch=batch, index=index, **{**given, **members})


def count(batch: Batch, outcomes: Sequence[Outcome]) -> Batch:
    """Fold outcomes into their batch."""
    failed = sum(outcome.failed for outcome in outcomes)
    return replace(
        batch,
        completed=batch.completed + len(outcomes) - failed,
        failed=batch.failed + failed,
    )


def same(batch: Batch) -> Batch:
    """Change nothing."""
    return batch


def batches_of(store: Store) -> Batches:
    """Return the store's batches; the suite needs them."""
    assert store.batches is not None
    return store.batches


async def claimed(batches: Batches, made: Batch) -> int:
    """Create a batch, claim it and return the token; no other may be due."""
    await batches.create(made)
    claim = await batches.claim(NOW, SOON)
    assert claim is not None
    assert claim.batch.id == made.id
    return claim.token


async def begin(batches: Batches, made: Batch, given: Sequence[BatchLine]) -> Batch:
    """Bring a new batch to "in_progress" with these lines; nobody needs to look after it."""
    token = await claimed(batches, made)

    def opened(batch: Batch) -> Batch:
        return replace(batch, status="in_progress", total=len(given), due=None)

    changed = await batches.add(made.id, token, given, opened)
    await batches.leave(made.id, token)
    assert changed is not None
    return changed


async def turn(batches: Batches, id: str, **members: Any) -> Batch:
    """Give a batch other members."""
    changed = await batches.change(id, lambda batch: replace(batch, **members))
    assert changed is not None
    return changed


def indexes(found: Sequence[Lease]) -> list[int]:
    """Return which lines were leased, in order."""
    return [lease.line.index for lease in found]
