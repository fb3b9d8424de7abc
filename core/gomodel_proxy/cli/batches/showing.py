"""Batches in words."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["faults", "show_list", "show_one", "summary"]

_TIMES: Final = (
    "created_at",
    "in_progress_at",
    "finalizing_at",
    "cancelling_at",
    "completed_at",
    "failed_at",
    "expired_at",
    "cancelled_at",
    "expires_at",
)


def show_list(batches: Sequence[dict[str, Any]]) -> None:
    """Print a table."""
    rows = [("id", "status", "created", "done", "failed", "total")]
    for batch in batches:
        counts = batch["request_counts"]
        numbers = (str(counts[name]) for name in ("completed", "failed", "total"))
        rows.append((batch["id"], batch["status"], _time(batch["created_at"]), *numbers))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = zip(row, widths, strict=True)
        print("  ".join(f"{cell:<{width}}" for cell, width in cells).rstrip())


def show_one(batch: dict[str, Any]) -> None:
    """Print a batch, a line for each thing that is known of it."""
    for title, text in _facts(batch):
        print(f"{title:<12}{text}")
    for fault in faults(batch):
        print(fault)


def _facts(batch: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "id", batch["id"]
    yield "status", batch["status"]
    yield "lines", _counts(batch)
    yield "spent", _spent(batch)
    for name in ("endpoint", "model", "provider", "input_file_id"):
        if batch.get(name):
            yield name.removesuffix("_file_id"), batch[name]
    for name in ("output_file_id", "error_file_id"):
        if batch.get(name):
            yield name.removesuffix("_file_id"), batch[name]
    for vendor in batch.get("provider_batches", ()):
        told = f"{vendor['id'] or '(not sent)'}: {vendor['status']}"
        yield "vendor", f"{vendor['provider']} {told}"
    for name in _TIMES:
        if batch.get(name):
            yield name.removesuffix("_at").replace("_", " "), _time(batch[name])
    for key, value in batch["metadata"].items():
        yield "metadata", f"{key}={value}"


def faults(batch: dict[str, Any]) -> list[str]:
    """Return what is wrong with it, a line each."""
    told = (batch.get("errors") or {}).get("data", ())
    return [
        (f"line {fault['line']}: " if fault.get("line") else "") + f"{fault['message']}"
        for fault in told
    ]


def summary(batch: dict[str, Any], written: Sequence[str]) -> None:
    """Tell on standard error how a batch has ended, and where its results are."""
    print(f"{batch['id']}: {batch['status']}, {_counts(batch)}", file=sys.stderr)
    print(f"spent: {_spent(batch)}", file=sys.stderr)
    for line in (*faults(batch), *written):
        print(line, file=sys.stderr)


def _counts(batch: dict[str, Any]) -> str:
    counts = batch["request_counts"]
    text = f"{counts['completed']} of {counts['total']} answered, {counts['failed']} failed"
    return text + (f", {counts['resent']} sent again" if counts.get("resent") else "")


def _spent(batch: dict[str, Any]) -> str:
    usage = batch["usage"]
    cost = usage["total_cost"]
    price = "at a price not known" if cost is None else f"${cost:.6f}"
    return f"{usage['input_tokens']} tokens in, {usage['output_tokens']} out, {price}"


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
