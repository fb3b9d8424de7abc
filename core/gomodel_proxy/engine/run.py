"""Runs: calls that are driven by callbacks, without a task for as long as that is possible.

A task, a future and the turns of the loop between them cost more than the rest of a plain call's
waiting. So a call begins without a task, and goes on within the very callback that brings what it
waits for. As soon as it waits for anything else than a `Signal`, it becomes an ordinary task.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from types import coroutine
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["Run", "Signal", "in_task"]

_current: Run | None = None  # the run whose code is being executed, if that is outside a task


class Run(Coroutine[Any, Any, None]):
    """One coroutine on its way; `resume` begins it, `cancel` ends it as it would a task.

    It must see to its own errors. ``work`` may be cancelled wherever it waits.
    """

    __slots__ = ("_awaited", "_task", "_work")

    def __init__(self, work: Coroutine[Any, Any, None]) -> None:
        self._work = work
        self._task: asyncio.Task[None] | None = None
        self._awaited: Any = None

    def cancel(self, *message: str) -> None:
        """Raise `asyncio.CancelledError` where the work waits."""
        if self._task is not None:
            self._task.cancel(*message)
        else:
            self._step(self._work.throw, asyncio.CancelledError(*message))

    def resume(self) -> None:
        """Begin, or go on as what was waited for has come, up to the next wait."""
        self._step(self._work.send, None)

    def _step(self, step: Any, value: Any) -> None:
        global _current
        before, _current = _current, self
        try:
            awaited = step(value)
        except (StopIteration, asyncio.CancelledError):
            return
        finally:
            _current = before
        if type(awaited) is not Signal:
            self._awaited = awaited
            self._task = asyncio.get_running_loop().create_task(self)

    # ------------------------------------------------------------ called by the task it becomes

    def send(self, value: None) -> Any:
        """Hand over what is waited for already, then go on."""
        awaited, self._awaited = self._awaited, None
        return self._work.send(value) if awaited is None else awaited

    def throw(self, *error: Any) -> Any:
        """Raise an error where the work waits."""
        return self._work.throw(*error)

    def close(self) -> None:
        """Give the work up."""
        self._work.close()

    def __await__(self) -> Generator[Any, Any, None]:
        raise TypeError("a run is resumed, not awaited")


class Signal:
    """What one coroutine awaits and somebody else sets, once; ``over`` says that it is set.

    A `Run` that waits for it goes on before `set` returns; a task goes on at its next turn.
    """

    __slots__ = ("_error", "_future", "_run", "over")

    def __init__(self) -> None:
        self.over = False
        self._error: Exception | None = None
        self._run: Run | None = None
        self._future: asyncio.Future[None] | None = None

    def set(self, error: Exception | None = None) -> None:
        """Let the waiting one go on, or raise an error there; a second call does nothing."""
        if self.over:
            return
        self.over = True
        self._error = error
        if self._run is not None:
            self._run.resume()
        elif self._future is not None and not self._future.done():
            self._future.set_result(None)

    def __await__(self) -> Generator[Any, None, None]:
        if not self.over:
            if _current is None:
                self._future = asyncio.get_running_loop().create_future()
                yield from self._future
            else:
                self._run = _current
                try:
                    yield self
                finally:
                    self._run = None
        if self._error is not None:
            raise self._error


@coroutine
def in_task() -> Generator[None, None, None]:
    """Become a task, if not one already: plugins and `asyncio.timeout` need a current one."""
    if _current is not None:
        yield
