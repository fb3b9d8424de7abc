"""What a process and its children cost: processor time and memory, read from /proc."""

from __future__ import annotations

import time
from pathlib import Path

PROC = Path("/proc")


class Tree:
    """A process and all of its descendants, looked up anew at each reading."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def pids(self) -> list[int]:
        """Return the process and its descendants."""
        found = [self.pid]
        for pid in found:
            for children in PROC.glob(f"{pid}/task/*/children"):
                found += [int(child) for child in read(children).split()]
        return found

    def cpu(self) -> float:
        """Return the seconds that all threads have spent on a processor so far."""
        return (
            sum(
                int(read(stat).split()[0] or 0)
                for pid in self.pids()
                for stat in PROC.glob(f"{pid}/task/*/schedstat")
            )
            / 1e9
        )

    def rss(self) -> int:
        """Return the resident memory in bytes."""
        return sum(
            int(line.split()[1]) * 1024
            for pid in self.pids()
            for line in read(PROC / str(pid) / "status").splitlines()
            if line.startswith("VmRSS:")
        )

    def settle(self, *, window: float = 0.15, limit: float = 2.0) -> None:
        """Wait until work that was put off (ledger, log) is done, so that it is counted."""
        end = time.monotonic() + limit
        quiet = 0
        before = self.cpu()
        while quiet < 3 and time.monotonic() < end:
            time.sleep(window)
            now = self.cpu()
            quiet = quiet + 1 if now - before < 0.02 * window else 0
            before = now


def read(path: Path) -> str:
    """Return a file of /proc; a process or thread that has just gone reads as nothing."""
    try:
        return path.read_text() or "0"
    except (FileNotFoundError, ProcessLookupError):
        return "0"
