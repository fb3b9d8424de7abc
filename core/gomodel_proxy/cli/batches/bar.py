"""A progress bar by rich, which the extra ``cli`` installs."""

from __future__ import annotations

from typing import Any, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

__all__ = ["Bar"]


class Bar:
    """One batch on its way; a context."""

    def __init__(self, console: Console | None = None) -> None:
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[failed]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console or Console(stderr=True),
        )
        self._task = self._progress.add_task("uploading", total=None, failed="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._progress.stop()

    def batch(self, batch: dict[str, Any]) -> None:
        """Show how a batch stands."""
        counts = batch["request_counts"]
        failed = counts["failed"]
        self._progress.update(
            self._task,
            description=batch["status"].replace("_", " "),
            total=counts["total"] or None,
            completed=counts["completed"] + failed,
            failed=f"[red]{failed} failed[/red]" if failed else "",
        )

    def trouble(self, message: str) -> None:
        """Show that the gateway does not answer."""
        self._progress.update(self._task, description="[yellow]no answer, trying on[/yellow]")
