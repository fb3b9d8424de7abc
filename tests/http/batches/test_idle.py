"""A gateway with nothing to do: it looks for batches and writes nothing, until there is one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gomodel_proxy.api import Batches

    from .line_house import House


class Watched:
    """What is asked of a store's batches from now on."""

    def __init__(self, batches: Batches) -> None:
        self.looks = 0
        self.writes: list[str] = []
        look = batches.look

        async def looked(now: int) -> bool:
            self.looks += 1
            return await look(now)

        batches.look = looked  # type: ignore[method-assign]
        for name in ("claim", "lease"):
            setattr(batches, name, self._noted(name, getattr(batches, name)))

    def _noted(self, name: str, call: Callable[..., Awaitable[Any]]) -> Any:
        async def noted(*given: Any) -> Any:
            self.writes.append(name)
            return await call(*given)

        return noted

    async def later(self, looks: int = 4) -> None:
        """Return when it was looked so often again."""
        end = self.looks + looks
        while self.looks < end:  # noqa: ASYNC110 - the gateway looks by itself
            await asyncio.sleep(0.005)


async def test_where_there_are_no_batches_nothing_is_written(
    open_house: Callable[..., Awaitable[House]],
) -> None:
    watched = Watched((await open_house()).batches)
    await watched.later()
    assert watched.writes == []


async def test_after_the_last_batch_nothing_is_written_either(
    open_house: Callable[..., Awaitable[House]],
) -> None:
    house = await open_house()
    watched = Watched(house.batches)
    await house.ended((await house.create("a", "b"))["id"])
    assert {"claim", "lease"} <= set(watched.writes)
    await watched.later()
    watched.writes.clear()
    await watched.later()
    assert watched.writes == []


async def test_an_idle_gateway_takes_up_what_another_process_made(
    open_house: Callable[..., Awaitable[House]],
) -> None:
    idle = await open_house()
    await Watched(idle.batches).later()
    serving = await open_house(work=False)  # it has the same store, and no bell reaches the other
    batch = await serving.ended((await serving.create("a", "b"))["id"])
    assert batch["request_counts"]["completed"] == 2
