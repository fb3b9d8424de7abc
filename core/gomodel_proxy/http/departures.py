"""Requests that leave at the end of the loop's turn, over connections that are still good then."""

from __future__ import annotations

import select
from typing import TYPE_CHECKING

from .connection import Connection
from .outbox import Outbox

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Departures"]


class Departures(Outbox[Connection]):
    """Asks the system, once for all that are about to leave, whose upstream has closed.

    Bytes or an end that wait to be read on a connection that had been idle mean just that. Its
    request has not left, and so it goes another way.
    """

    __slots__ = ()

    def flush(self) -> None:
        """Let all of them leave now."""
        idle = {one.descriptor: one for one in self._writers if one.reused and one.departing}
        for descriptor in _stirring(idle) if idle else ():
            idle[descriptor].miss()
        super().flush()


def _stirring(descriptors: Iterable[int]) -> list[int]:
    """Return those on which something waits to be read."""
    if not hasattr(select, "poll"):  # Windows
        return select.select(list(descriptors), [], [], 0)[0]
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    return [descriptor for descriptor, _ in poll.poll(0)]
