"""How far a batch is, on standard error: a bar if rich is there, else a line per news."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Progress", "progress"]


class Progress(Protocol):
    """What is told as it happens."""

    def batch(self, batch: dict[str, Any]) -> None:
        """A batch stands like this now."""

    def trouble(self, message: str) -> None:
        """The gateway does not answer; it is asked again."""


@contextmanager
def progress() -> Iterator[Progress]:
    """Show progress until the context is left."""
    if not sys.stderr.isatty():
        yield _Lines()
        return
    try:
        from .bar import Bar
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "rich":
            raise
        print("for a progress bar: pip install 'gomodel-proxy[cli]'", file=sys.stderr)
        yield _Lines()
        return
    with Bar() as bar:
        yield bar


class _Lines:
    """A line for each new status and each trouble."""

    def __init__(self) -> None:
        self._last = ""

    def batch(self, batch: dict[str, Any]) -> None:
        self._tell(f"{batch['id']}: {batch['status']}")

    def trouble(self, message: str) -> None:
        self._tell(f"the gateway does not answer, trying on: {message}")

    def _tell(self, text: str) -> None:
        if text != self._last:
            print(text, file=sys.stderr, flush=True)
            self._last = text
