"""Bringing the journals of stopped workers to the store."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Final

import msgspec

from .journal import BAD, segments, slots
from .lock import lock
from .records import Opened, Owned, Record, Settled, read

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from structlog.typing import FilteringBoundLogger

    from gomodel_proxy.api import LedgerRow, Resource

__all__ = ["STOPPED", "Replay"]

STOPPED: Final = "the gateway stopped before this request was settled"


class Replay:
    """Replays orphaned journals. Safe to run in many processes at once: a lock shares them out.

    ``write`` and ``own`` commit to the store, rows already there included; ``tell`` hears of the
    rows that nothing settled. Files go after the commit, so being stopped midway repeats work
    and loses none.
    """

    def __init__(
        self,
        folder: Path,
        *,
        write: Callable[[Sequence[LedgerRow]], Awaitable[None]],
        own: Callable[[Sequence[Resource]], Awaitable[None]],
        tell: Callable[[Sequence[LedgerRow]], None],
        log: FilteringBoundLogger,
    ) -> None:
        self._folder = folder
        self._write = write
        self._own = own
        self._tell = tell
        self._log = log

    async def run(self) -> None:
        """Replay every journal without a living owner; raises what the store or the disk does."""
        for slot in await asyncio.to_thread(slots, self._folder):
            held = lock(self._folder / f"{slot}.lock")
            if held is None:
                continue
            try:
                await self._slot(await asyncio.to_thread(segments, self._folder, slot))
            finally:
                os.close(held)

    async def _slot(self, paths: Sequence[Path]) -> None:
        opened: dict[str, LedgerRow] = {}
        damaged: dict[Path, list[str]] = {}
        settled = 0
        for path in paths:
            records, damage = await asyncio.to_thread(_load, path)
            if damage:
                damaged[path] = damage
            settled += await self._records(records, opened)
        unknown = [
            msgspec.structs.replace(row, status="unknown", error=STOPPED) for row in opened.values()
        ]
        if unknown:
            await self._write(unknown)
            self._tell(unknown)
        for path in paths:
            self._put_away(path, damaged.get(path))
        if settled or unknown:
            self._log.warning("journal.replayed", settled=settled, unknown=len(unknown))

    async def _records(self, records: Sequence[Record], opened: dict[str, LedgerRow]) -> int:
        settled: list[LedgerRow] = []
        owned: list[Resource] = []
        for record in records:
            match record:
                case Opened(row):
                    opened[row.id] = row
                case Settled(row):
                    opened.pop(row.id, None)
                    settled.append(row)
                case Owned(resource):
                    owned.append(resource)
        if owned:
            await self._own(owned)
        if settled:
            await self._write(settled)
        return len(settled)

    def _put_away(self, path: Path, damage: list[str] | None) -> None:
        if damage is None:
            path.unlink()
            return
        kept = path.with_name(path.name + BAD)
        path.rename(kept)
        self._log.error("journal.damaged", kept=str(kept), damage=damage)


def _load(path: Path) -> tuple[list[Record], list[str]]:
    return read(path.read_bytes())
