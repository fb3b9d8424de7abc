"""A thread that does a journal's slow file work: makes, syncs and deletes segments."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from structlog.typing import FilteringBoundLogger

    from .segment import Segment

__all__ = ["Fsync", "Keeper"]

Fsync = Literal["off", "interval", "always"]

_SYNC_EVERY = 1.0  # seconds


class Keeper:
    """Keeps a spare segment ready and everything else slow away from the event loop.

    ``make`` makes a segment that holds a payload of a length, ``live`` returns those in use.
    """

    def __init__(
        self,
        make: Callable[[int], Segment],
        live: Callable[[], Iterable[Segment]],
        fsync: Fsync,
        log: FilteringBoundLogger,
    ) -> None:
        self._make = make
        self._live = live
        self._fsync = fsync
        self._log = log
        self._spare: Segment | None = None
        self._making = threading.Lock()  # segments must be made in the order they are used
        self._spare_wanted = False
        self._dead: deque[Segment] = deque()
        self._waiters: deque[Future[None]] = deque()
        self._sync_failed = False
        self._stopping = False
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def prepare(self) -> None:
        """Have the next segment made."""
        self._spare_wanted = True
        self._wake.set()

    def take(self, length: int) -> Segment:
        """Return the spare segment, or else a new one that holds a payload of this length."""
        with self._making:
            self._spare_wanted = False
            spare, self._spare = self._spare, None
            return spare or self._make(length)

    def discard(self, segment: Segment) -> None:
        """Have a segment deleted."""
        self._dead.append(segment)
        self._wake.set()

    def synced(self) -> Future[None]:
        """Return a future that is done when all that was appended until now is on the disk."""
        waiter: Future[None] = Future()
        self._waiters.append(waiter)
        self._wake.set()
        return waiter

    def stop(self) -> None:
        """Finish what was asked for and end the thread; a spare is deleted."""
        self._stopping = True
        self._wake.set()
        self._thread.join()
        if self._spare is not None:
            self._spare.delete()

    def _run(self) -> None:
        every = None if self._fsync == "off" else _SYNC_EVERY
        stopping = False
        while not stopping:
            self._wake.wait(every)
            self._wake.clear()
            stopping = self._stopping  # read first: what was asked before it is done below
            self._make_spare()
            self._sync()
            self._delete()

    def _make_spare(self) -> None:
        with self._making:
            if not self._spare_wanted or self._spare is not None:
                return
            self._spare_wanted = False
            try:
                self._spare = self._make(0)
            except OSError as error:  # whoever takes it tries once more, and tells the caller
                self._log.error("journal.cannot_grow", error=str(error))

    def _sync(self) -> None:
        waiters = [self._waiters.popleft() for _ in range(len(self._waiters))]
        waiters = [waiter for waiter in waiters if waiter.set_running_or_notify_cancel()]
        if self._fsync == "off" and not waiters:
            return
        try:
            for segment in tuple(self._live()):
                segment.sync()
        except OSError as error:
            if not self._sync_failed:
                self._log.error("journal.sync_failing", error=str(error))
            self._sync_failed = True
            for waiter in waiters:
                waiter.set_exception(error)
            return
        self._sync_failed = False
        for waiter in waiters:
            waiter.set_result(None)

    def _delete(self) -> None:
        while self._dead:
            segment = self._dead.popleft()
            try:
                segment.delete()
            except OSError as error:
                self._log.error("journal.file_stays", file=segment.path.name, error=str(error))
