"""One line of a batch, executed as a call of its owner's."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from gomodel_proxy.api import (
    GatewayError,
    Outcome,
    Principal,
    RateLimited,
    Unavailable,
    UpstreamError,
    UpstreamUnreachable,
)
from gomodel_proxy.engine.pipeline import execute
from gomodel_proxy.wire import openai_batch_results as results

from .states import spent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gomodel_proxy.api import Batch, Dialect, Exchange, Headers, Lease, LedgerRow
    from gomodel_proxy.engine.generation import Generation
    from gomodel_proxy.engine.journal import Place

__all__ = ["Executed", "Noted", "PutOff", "execute_line", "result_id"]


Noted = tuple["LedgerRow", "Place | None"]
"""A row that the journal has."""


class Executed(NamedTuple):
    """A line that is done; its rows go to the store with its outcome."""

    outcome: Outcome
    noted: Sequence[Noted]


class PutOff(Exception):
    """Nothing has been spent, and the line may be tried again.

    ``wait`` is what the provider asked for, in seconds. ``busy``: it is alive, but has too much to
    do; otherwise it could not be reached.
    """

    def __init__(self, error: GatewayError, *, busy: bool) -> None:
        super().__init__(error.message)
        self.busy = busy
        self.wait: float | None = error.retry_after if isinstance(error, UpstreamError) else None


class _Collected:
    """The `Sink` of a line: takes the reply."""

    def __init__(self) -> None:
        self.started = False
        self.status = 0
        self.body = b""

    def reply(self, status: int, headers: Headers, body: bytes) -> None:
        self.started = True
        self.status = status
        self.body = body

    def start(self, status: int, headers: Headers) -> None:
        raise TypeError("a line of a batch has no stream")

    def write(self, data: bytes) -> None:
        raise TypeError("a line of a batch has no stream")

    def end(self) -> None:
        raise TypeError("a line of a batch has no stream")

    def throttle(self, exchange: Exchange | None) -> None:
        pass


def result_id(batch: str, index: int) -> str:
    """Return the id of a line's result."""
    return f"batch_req_{batch.removeprefix('batch_')}_{index}"


async def execute_line(g: Generation, batch: Batch, lease: Lease, *, last: bool) -> Executed:
    """Execute a line; raises `PutOff`, after the ``last`` try only for a provider that is busy.

    Rows of what is not `Executed`, cancelled calls among them, go to the store by themselves.
    """
    line = lease.line
    dialect = g.paths.get(line.url)
    if dialect is None:
        error = GatewayError(f"Nothing is served at {line.url} any more.", code="unknown_path")
        return _done(lease, 404, g.default.error(error), [], failed=True)
    sink = _Collected()
    noted: list[Noted] = []
    try:
        await execute(
            g,
            dialect,
            dict(batch.headers),
            line.body,
            sink,
            principal=Principal(id=batch.owner, user_path=batch.user_path, admin=batch.admin),
            batch=batch.id,
            settle=lambda row: noted.append((row, g.books.note(row))),
        )
    except GatewayError as error:
        busy = _busy(error)
        if busy or (busy is False and not last):
            _send(g, noted)
            raise PutOff(error, busy=busy) from error
        return _done(lease, error.status, _told(dialect, error), noted, failed=True)
    except asyncio.CancelledError:
        _send(g, noted)
        raise
    except Exception:
        g.log.exception("batch.line_failed", batch=batch.id, index=line.index)
        fault = GatewayError("The gateway failed at this request.", code="internal_error")
        return _done(lease, 500, dialect.error(fault), noted, failed=True)
    return _done(lease, sink.status, sink.body, noted, failed=False)


def _send(g: Generation, noted: Sequence[Noted]) -> None:
    for row, place in noted:
        g.books.send(row, place)


def _busy(error: GatewayError) -> bool | None:
    """Return what may be tried again, None for anything else: it may have been paid for."""
    if isinstance(error, (RateLimited, Unavailable)):
        return True
    if isinstance(error, UpstreamUnreachable):
        return False
    if isinstance(error, UpstreamError) and error.retry:
        return True
    return None


def _told(dialect: Dialect, error: GatewayError) -> bytes:
    return error.body if isinstance(error, UpstreamError) and error.body else dialect.error(error)


def _done(
    lease: Lease, status: int, body: bytes, noted: Sequence[Noted], *, failed: bool
) -> Executed:
    line = lease.line
    rows = tuple(row for row, _ in noted)
    outcome = Outcome(
        batch=lease.batch,
        index=line.index,
        token=lease.token,
        failed=failed,
        status_code=status,
        result=results.write_reply(
            result_id(lease.batch, line.index),
            line.custom_id,
            status,
            rows[0].id if rows else "",
            body,
        ),
        provider=rows[0].provider if rows else line.provider,
        model=rows[0].served_model if rows else line.model,
        rows=rows,
        spent=spent(rows),
    )
    return Executed(outcome, noted)
