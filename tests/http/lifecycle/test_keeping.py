"""When a response is kept, and what happens if it cannot be."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from gomodel_proxy.testing.waiting import until

from .sdk import streamed
from .setting import SLOW

if TYPE_CHECKING:
    from gomodel_proxy.api import Responses
    from gomodel_proxy.testing.served import Served

    from .sdk import Callers

pytestmark = pytest.mark.asyncio(loop_scope="module")


def responses_of(gate: Served) -> Responses:
    store = gate.gateway.generation.store
    assert store is not None
    assert store.responses is not None
    return store.responses


async def test_the_last_word_waits_until_the_turn_is_kept(
    callers: Callers, gate: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    responses = responses_of(gate)
    reached, go, save = asyncio.Event(), asyncio.Event(), responses.save

    async def wait(*given: Any) -> None:
        reached.set()
        await go.wait()
        await save(*given)

    monkeypatch.setattr(responses, "save", wait)
    stream = await callers.ann.responses.create(model="chat/large", input="x", stream=True)
    kinds: list[str] = []

    async def read() -> None:
        async for event in stream:
            kinds.append(event.type)

    reading = asyncio.create_task(read())
    try:
        await reached.wait()
        await until(lambda: "response.output_text.delta" in kinds)
        assert "response.completed" not in kinds
    finally:
        go.set()
        await reading
    assert kinds[-1] == "response.completed"


async def test_what_cannot_be_kept_is_given_and_said_aloud(
    callers: Callers, gate: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: Any) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(responses_of(gate), "save", fail)
    raw = await callers.ann.responses.with_raw_response.create(model="chat/large", input="x")
    assert raw.headers["x-gomodel-lossy"] == "store"
    assert raw.parse().store is False
    assert raw.parse().output_text == "answer 1"
    row = await gate.row()
    assert (row["status"], row["losses"]) == ("ok", ["store"])
    assert (await streamed(callers.ann, model="chat/large", input="x")).status == "completed"
    assert (await gate.row())["losses"] == ["store"]


async def test_a_caller_who_leaves_has_nothing_kept(
    callers: Callers, gate: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    responses = responses_of(gate)
    saved: list[Any] = []
    monkeypatch.setattr(responses, "save", saved.append)
    stream = await callers.ann.responses.create(model=f"sandbox/{SLOW}", input="x", stream=True)
    first = await anext(stream)
    assert first.type == "response.created"
    await stream.close()
    await until(lambda: gate.gateway.generation.running == 0)
    assert (await gate.row())["status"] == "cancelled"
    assert saved == []
    assert await responses.find(first.response.id, None) is None


async def test_a_conversation_that_outgrows_a_body_is_refused(
    callers: Callers, gate: Served
) -> None:
    talks = callers.ann.conversations
    made = await talks.create()
    limit = gate.gateway.configuration.server.body_limit
    large: Any = {"role": "user", "content": "x" * (limit // 2)}
    for _ in range(2):
        await talks.items.create(made.id, items=[large])
    with pytest.raises(Exception, match=r"server\.body_limit") as caught:
        await callers.ann.responses.create(model="chat/large", input="x", conversation=made.id)
    assert getattr(caught.value, "code", "") == "conversation_too_long"
