"""Conversations: judged by OpenAI's SDK, over vendors that keep them and others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from .sdk import refused, streamed
from .setting import texts

if TYPE_CHECKING:
    from gomodel_proxy.testing.served import Served

    from .sdk import Callers
    from .vendor import Vendor

pytestmark = pytest.mark.asyncio(loop_scope="module")

HELLO: Any = {"role": "user", "content": "Hello"}


async def said(client: Any, conversation: str) -> list[str]:
    """Return what was said in a conversation, in order."""
    pages = client.conversations.items.list(conversation, order="asc", limit=3)
    return [item.content[0].text async for item in pages]


async def test_a_conversation_lives(callers: Callers, vendor: Vendor) -> None:
    talks = callers.ann.conversations
    made = await talks.create(items=[HELLO], metadata={"topic": "demo"})
    assert made.id.startswith("conv_")
    assert made.metadata == {"topic": "demo"}
    assert await talks.retrieve(made.id) == made
    changed = await talks.update(made.id, metadata={"topic": "other"})
    assert changed.metadata == {"topic": "other"}
    assert (await talks.retrieve(made.id)).metadata == {"topic": "other"}
    gone = await talks.delete(made.id)
    assert (gone.id, gone.deleted, gone.object) == (made.id, True, "conversation.deleted")
    await refused(talks.retrieve(made.id), 404, "conversation_not_found")
    await refused(talks.delete(made.id), 404)
    assert vendor.asked == []


async def test_items_come_and_go(callers: Callers) -> None:
    talks = callers.ann.conversations
    made = await talks.create()
    assert (await talks.items.list(made.id)).data == []
    call: Any = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}
    result: Any = {"type": "function_call_output", "call_id": "c1", "output": "x"}
    listed = await talks.items.create(made.id, items=[HELLO, call, result])
    assert [item.type for item in listed.data] == [
        "message",
        "function_call",
        "function_call_output",
    ]
    first = await talks.items.retrieve(listed.data[0].id, conversation_id=made.id)
    assert first == listed.data[0]
    newest = await talks.items.list(made.id, limit=2)
    assert [item.id for item in newest.data] == [listed.data[2].id, listed.data[1].id]
    assert newest.has_more
    left = await talks.items.delete(listed.data[0].id, conversation_id=made.id)
    assert left.id == made.id
    everything = [item async for item in talks.items.list(made.id, limit=1)]
    assert [item.id for item in everything] == [listed.data[2].id, listed.data[1].id]
    for id_ in (listed.data[0].id, "msg_none"):
        await refused(talks.items.retrieve(id_, conversation_id=made.id), 404, "item_not_found")
        await refused(talks.items.delete(id_, conversation_id=made.id), 404, "item_not_found")


async def test_to_others_it_does_not_exist(callers: Callers, vendor: Vendor) -> None:
    made = await callers.ann.conversations.create(items=[HELLO])
    (item,) = (await callers.ann.conversations.items.list(made.id)).data
    bob = callers.bob.conversations
    for work in (
        bob.retrieve(made.id),
        bob.update(made.id, metadata={}),
        bob.delete(made.id),
        bob.items.create(made.id, items=[HELLO]),
        bob.items.retrieve(item.id, conversation_id=made.id),
        bob.items.delete(item.id, conversation_id=made.id),
        callers.bob.responses.create(model="chat/large", input="x", conversation=made.id),
        callers.bob.responses.create(model="native/large", input="x", conversation=made.id),
    ):
        await refused(work, 404, "conversation_not_found")
    with pytest.raises(Exception, match="No conversation with id"):
        await bob.items.list(made.id)
    assert vendor.asked == []
    assert await said(callers.ann, made.id) == ["Hello"]
    assert (await callers.eve.conversations.retrieve(made.id)).id == made.id


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("provider", ["chat", "native"])
async def test_turns_join_their_conversation(
    callers: Callers, vendor: Vendor, provider: str, stream: bool
) -> None:
    ann = callers.ann
    made = await ann.conversations.create(items=[{"role": "developer", "content": "Be brief."}])
    for words in ("One", "Two"):
        asked: Any = {"model": f"{provider}/large", "input": words, "conversation": made.id}
        turn = await (streamed(ann, **asked) if stream else ann.responses.create(**asked))
        assert turn.conversation.id == made.id
        assert (await ann.responses.retrieve(turn.id)).id == turn.id
    story = ["Be brief.", "One", "answer 1", "Two", "answer 2"]
    assert await said(ann, made.id) == story
    sent = vendor.bodies[-1]
    assert "conversation" not in sent
    if provider == "chat":
        assert texts(sent["messages"]) == story[:-1]
    else:
        assert len(sent["input"]) == 4


async def test_a_conversation_goes_from_provider_to_provider(
    callers: Callers, vendor: Vendor
) -> None:
    made = await callers.ann.conversations.create()
    for number, provider in enumerate(("chat", "native", "chat"), 1):
        await callers.ann.responses.create(
            model=f"{provider}/large", input=f"question {number}", conversation={"id": made.id}
        )
    assert texts(vendor.bodies[-1]["messages"]) == [
        "question 1",
        "answer 1",
        "question 2",
        "answer 2",
        "question 3",
    ]


async def test_a_turn_that_is_not_to_be_stored_is_still_part_of_its_conversation(
    callers: Callers,
) -> None:
    ann = callers.ann
    made = await ann.conversations.create()
    turn = await ann.responses.create(
        model="chat/large", input="One", conversation=made.id, store=False
    )
    await refused(ann.responses.retrieve(turn.id), 404)
    assert await said(ann, made.id) == ["One", "answer 1"]


async def test_a_refused_turn_leaves_no_trace(callers: Callers, vendor: Vendor) -> None:
    made = await callers.ann.conversations.create()
    for model, status in (("chat/none", 404), ("native/none", 404)):
        turn = callers.ann.responses.create(model=model, input="x", conversation=made.id)
        await refused(turn, status)
    assert await said(callers.ann, made.id) == []


async def test_what_is_too_much_is_refused_by_name(callers: Callers) -> None:
    talks = callers.ann.conversations
    made = await talks.create(items=[HELLO] * 20)
    wrong: list[tuple[Any, str]] = [
        ({"items": [HELLO] * 21}, "items"),
        ({"items": "Hello"}, "items"),
        ({"items": [HELLO, 5]}, "items[1]"),
        ({"items": [HELLO, {"role": "nobody", "content": "x"}]}, "items[1].role"),
        ({"metadata": {str(n): "" for n in range(17)}}, "metadata"),
        ({"metadata": {"a": 1}}, "metadata"),
        ({"metadata": {"k" * 65: "x"}}, f"metadata.{'k' * 64}"),
        ({"metadata": {"k": "x" * 513}}, "metadata.k"),
    ]
    for asked, param in wrong:
        assert (await refused(talks.create(**asked), 400)).param == param
        if "items" in asked:
            assert (await refused(talks.items.create(made.id, **asked), 400)).param == param
        else:
            assert (await refused(talks.update(made.id, **asked), 400)).param == param
    full = {f"{n:064}": "x" * 512 for n in range(16)}
    assert (await talks.update(made.id, metadata=full)).metadata == full
    assert len(await said(callers.ann, made.id)) == 20


async def test_the_same_request_makes_one_conversation(callers: Callers) -> None:
    headers = {"Idempotency-Key": "once"}
    ann, bob = callers.ann.conversations, callers.bob.conversations
    made = await ann.create(items=[HELLO], extra_headers=headers)
    assert await ann.create(items=[HELLO], extra_headers=headers) == made
    assert await said(callers.ann, made.id) == ["Hello"]
    assert (await bob.create(extra_headers=headers)).id != made.id


async def test_a_named_vendor_keeps_its_own(callers: Callers, vendor: Vendor, gate: Served) -> None:
    ann = callers.ann
    made = await ann.conversations.create(metadata={"a": "b"}, extra_body={"provider": "native"})
    assert made.id == "conv_v1"
    assert vendor.bodies == [{"metadata": {"a": "b"}}]
    await refused(callers.bob.conversations.retrieve(made.id), 404, "conversation_not_found")
    assert (await ann.conversations.retrieve(made.id)).id == made.id
    assert (await ann.conversations.update(made.id, metadata={"c": "d"})).metadata == {"c": "d"}
    (item,) = (await ann.conversations.items.list(made.id)).data
    assert item.content[0].text == "at the vendor"
    assert len((await ann.conversations.items.create(made.id, items=[HELLO])).data) == 1
    found = await ann.conversations.items.retrieve(item.id, conversation_id=made.id)
    assert found.id == item.id
    left = await ann.conversations.items.delete(item.id, conversation_id=made.id)
    assert left.id == made.id
    await ann.responses.create(model="native/large", input="One", conversation=made.id)
    assert vendor.bodies[-1]["conversation"] == made.id
    elsewhere = ann.responses.create(model="chat/large", input="One", conversation=made.id)
    await refused(elsewhere, 404, "resource_elsewhere")
    assert (await ann.conversations.delete(made.id)).deleted
    assert await gate.gateway.generation.owner("conversation", made.id) is None
    nobody = ann.conversations.create(extra_body={"provider": "chat"})
    await refused(nobody, 404, "provider_not_found")
