"""What becomes of responses: judged by OpenAI's SDK, over vendors that keep them and others."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import openai
import pytest
from aiohttp.test_utils import TestServer
from msgspec.structs import replace

from gomodel_proxy import create_app
from gomodel_proxy.api import Query
from gomodel_proxy.config import load
from gomodel_proxy.plugins import Plugins
from gomodel_proxy.testing.served import Served, completed
from gomodel_proxy.testing.waiting import until

from .sdk import refused, streamed
from .setting import BROKEN, Setting, config, texts
from .vendor import BASE

if TYPE_CHECKING:
    from pathlib import Path

    from .sdk import Callers
    from .vendor import Vendor

pytestmark = pytest.mark.asyncio(loop_scope="module")


# ---------------------------------------------------------------- kept by the gateway


async def test_a_response_can_be_had_again(callers: Callers, vendor: Vendor) -> None:
    made = await callers.ann.responses.create(model="chat/large", input="Hello")
    assert made.output_text == "answer 1"
    assert made.id.startswith("resp_")
    assert made.store is True
    assert await callers.ann.responses.retrieve(made.id) == made
    assert await callers.eve.responses.retrieve(made.id) == made
    assert len(vendor.asked) == 1


async def test_to_others_it_does_not_exist(callers: Callers, vendor: Vendor) -> None:
    made = await callers.ann.responses.create(model="chat/large", input="Hello")
    bob = callers.bob.responses
    await refused(bob.retrieve(made.id), 404, "response_not_found")
    await refused(bob.delete(made.id), 404)
    await refused(bob.cancel(made.id), 404)
    with pytest.raises(openai.NotFoundError):
        [one async for one in bob.input_items.list(made.id)]
    for model in ("chat/large", "native/large"):
        going_on = bob.create(model=model, input="x", previous_response_id=made.id)
        await refused(going_on, 404, "response_not_found")
    count = bob.input_tokens.count(model="chat/large", input="x", previous_response_id=made.id)
    await refused(count, 404)
    assert len(vendor.asked) == 1
    assert await callers.ann.responses.retrieve(made.id) == made


@pytest.mark.parametrize("stream", [False, True])
async def test_turns_go_on_over_a_provider_that_never_heard_of_them(
    callers: Callers, vendor: Vendor, stream: bool
) -> None:
    ann = callers.ann
    previous = None
    for number, said in enumerate(("My name is Ann.", "What is it?", "Sure?"), 1):
        asked: dict[str, Any] = {"model": "chat/large", "input": said}
        if previous is not None:
            asked["previous_response_id"] = previous.id
        turn = await (streamed(ann, **asked) if stream else ann.responses.create(**asked))
        assert turn.previous_response_id == (previous and previous.id)
        assert turn.status == "completed"
        assert await ann.responses.retrieve(turn.id) == turn
        previous = turn
        assert number == len(vendor.bodies)
    sent = vendor.bodies[-1]
    assert texts(sent["messages"]) == [
        "My name is Ann.",
        "answer 1",
        "What is it?",
        "answer 2",
        "Sure?",
    ]
    assert [one["role"] for one in sent["messages"]] == ["user", "assistant"] * 2 + ["user"]
    assert {"previous_response_id", "store", "conversation"}.isdisjoint(sent)


async def test_nothing_is_lost_by_going_on(callers: Callers) -> None:
    first = await callers.ann.responses.create(model="chat/large", input="One")
    headers = {"X-GoModel-Strict": "1"}
    raw = await callers.ann.responses.with_raw_response.create(
        model="chat/large", input="Two", previous_response_id=first.id, extra_headers=headers
    )
    assert "x-gomodel-lossy" not in raw.headers


async def test_instructions_are_not_carried_over(callers: Callers, vendor: Vendor) -> None:
    first = await callers.ann.responses.create(
        model="chat/large", input="One", instructions="Be brief."
    )
    await callers.ann.responses.create(
        model="chat/large", input="Two", previous_response_id=first.id
    )
    assert texts(vendor.bodies[-1]["messages"]) == ["One", "answer 1", "Two"]


async def test_a_tools_result_goes_on_from_its_call(callers: Callers, gate: Served) -> None:
    ann = callers.ann
    tool: Any = {
        "type": "function",
        "name": "weather",
        "parameters": {"type": "object", "properties": {}, "additionalProperties": False},
        "strict": True,
    }
    asked: Any = {"model": "sandbox/sandbox-tools", "tools": [tool]}
    first = await streamed(ann, input="What is the weather?", **asked)
    (call,) = first.output
    assert call.type == "function_call"
    result: Any = {"type": "function_call_output", "call_id": call.call_id, "output": "rain"}
    second = await ann.responses.create(input=[result], previous_response_id=first.id, **asked)
    assert second.output_text == "The tool answered: rain"
    items = [item async for item in ann.responses.input_items.list(second.id, order="asc")]
    assert [item.type for item in items] == ["message", "function_call", "function_call_output"]


async def test_errors_and_losses_name_the_callers_own_place(callers: Callers) -> None:
    first = await callers.ann.responses.create(model="chat/large", input="One")
    bad: Any = [{"role": "user", "content": [{"type": "input_nothing"}]}]
    error = await refused(
        callers.ann.responses.create(model="chat/large", input=bad, previous_response_id=first.id),
        400,
    )
    assert error.param == "input[0].content[0]"
    search: Any = [
        {"role": "user", "content": "x"},
        {"type": "web_search_call", "id": "ws_1", "status": "completed"},
    ]
    raw = await callers.ann.responses.with_raw_response.create(
        model="chat/large", input=search, previous_response_id=first.id
    )
    assert raw.headers["x-gomodel-lossy"].startswith("input[1]")


async def test_what_a_response_was_made_from_is_listed(callers: Callers) -> None:
    ann = callers.ann.responses
    first = await ann.create(model="chat/large", input="One")
    parts: Any = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "input_text", "text": "Two"}]},
    ]
    second = await ann.create(model="chat/large", input=parts, previous_response_id=first.id)
    items = [item async for item in ann.input_items.list(second.id, limit=2)]
    assert [(item.role, item.content[0].text) for item in items] == [
        ("user", "Two"),
        ("developer", "Be brief."),
        ("assistant", "answer 1"),
        ("user", "One"),
    ]
    assert len({item.id for item in items}) == 4
    ascending = await ann.input_items.list(second.id, order="asc", limit=3)
    assert ascending.has_more
    assert [item.id for item in ascending.data] == [item.id for item in reversed(items)][:3]
    rest = await ann.input_items.list(second.id, after=items[1].id)
    assert [item.id for item in rest.data] == [items[2].id, items[3].id]
    for wrong in ({"limit": 0}, {"limit": 101}, {"order": "up"}):
        with pytest.raises(openai.BadRequestError):
            await ann.input_items.list(second.id, **wrong)  # type: ignore[arg-type]
    with pytest.raises(openai.NotFoundError):
        await ann.input_items.list(second.id, after="msg_9")


@pytest.mark.parametrize("stream", [False, True])
async def test_store_false_is_respected(callers: Callers, stream: bool) -> None:
    ann = callers.ann
    asked: Any = {"model": "chat/large", "input": "Hello", "store": False}
    made = await (streamed(ann, **asked) if stream else ann.responses.create(**asked))
    assert made.store is False
    await refused(ann.responses.retrieve(made.id), 404)
    going_on = ann.responses.create(model="chat/large", input="x", previous_response_id=made.id)
    await refused(going_on, 404)


async def test_a_deleted_response_is_gone(callers: Callers, vendor: Vendor) -> None:
    ann = callers.ann.responses
    first = await ann.create(model="chat/large", input="One")
    second = await ann.create(model="chat/large", input="Two", previous_response_id=first.id)
    raw = await ann.with_raw_response.delete(first.id)
    assert json.loads(raw.text) == {"id": first.id, "object": "response", "deleted": True}
    await refused(ann.retrieve(first.id), 404)
    await refused(ann.delete(first.id), 404)
    going_on = ann.create(model="chat/large", input="x", previous_response_id=first.id)
    await refused(going_on, 404)
    await ann.create(model="chat/large", input="Three", previous_response_id=second.id)
    assert texts(vendor.bodies[-1]["messages"])[0] == "One"


async def test_what_a_kept_response_cannot_have_done_to_it(callers: Callers) -> None:
    ann = callers.ann.responses
    made = await ann.create(model="chat/large", input="One")
    await refused(ann.cancel(made.id), 400, "unsupported_response_operation")
    await refused(ann.retrieve(made.id, stream=True), 400, "unsupported_response_operation")
    background = ann.create(model="chat/large", input="x", background=True)
    error = await refused(background, 400, "unsupported_response_operation")
    assert error.param == "background"
    compact = ann.compact(model="chat/large", input="x")
    await refused(compact, 400, "unsupported_response_operation")


async def test_responses_outlive_the_gateway(
    setting: Setting, vendor: Vendor, tmp_path: Path
) -> None:
    async with Served(config(vendor), tmp_path) as first:
        made = await setting.at(first.url).ann.responses.create(model="chat/large", input="One")
    async with Served(config(vendor), tmp_path) as second:
        ann = setting.at(second.url).ann.responses
        assert await ann.retrieve(made.id) == made
        await ann.create(model="chat/large", input="Two", previous_response_id=made.id)
    assert texts(vendor.bodies[-1]["messages"]) == ["One", "answer 1", "Two"]


@pytest.mark.parametrize("stream", [False, True])
async def test_one_cut_short_by_its_limit_is_kept(callers: Callers, stream: bool) -> None:
    client = callers.ann
    asked: Any = {"model": "sandbox/sandbox-text", "input": "x", "max_output_tokens": 3}
    made = await (streamed(client, **asked) if stream else client.responses.create(**asked))
    assert made.status == "incomplete"
    assert await client.responses.retrieve(made.id) == made


async def test_one_that_breaks_off_is_kept_as_failed(callers: Callers, gate: Served) -> None:
    client = callers.ann
    stream = await client.responses.create(model=f"sandbox/{BROKEN}", input="x", stream=True)
    first = await anext(stream)
    assert first.type == "response.created"
    with pytest.raises(openai.APIError):
        [event async for event in stream]
    store = gate.gateway.generation.store
    assert store is not None
    assert store.responses is not None
    responses, id_ = store.responses, first.response.id
    await until(lambda: gate.gateway.generation.running == 0)
    kept = await responses.find(id_, None)
    assert kept is not None
    assert json.loads(kept.response)["status"] == "failed"
    assert (await client.responses.retrieve(id_)).error is not None


# ---------------------------------------------------------------- without a store


async def test_without_a_store_nothing_is_kept_and_nobody_is_told_otherwise(
    setting: Setting, vendor: Vendor, tmp_path: Path
) -> None:
    plugins = Plugins()
    configured = load(completed(config(vendor), tmp_path), plugins, {})
    app = create_app(replace(configured, store=None), plugins=plugins)
    server = TestServer(app)
    await server.start_server()
    await without_a_store(setting.at(str(server.make_url(""))), vendor)
    await server.close()


async def without_a_store(callers: Callers, vendor: Vendor) -> None:
    ann = callers.ann
    made = await ann.responses.create(model="chat/large", input="One", store=True)
    assert made.store is False
    assert (await streamed(ann, model="chat/large", input="One")).store is False
    await refused(ann.responses.retrieve(made.id), 404)
    error = await refused(
        ann.responses.create(model="chat/large", input="x", previous_response_id=made.id),
        400,
        "no_store",
    )
    assert error.param == "previous_response_id"
    error = await refused(
        callers.eve.responses.create(model="chat/large", input="x", conversation="conv_1"),
        400,
        "no_store",
    )
    assert error.param == "conversation"
    assert len(vendor.asked) == 2


# ---------------------------------------------------------------- kept by the vendor


async def test_what_the_vendor_keeps_is_left_to_it(callers: Callers, vendor: Vendor) -> None:
    ann = callers.ann.responses
    made = await ann.create(model="native/large", input="One")
    assert made.id == "resp_v1"
    assert (await ann.retrieve(made.id, include=["reasoning.encrypted_content"])).id == made.id
    items = [item async for item in ann.input_items.list(made.id, limit=5)]
    assert items[0].content[0].text == "at the vendor"
    await ann.create(model="native/large", input="Two", previous_response_id=made.id)
    assert vendor.bodies[-1]["previous_response_id"] == made.id
    assert [path for method, path, _ in vendor.asked if method == "GET"] == [
        f"/v1/responses/{made.id}?include%5B%5D=reasoning.encrypted_content",
        f"/v1/responses/{made.id}/input_items?limit=5",
    ]


async def test_the_vendors_responses_are_their_makers(callers: Callers, vendor: Vendor) -> None:
    made = await callers.ann.responses.create(model="native/large", input="One")
    asked = len(vendor.asked)
    bob = callers.bob.responses
    await refused(bob.retrieve(made.id), 404, "response_not_found")
    await refused(bob.delete(made.id), 404)
    await refused(bob.cancel(made.id), 404)
    await refused(bob.compact(model="native/large", previous_response_id=made.id), 404)
    await refused(bob.retrieve("resp_v9"), 404)
    assert len(vendor.asked) == asked
    assert (await callers.eve.responses.retrieve(made.id)).id == made.id


async def test_an_admin_reaches_what_was_made_at_the_vendor(
    callers: Callers, vendor: Vendor
) -> None:
    vendor.kept["resp_mine"] = {**BASE, "output": [], "id": "resp_mine"}
    assert (await callers.eve.responses.retrieve("resp_mine")).id == "resp_mine"
    found = await callers.eve.responses.retrieve("resp_mine", extra_query={"provider": "native"})
    assert found.id == "resp_mine"
    elsewhere = callers.eve.responses.retrieve("resp_mine", extra_query={"provider": "chat"})
    await refused(elsewhere, 404)
    error = await refused(callers.eve.responses.retrieve("resp_none"), 404, "gone")
    assert "The vendor has no such thing." in error.message


async def test_a_deleted_response_of_the_vendor_is_forgotten(
    callers: Callers, vendor: Vendor, gate: Served
) -> None:
    made = await callers.ann.responses.create(model="native/large", input="One")
    await callers.ann.responses.delete(made.id)
    assert made.id not in vendor.kept
    assert await gate.gateway.generation.owner("response", made.id) is None
    await refused(callers.ann.responses.retrieve(made.id), 404, "response_not_found")


async def test_a_background_response_is_cancelled_at_the_vendor(callers: Callers) -> None:
    made = await callers.ann.responses.create(model="native/large", input="One", background=True)
    assert made.status == "queued"
    assert (await callers.ann.responses.cancel(made.id)).status == "cancelled"


async def test_a_vendors_stream_is_taken_up_again(callers: Callers) -> None:
    made = await callers.ann.responses.create(model="native/large", input="One")
    stream = await callers.ann.responses.retrieve(made.id, stream=True, starting_after=1)
    events = [event async for event in stream]
    assert [event.sequence_number for event in events] == [2, 3]
    assert events[-1].type == "response.completed"
    gone = callers.eve.responses.retrieve("resp_none", stream=True)
    await refused(gone, 404, "gone")


async def test_counting_and_compacting_are_the_vendors(callers: Callers, gate: Served) -> None:
    ann = callers.ann.responses
    counted = await ann.input_tokens.count(model="native/large", input="x")
    assert counted.input_tokens == 11
    assert not hasattr(counted, "estimated")
    compacted = await ann.compact(model="native/large", input="x")
    assert compacted.output[0].type == "compaction"
    generation = gate.gateway.generation
    await generation.books.flush()
    assert generation.store is not None
    assert generation.store.ledger is not None
    rows = await generation.store.ledger.log(Query(limit=2))
    assert {row["operation"] for row in rows} == {"compact", "count_tokens"}
    (row,) = [row for row in rows if row["operation"] == "compact"]
    assert row["attempts"][0]["output_tokens"] == 2


async def test_a_count_that_nobody_can_make_is_estimated(callers: Callers, vendor: Vendor) -> None:
    ann = callers.ann.responses
    first = await ann.create(model="chat/large", input="word " * 100)
    few = await ann.input_tokens.count(model="chat/large", input="One")
    many = await ann.input_tokens.count(
        model="chat/large", input="One", previous_response_id=first.id
    )
    assert few.estimated is True  # type: ignore[attr-defined]
    assert few.input_tokens < 20
    assert 100 < many.input_tokens < 300
    assert len(vendor.asked) == 1


async def test_a_kept_turn_goes_on_at_a_vendor(callers: Callers, vendor: Vendor) -> None:
    first = await callers.ann.responses.create(model="chat/large", input="One")
    second = await callers.ann.responses.create(
        model="native/large", input="Two", previous_response_id=first.id
    )
    assert second.previous_response_id == first.id
    sent = vendor.bodies[-1]
    assert "previous_response_id" not in sent
    assert [item["role"] for item in sent["input"]] == ["user", "assistant", "user"]
    assert all("id" not in item for item in sent["input"])
    assert (await callers.ann.responses.retrieve(second.id)).id == "resp_v2"
    there = callers.ann.responses.create(
        model="chat/large", input="Three", previous_response_id=second.id
    )
    await refused(there, 404, "resource_elsewhere")


async def test_both_kinds_of_history_are_too_much(callers: Callers, vendor: Vendor) -> None:
    both = callers.ann.responses.create(
        model="chat/large", input="x", previous_response_id="resp_1", conversation="conv_1"
    )
    await refused(both, 400, "mutually_exclusive_parameters")
    assert vendor.asked == []
