"""Batches, their lines and the part of the store that keeps both.

A batch is a value: the store keeps it as it is, and changes it only by functions that it runs
inside a transaction. So the life of a batch is written once, in the core, for every store.

There are two queues. Batches wait to be looked after (`Batches.claim`): read in, handed to a
vendor, asked about, ended. Lines wait to be executed (`Batches.lease`). Both hand out tokens: who
has lost his may change nothing more.

``owner`` is a principal's id. Everywhere it narrows what is found to that principal's own; None,
for admins, finds everybody's. Times are epoch microseconds. Bodies are JSON that the store has no
business reading.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, Protocol

import msgspec

from .values import LedgerRow

__all__ = [
    "Batch",
    "BatchError",
    "BatchLine",
    "BatchMode",
    "BatchStatus",
    "Batches",
    "Change",
    "Claim",
    "Fold",
    "Lease",
    "LineResult",
    "Outcome",
    "Release",
    "Shipment",
    "ShipmentState",
    "Spent",
    "Webhook",
]

BatchStatus = Literal[
    "validating",
    "failed",
    "in_progress",
    "finalizing",
    "completed",
    "expired",
    "cancelling",
    "cancelled",
]
BatchMode = Literal["auto", "native", "executed"]
ShipmentState = Literal["planned", "sending", "uncertain", "sent", "ended", "settled", "failed"]


class BatchError(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is wrong with a batch. ``line`` counts from 1, as OpenAI does."""

    code: str
    message: str
    line: int | None = None
    param: str | None = None


