"""A plugin that watches every call, so that what is measured is a gateway with plugins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gomodel_proxy.hookspecs import hookimpl

if TYPE_CHECKING:
    from gomodel_proxy.api import Call


class Totals:
    """Counts what passed, like a plugin that keeps metrics."""

    def __init__(self) -> None:
        self.calls = 0
        self.failed = 0
        self.chunks = 0
        self.size = 0

    def chunk(self, data: bytes) -> None:
        """Count bytes that left for the caller."""
        self.chunks += 1
        self.size += len(data)

    def done(self, call: Call, error: BaseException | None) -> None:
        """Count a call that is over."""
        self.calls += 1
        self.failed += error is not None


totals = Totals()


@hookimpl
def gomodel_observe(call: Call) -> Totals:
    """Watch every call."""
    return totals
