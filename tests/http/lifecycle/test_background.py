"""What responses take that a vendor makes in the background: entered late, and once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from gomodel_proxy.api import Query
from gomodel_proxy.engine.ids import now
from gomodel_proxy.engine.late import UNMETERED
from gomodel_proxy.engine.sweep import Sweep
from gomodel_proxy.testing.served import Served

from .setting import Setting, config
from .vendor import BASE

if TYPE_CHECKING:
    from pathlib import Path

    from .sdk import Callers
    from .vendor import Vendor

MINUTE = 61 * 1_000_000
"""A little more than the patience, in the gateway's microseconds."""

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def begin(callers: Callers) -> str:
    """Have a response made in the background and return its id."""
    made = await callers.ann.responses.create(model="native/large", input="One", background=True)
    assert (made.status, made.usage) == ("queued", None)
    return made.id


def finish(vendor: Vendor, id_: str) -> None:
    """Let the vendor be done with it."""
    text = {"type": "output_text", "text": "Done.", "annotations": []}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed"}
    done = {"status": "completed", "usage": BASE["usage"]}
    vendor.kept[id_] = {**vendor.kept[id_], **done, "output": [{**message, "content": [text]}]}


async def entered(gate: Served) -> list[Any]:
    """Return the rows of the ledger that have tokens."""
    generation = gate.gateway.generation
    await generation.books.flush()
    assert generation.store is not None
    assert generation.store.ledger is not None
    rows = await generation.store.ledger.log(Query(limit=1000))
    return [row for row in rows if row["total_tokens"] is not None]


async def test_it_is_entered_when_it_is_first_seen_finished(
    callers: Callers, vendor: Vendor, gate: Served
) -> None:
    before = await entered(gate)
    id_ = await begin(callers)
    await callers.ann.responses.retrieve(id_)
    assert await entered(gate) == before
    finish(vendor, id_)
    for _ in range(2):
        assert (await callers.ann.responses.retrieve(id_)).status == "completed"
    (row,) = [row for row in await entered(gate) if row not in before]
    assert (row["status"], row["provider"], row["model"]) == ("ok", "native", "large")
    assert (row["principal"], row["user_path"]) == ("ann", "/")
    assert (row["input_tokens"], row["output_tokens"]) == (3, 2)
    (attempt,) = row["attempts"]
    assert (attempt["provenance"], attempt["raw_usage"]) == ("reported", BASE["usage"])
    assert len(row["id"]) == len("req_") + 32


async def test_whoever_sees_it_at_once_enters_it_once(
    callers: Callers, vendor: Vendor, gate: Served
) -> None:
    before = await entered(gate)
    id_ = await begin(callers)
    finish(vendor, id_)
    await asyncio.gather(*(callers.ann.responses.retrieve(id_) for _ in range(5)))
    assert len(await entered(gate)) == len(before) + 1


async def test_its_stream_cancelling_and_deleting_enter_it_too(
    callers: Callers, vendor: Vendor, gate: Served
) -> None:
    ann = callers.ann.responses
    before = await entered(gate)
    streamed, cancelled, deleted = [await begin(callers) for _ in range(3)]
    for id_ in (streamed, cancelled, deleted):
        finish(vendor, id_)
    stream = await ann.retrieve(streamed, stream=True)
    assert [event async for event in stream][-1].type == "response.completed"
    await ann.cancel(cancelled)
    await ann.delete(deleted)
    assert len(await entered(gate)) == len(before) + 3


async def test_what_was_counted_when_it_was_made_is_not_counted_again(
    callers: Callers, vendor: Vendor, gate: Served
) -> None:
    made = await callers.ann.responses.create(model="native/large", input="One")
    before = await entered(gate)
    vendor.kept[made.id]["background"] = True
    await callers.ann.responses.retrieve(made.id)
    assert await entered(gate) == before


def sweep(gate: Served) -> Sweep:
    """Return what looks for the usage of responses that nobody fetches."""
    store = gate.gateway.generation.store
    assert store is not None
    assert store.resources is not None
    return Sweep(gate.gateway.generation, store.resources)


async def test_what_nobody_fetches_is_entered_once(
    callers: Callers, vendor: Vendor, gate: Served
) -> None:
    before = await entered(gate)
    ids = [await begin(callers) for _ in range(3)]
    finish(vendor, ids[0])
    finish(vendor, ids[2])
    assert await entered(gate) == before
    looks, others = sweep(gate), sweep(gate)
    made = now()
    await looks.look(made)
    assert await entered(gate) == before, "too young to be asked for"
    await asyncio.gather(looks.look(made + MINUTE), others.look(made + MINUTE))
    assert len(await entered(gate)) == len(before) + 2

    finish(vendor, ids[1])
    asked = len(vendor.asked)
    await looks.look(made + MINUTE + 1)
    assert len(vendor.asked) == asked, "it was asked for a moment ago"
    await looks.look(made + 2 * MINUTE)
    assert len(await entered(gate)) == len(before) + 3
    asked = len(vendor.asked)
    await sweep(gate).look(made + 3 * MINUTE)
    assert len(vendor.asked) == asked, "nothing is waited for any more"


async def test_what_the_vendor_has_lost_is_given_up(
    callers: Callers, vendor: Vendor, gate: Served
) -> None:
    before = await entered(gate)
    id_ = await begin(callers)
    del vendor.kept[id_]
    later = now() + MINUTE
    await sweep(gate).look(later)
    asked = len(vendor.asked)
    await sweep(gate).look(later)
    assert len(vendor.asked) == asked
    assert await entered(gate) == before


async def test_a_gateway_looks_by_itself(setting: Setting, vendor: Vendor, tmp_path: Path) -> None:
    patient = config(vendor, accounting={"background_patience": "20ms"})
    async with Served(patient, tmp_path) as gate:
        finish(vendor, await begin(setting.at(gate.url)))
        resources = sweep(gate)._resources
        later = now() + MINUTE
        await gate.gateway.generation.books.flush()
        async with asyncio.timeout(10):  # a store does not say when it has forgotten something
            while await resources.list(UNMETERED, before=later, after="", limit=1):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert len(await entered(gate)) == 1


async def test_it_outlives_the_gateway(setting: Setting, vendor: Vendor, tmp_path: Path) -> None:
    async with Served(config(vendor), tmp_path) as first:
        id_ = await begin(setting.at(first.url))
    finish(vendor, id_)
    for count in (1, 1):
        async with Served(config(vendor), tmp_path) as later:
            await setting.at(later.url).ann.responses.retrieve(id_)
            assert len(await entered(later)) == count
