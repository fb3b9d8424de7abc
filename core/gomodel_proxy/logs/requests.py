"""The line per request, made from the ledger's rows in batches, off the request path."""

from __future__ import annotations

import contextlib
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TextIO

import msgspec

from .redaction import registered
from .setup import for_people

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gomodel_proxy.api import Attempt, LedgerRow, Secret
    from gomodel_proxy.config.settings import Logs


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """What is logged of a request. Tokens and cost are sums over its attempts, null if unknown."""

    timestamp: datetime
    level: str = "info"
    event: str = "request"
    id: str
    request_id: str
    principal: str
    user_path: str
    operation: str
    dialect: str
    model: str
    provider: str
    served_model: str
    stream: bool
    status: str
    http_status: int | None
    error: str | None
    latency_ms: float | None
    first_token_ms: float | None
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: float | None
    losses: list[str]


def line(row: LedgerRow) -> Line:
    """Return the log line of a row; its time is the request's end."""
    taken, given, cost = _sums(row.attempts)
    return Line(
        timestamp=datetime.fromtimestamp((row.started + (row.latency or 0)) / 1e6, UTC),
        id=row.id,
        request_id=row.request_id,
        principal=row.principal,
        user_path=row.user_path,
        operation=row.operation,
        dialect=row.dialect,
        model=row.model,
        provider=row.provider,
        served_model=row.served_model,
        stream=row.stream,
        status=row.status,
        http_status=row.http_status,
        error=row.error,
        latency_ms=_milliseconds(row.latency),
        first_token_ms=_milliseconds(row.first_token),
        input_tokens=taken,
        output_tokens=given,
        cost_usd=None if cost is None else cost / 1e12,
        losses=row.losses,
    )


def readable(entry: Line) -> str:
    """Return a line for people: when, what came of it, for whom, how long, how much."""
    tokens = f"{_shown(entry.input_tokens)}→{_shown(entry.output_tokens)} tokens"
    cost = "" if entry.cost_usd is None else f"${entry.cost_usd:.6f}"
    parts = [
        entry.timestamp.astimezone().strftime("%H:%M:%S"),
        f"{_shown(entry.http_status)} {entry.status}",
        f"{entry.operation}{' stream' if entry.stream else ''}",
        f"{entry.provider}/{entry.served_model or entry.model}",
        "" if entry.latency_ms is None else f"{entry.latency_ms:.0f} ms",
        tokens,
        cost,
        entry.principal,
        entry.request_id,
        f"lost {','.join(entry.losses)}" if entry.losses else "",
        entry.error or "",
    ]
    # Model names and errors come from outside: no escape codes, no line breaks.
    text = "  ".join(part for part in parts if part)
    return "".join(sign if sign.isprintable() else "?" for sign in text)


class RequestLog:
    """Writes one line per row, to ``stream`` or standard error: JSON, or readable on a terminal.

    ``secrets`` are masked besides those registered with `redact_value`.
    """

    def __init__(
        self, settings: Logs, stream: TextIO | None = None, secrets: Iterable[Secret | str] = ()
    ) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._readable = for_people(settings, self._stream)
        self._enabled = settings.level in ("debug", "info")
        self._values = registered()
        self._values.add(secrets)
        self._encoder = msgspec.json.Encoder()

    def write(self, rows: Sequence[LedgerRow]) -> None:
        """Write the rows' lines in one piece."""
        if not rows or not self._enabled:
            return
        lines = [line(row) for row in rows]
        if self._readable:
            text = "".join(f"{readable(entry)}\n" for entry in lines)
        else:
            text = self._encoder.encode_lines(lines).decode()
        with contextlib.suppress(OSError):  # a log that nobody reads must not stop the ledger
            self._stream.write(self._values.mask(text))
            self._stream.flush()


def _milliseconds(microseconds: int | None) -> float | None:
    return None if microseconds is None else microseconds / 1000


def _sums(attempts: Sequence[Attempt]) -> tuple[int | None, int | None, int | None]:
    """Return tokens in, tokens out and cost, over all attempts; nearly always there is one."""
    if len(attempts) == 1:
        attempt = attempts[0]
        usage = attempt.usage
        if usage is None:
            return None, None, attempt.total_cost
        return usage.input, usage.output, attempt.total_cost
    cost = _sum(attempt.total_cost for attempt in attempts)
    return _tokens(attempts, "input"), _tokens(attempts, "output"), cost


def _tokens(attempts: Iterable[Attempt], kind: str) -> int | None:
    return _sum(getattr(attempt.usage, kind) for attempt in attempts if attempt.usage)


def _sum(numbers: Iterable[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None


def _shown(value: Any) -> str:
    return "-" if value is None else str(value)
