"""Writing to a store that may refuse single items or be away for a while."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from structlog.typing import FilteringBoundLogger

__all__ = ["UNWRITABLE", "Outage", "deliver"]

T = TypeVar("T")

UNWRITABLE: Final = (ValueError, TypeError, OverflowError)
"""What encoders and drivers raise for a value that can never be written, down store or not."""


async def deliver(
    write: Callable[[Sequence[T]], Awaitable[None]],
    items: Sequence[T],
    refused: Path,
    log: FilteringBoundLogger,
) -> None:
    """Write items; one that can never be written is put into a file, or it would block all others.

    Raises whatever else the store raises; the items may then be written again.
    """
    try:
        await write(items)
    except UNWRITABLE:
        for item in items:
            try:
                await write([item])
            except UNWRITABLE as error:
                await asyncio.to_thread(_put_aside, refused, item)
                log.error("store.row_refused", kept=str(refused), error=str(error))


def _put_aside(refused: Path, item: object) -> None:
    refused.parent.mkdir(parents=True, exist_ok=True)
    with refused.open("a", encoding="utf-8", errors="backslashreplace") as file:
        file.write(f"{item!r}\n")


class Outage:
    """Says once that something fails and once that it works again; counts the failures between."""

    def __init__(self, what: str, log: FilteringBoundLogger) -> None:
        self._what = what
        self._log = log
        self.failures = 0

    def failed(self, error: Exception) -> None:
        """Take note of a failure."""
        self.failures += 1
        if self.failures == 1:
            self._log.error(f"{self._what}.failing", error=f"{type(error).__name__}: {error}")

    def over(self) -> None:
        """Take note of a success."""
        if self.failures:
            self._log.warning(f"{self._what}.recovered", failures=self.failures)
        self.failures = 0
