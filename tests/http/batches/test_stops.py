"""Executed batches over processes that stop, sleep, and come back with another configuration."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from gomodel_proxy.engine.batches import executor
from gomodel_proxy.engine.ids import now

from .line_house import asked_by, reply_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from gomodel_proxy.api import Lease
    from gomodel_proxy.testing.lines import Asked, Line

    from .line_house import House


async def test_a_stop_lets_lines_end_and_another_process_goes_on(
    open_house: Callable[..., Awaitable[House]],
) -> None:
    house = await open_house({"batch_concurrency": 1})
    go = asyncio.Event()

    async def wait(line: Line, asked: Asked) -> None:
        await go.wait()
        await line.send(reply_of(asked))

    house.vendor.answer = wait
    made = await house.create("a", "b", "c")
    while not house.vendor.asked:  # noqa: ASYNC110 - the vendor is asked by another task
        await asyncio.sleep(0.005)
    stopping = asyncio.create_task(house.gateway.stop())
    while not house.gateway.gateway.generation.closing:  # noqa: ASYNC110
        await asyncio.sleep(0.005)
    go.set()
    await stopping
    assert len(house.vendor.asked) == 1
    again = await open_house({"batch_concurrency": 1})
    batch = await again.ended(made["id"])
    assert batch["request_counts"]["resent"] == 0
    assert sorted(map(asked_by, house.vendor.asked)) == ["a", "b", "c"]


async def test_lines_whose_provider_is_gone_wait_for_it_aloud(
    open_house: Callable[..., Awaitable[House]],
) -> None:
    house = await open_house(poll_max="20ms")

    async def busy(line: Line, asked: Asked) -> None:
        await line.send(reply_of(asked, 429))

    answer, house.vendor.answer = house.vendor.answer, busy
    made = await house.create("a", "b")
    await house.until(made["id"], lambda it: it["status"] == "in_progress")
    await house.gateway.stop()
    other = await open_house(name="other", poll_max="20ms")
    batch = await other.until(made["id"], lambda it: it["errors"])
    (error,) = batch["errors"]["data"]
    assert (error["code"], error["param"]) == ("provider_gone", "up")
    assert batch["status"] == "in_progress"
    await other.gateway.stop()
    house.vendor.answer = answer
    batch = await (await open_house(poll_max="20ms")).ended(made["id"])
    assert batch["errors"] is None
    assert batch["request_counts"]["completed"] == 2


async def until_cut_off(name: str) -> None:
    """Return when no task of that name is left."""
    while any(task.get_name() == name for task in asyncio.all_tasks()):  # noqa: ASYNC110 - others end it
        await asyncio.sleep(0.005)


async def test_what_the_store_hands_out_while_it_stops_is_given_back(
    open_house: Callable[..., Awaitable[House]], monkeypatch: pytest.MonkeyPatch
) -> None:
    house = await open_house()
    lease, leased, go = house.batches.lease, asyncio.Event(), asyncio.Event()

    async def slow(*asked: Any) -> Sequence[Lease]:
        leases = await lease(*asked)
        if leases:
            leased.set()
            await go.wait()
        return leases

    monkeypatch.setattr(house.batches, "lease", slow)
    made = await house.create("a", "b", "c")
    await leased.wait()
    stopping = asyncio.create_task(house.gateway.stop())
    await until_cut_off("batches_lease")
    go.set()
    await stopping
    again = await open_house()
    batch = await again.ended(made["id"])
    assert batch["request_counts"]["resent"] == 0, "nothing of it was sent"


async def test_who_was_asleep_does_not_take_his_own_lines_again(
    open_house: Callable[..., Awaitable[House]], monkeypatch: pytest.MonkeyPatch
) -> None:
    house = await open_house()
    go, taken, asleep = asyncio.Event(), asyncio.Semaphore(0), 0

    async def wait(line: Line, asked: Asked) -> None:
        await go.wait()
        await line.send(reply_of(asked))

    renew, lease = house.batches.renew, house.batches.lease

    async def late(*asked: Any) -> Sequence[bool]:
        task = asyncio.current_task()
        if asleep and task is not None and task.get_name() == "batches_renew":
            await go.wait()  # it has not come round yet
        return await renew(*asked)

    async def noted(*asked: Any) -> Sequence[Lease]:
        leases = await lease(*asked)
        taken.release()
        return leases

    monkeypatch.setattr(house.batches, "renew", late)
    monkeypatch.setattr(executor, "now", lambda: now() + asleep)
    house.vendor.answer = wait
    made = await house.create("a")
    while not house.vendor.asked:  # noqa: ASYNC110 - the vendor is asked by another task
        await asyncio.sleep(0.005)
    asleep = 3_600_000_000
    monkeypatch.setattr(house.batches, "lease", noted)
    for _ in range(3):
        await taken.acquire()
    asleep = 0
    go.set()
    batch = await house.ended(made["id"])
    assert batch["request_counts"]["resent"] == 0
    assert len(house.vendor.asked) == 1


@pytest.mark.parametrize("step", ["claim", "add"])
async def test_who_stops_leaves_what_is_looked_after_to_others(
    open_house: Callable[..., Awaitable[House]], monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    house = await open_house(lease="1h")
    take, taken, go = getattr(house.batches, step), asyncio.Event(), asyncio.Event()

    async def slow(*asked: Any) -> Any:
        found = await take(*asked)
        if found is not None:
            taken.set()
            await go.wait()
        return found

    monkeypatch.setattr(house.batches, step, slow)
    made = await house.create("a")
    await taken.wait()
    stopping = asyncio.create_task(house.gateway.stop())
    await until_cut_off("batches_steward")
    go.set()
    await stopping
    again = await open_house()
    await again.ended(made["id"])