class Spent(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """Tokens, and pico-USD; a cost is None as soon as one of its parts is unknown.

    ``cached_tokens`` are part of the input, ``reasoning_tokens`` of the output.
    """

    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    input_cost: int | None = 0
    output_cost: int | None = 0
    total_cost: int | None = 0


class Shipment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Lines of one batch that go to a vendor's own batch API together.

    ``mark`` is what the vendor's list can be searched for. ``state``: "planned" until its intent
    is recorded, "sending" while it is being submitted, "uncertain" when nobody can tell whether the
    vendor took it, "sent" while the vendor works on it, "ended" when its results can be had,
    "settled" when the lines have them, "failed" when the vendor took nothing of it. ``rest`` is
    what became of lines that the results do not mention. ``headers`` are the caller's that go on to
    the vendor.
    """

    number: int
    provider: str
    model: str
    dialect: str
    mark: str
    state: ShipmentState = "planned"
    lines: int = 0
    size: int = 0
    settled: int = 0
    vendor_id: str | None = None
    began: int | None = None
    due: int = 0
    tries: int = 0
    resend: bool = False
    cancelled: bool = False
    error: str | None = None
    rest: Literal["missing", "cancelled", "expired"] = "missing"
    vendor: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


class Webhook(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Whom to tell that the batch has ended, and how far that has got."""

    url: str
    tries: int = 0
    delivered: int | None = None
    error: str | None = None


class Batch(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One batch as it stands. ``id`` is ``batch_`` and hex; ``metadata`` is a JSON object.

    ``headers`` are those of the caller's that its lines take along. ``taken`` lines and ``blanks``,
    empty ones, ``read`` bytes of the input, have been read in. ``resent`` counts lines that were
    leased again because a lease ran out on them, and so may have been sent twice. ``queues`` names
    the providers whose room in the queue its lines take. ``due`` is when
    somebody must look after the batch, None if only what happens to its lines matters.
    ``output_lifetime`` is seconds until its files expire, None if they do not.
    """

    id: str
    owner: str
    user_path: str
    created: int
    expires: int
    input_file: str
    admin: bool = False
    status: BatchStatus = "validating"
    endpoint: str = ""
    window: str = "24h"
    mode: BatchMode = "auto"
    metadata: bytes = b"{}"
    headers: tuple[tuple[str, str], ...] = ()
    fingerprint: str = ""
    due: int | None = 0
    taken: int = 0
    blanks: int = 0
    read: int = 0
    total: int = 0
    completed: int = 0
    failed: int = 0
    resent: int = 0
    output_size: int = 0
    error_size: int = 0
    spent: Spent = Spent()
    queues: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    errors: tuple[BatchError, ...] = ()
    shipments: tuple[Shipment, ...] = ()
    webhook: Webhook | None = None
    output_lifetime: int | None = None
    output_file: str | None = None
    error_file: str | None = None
    in_progress_at: int | None = None
    finalizing_at: int | None = None
    completed_at: int | None = None
    failed_at: int | None = None
    expired_at: int | None = None
    cancelling_at: int | None = None
    cancelled_at: int | None = None


class BatchLine(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One request of a batch. ``index`` counts the input's lines from 0.

    ``provider`` is whose room it takes in the queue. A line with a ``shipment`` is the vendor's to
    execute and is never leased.
    """

    index: int
    custom_id: str
    url: str
    model: str
    provider: str
    body: bytes
    shipment: int | None = None


class Claim(msgspec.Struct, frozen=True):
    """A batch to look after, until the claim runs out."""

    batch: Batch
    token: int


class Lease(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A line to execute, until the lease runs out. ``tries`` are releases it has had before."""

    batch: str
    line: BatchLine
    token: int
    tries: int = 0


class Release(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A line given back unexecuted, not to be leased before ``due``; ``tried`` counts a try."""

    batch: str
    index: int
    token: int
    due: int = 0
    tried: bool = False


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a line. ``result`` is its line of the output or the error file, no newline.

    ``token`` is the lease's, None for a line of a shipment. ``rows`` go into the ledger with it.
    """

    batch: str
    index: int
    token: int | None
    failed: bool
    status_code: int
    result: bytes
    provider: str = ""
    model: str = ""
    shipment: int | None = None
    rows: tuple[LedgerRow, ...] = ()
    spent: Spent = Spent()


class LineResult(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A line as it stands. ``result`` is None while nothing has become of it.

    ``provider`` and ``model`` are who answered, or who was to.
    """

    index: int
    custom_id: str
    url: str
    model: str
    provider: str
    failed: bool = False
    status_code: int = 0
    result: bytes | None = None


Change = Callable[[Batch], Batch]
"""A pure function from a batch as it stands to the batch as it shall be; it may run twice."""

Fold = Callable[[Batch, Sequence[Outcome]], Batch]
"""A `Change` that counts what was committed."""


class Batches(Protocol):
    """Where batches and their lines are kept. ``now`` and ``until`` are the caller's clock."""

    async def create(self, batch: Batch, key: str | None = None) -> Batch:
        """Keep a new batch; one that its owner made with the same ``key`` is returned instead."""

    async def made(self, owner: str, key: str) -> Batch | None:
        """Return the batch that its owner made with this key."""

    async def find(self, id: str, owner: str | None) -> Batch | None:
        """Return a batch."""

    async def list(
        self, owner: str | None, *, limit: int, after: str | None = None, before: str | None = None
    ) -> Sequence[Batch]:
        """Return batches, newest first, older than ``after`` or the next newer than ``before``.

        Raises LookupError for an unknown ``after`` or ``before``.
        """

    async def change(self, id: str, change: Change, token: int | None = None) -> Batch | None:
        """Change a batch and return it; None if it is unknown, or the claim is lost."""

    async def delete(self, id: str, owner: str | None) -> bool:
        """Delete a batch with its lines, and the files made of it; False if it is unknown.

        The ledger keeps its rows.
        """

    async def look(self, now: int) -> bool:
        """Return whether `claim` or `lease` may find something; a cheap read that changes nothing.

        False says that neither would. Where there are no batches nothing else is asked.
        """

    # ------------------------------------------------------------ batches to look after

    async def claim(self, now: int, until: int) -> Claim | None:
        """Take a batch whose ``due`` has come and that nobody has claimed, longest due first."""

    async def keep(self, id: str, token: int, until: int) -> bool:
        """Hold a claim for longer; False if it is lost."""

    async def leave(self, id: str, token: int) -> None:
        """Give a claim up; a lost one is no error."""

    async def add(
        self, id: str, token: int, lines: Sequence[BatchLine], change: Change
    ) -> Batch | None:
        """Add lines, in order, and change the batch, in one transaction; None if the claim is lost.

        Lines that are there already stay as they are.
        """

    async def repeats(self, id: str, limit: int) -> Sequence[tuple[int, str]]:
        """Return index and ``custom_id`` of lines whose id an earlier line has, in order."""

    # ------------------------------------------------------------ lines to execute

    async def lease(self, room: Mapping[str, int], now: int, until: int) -> Sequence[Lease]:
        """Take open lines of batches in progress: for each provider at most what it has room for.

        Batches share a provider evenly, by what each has under way there and then in turn; each
        gives its lines in order. A line whose lease has run out is open again; leasing it again
        adds one to its batch's ``resent``.
        """

    async def renew(self, leases: Sequence[tuple[str, int, int]], until: int) -> Sequence[bool]:
        """Hold leases, as (batch, index, token), for longer; False for each that is lost.

        The lease of a line whose batch is no longer in progress is lost too.
        """

    async def release(self, releases: Sequence[Release]) -> None:
        """Give lines back; those whose lease is lost are no error."""

    async def commit(self, outcomes: Sequence[Outcome], fold: Fold) -> Sequence[bool]:
        """Keep results with their ledger rows, and fold them into their batches, all or nothing.

        False for an outcome whose line has a result already or whose lease is lost: nothing of
        it is kept. A line of a batch that is "cancelling" still takes its result; one of a
        batch that has ended does not.
        """

    async def leased(self, id: str, now: int) -> int:
        """Return how many lines of a batch are under way, by leases that have not run out."""

    async def wait(self, seconds: float) -> None:
        """Return when there may be something new to claim or lease, or after ``seconds``."""

    # ------------------------------------------------------------ reading

    async def lines(
        self, id: str, *, limit: int, after: int = -1, shipment: int | None = None
    ) -> Sequence[BatchLine]:
        """Return lines in order, those of a shipment only if it is given."""

    async def pick(self, id: str, indexes: Sequence[int]) -> Sequence[BatchLine]:
        """Return these lines that have no result yet, in order."""

    async def results(
        self, id: str, *, limit: int, after: int = -1, failed: bool | None = None
    ) -> Sequence[LineResult]:
        """Return all lines in order, or only those that have failed, or only those that have not.

        To this question, what has no result has failed.
        """
