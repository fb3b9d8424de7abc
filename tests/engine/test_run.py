"""Runs: when a coroutine needs no task, when it becomes one, and how it ends in either case."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from gomodel_proxy.engine.run import Run, Signal, in_task

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class Work:
    """Waits for a signal and writes down how that went."""

    def __init__(self, *before: Callable[[], Awaitable[Any]]) -> None:
        self.signal = Signal()
        self.heard: list[str] = []
        self.ended = asyncio.Event()
        self._before = before
        self.run = Run(self._work())

    async def _work(self) -> None:
        try:
            for wait in self._before:
                await wait()
            self.heard.append("waits")
            await self.signal
            self.heard.append("goes on")
        except asyncio.CancelledError as error:
            self.heard.append(f"cancelled {error.args}")
            raise
        except LookupError as error:
            self.heard.append(f"failed {error}")
        finally:
            self.ended.set()


async def current_task() -> None:
    """Ask for what only a task has."""
    await in_task()
    assert asyncio.current_task() is not None


async def a_turn() -> None:
    """Wait for a future."""
    await asyncio.sleep(0.001)


async def test_it_goes_on_within_set_and_makes_no_task() -> None:
    work = Work()
    work.run.resume()
    assert work.heard == ["waits"]
    work.signal.set()
    assert work.heard == ["waits", "goes on"]
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_signal_that_is_set_already_is_not_waited_for() -> None:
    work = Work()
    work.signal.set()
    work.run.resume()
    assert work.heard == ["waits", "goes on"]


async def test_a_second_set_changes_nothing() -> None:
    work = Work()
    work.run.resume()
    work.signal.set(LookupError("first"))
    work.signal.set()
    assert work.heard == ["waits", "failed first"]


async def test_cancelling_reaches_the_work_at_once() -> None:
    work = Work()
    work.run.resume()
    work.run.cancel("why")
    assert work.heard == ["waits", "cancelled ('why',)"]
    work.signal.set()
    assert len(work.heard) == 2


@pytest.mark.parametrize("before", [current_task, a_turn, asyncio.Event().wait])
async def test_it_becomes_a_task_that_is_cancelled_like_one(before: Any) -> None:
    work = Work(before)
    work.run.resume()
    work.run.cancel("why")  # before the task's first step
    await work.ended.wait()
    assert work.heard == ["cancelled ('why',)"]


@pytest.mark.parametrize("before", [current_task, a_turn])
async def test_what_waits_for_something_else_goes_on_in_a_task(before: Any) -> None:
    work = Work(before, before)
    work.run.resume()
    work.signal.set()
    await work.ended.wait()
    assert work.heard == ["waits", "goes on"]


async def test_a_task_may_wait_for_a_signal_and_be_cancelled() -> None:
    signals = Signal(), Signal(), Signal()

    async def wait(signal: Signal) -> None:
        await in_task()  # it is one
        await signal

    tasks = [asyncio.create_task(wait(signal)) for signal in signals]
    await asyncio.sleep(0)
    signals[0].set()
    signals[1].set(LookupError("no"))
    tasks[2].cancel()
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(end) for end in ends] == [type(None), LookupError, asyncio.CancelledError]
    signals[2].set()


async def test_one_run_may_set_off_another() -> None:
    second = Work()
    second.run.resume()

    async def between() -> None:
        second.signal.set()

    outer = Work(between)
    outer.run.resume()
    assert second.heard == ["waits", "goes on"]
    assert outer.heard == ["waits"]
    outer.signal.set()
    assert outer.heard == ["waits", "goes on"]
