"""Proofs of thought: given to callers of every dialect, and given back to who must have them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from .callers import CALLERS, Messages
from .conftest import CLAUDE
from .vendors import beside

if TYPE_CHECKING:
    from .callers import Caller
    from .conftest import Setup

pytestmark = pytest.mark.asyncio(loop_scope="module")

frame = beside("bedrock", "frames").frame
THOUGHT = {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "c2ln"}}}
HIDDEN = {"reasoningContent": {"redactedContent": "QUJD"}}
CALL = {"toolUse": {"toolUseId": "t1", "name": "look", "input": {"at": "it"}}}
USAGE = {"inputTokens": 9, "outputTokens": 5, "totalTokens": 14}
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "any",
    "content": [{"type": "text", "text": "Done."}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 9, "output_tokens": 1},
}
CASES = [(THOUGHT,), (THOUGHT, HIDDEN)]


def whole(*blocks: Any) -> bytes:
    """Return a reply of Converse."""
    message = {"role": "assistant", "content": blocks}
    reply = {"output": {"message": message}, "stopReason": "tool_use", "usage": USAGE}
    return json.dumps(reply).encode()


def streamed(*blocks: Any) -> bytes:
    """Return the stream that says the same."""
    out = [frame({"role": "assistant"}, "messageStart")]
    for index, block in enumerate(blocks):
        at = {"contentBlockIndex": index}
        if "toolUse" in block:
            call = {name: block["toolUse"][name] for name in ("toolUseId", "name")}
            out.append(frame({**at, "start": {"toolUse": call}}, "contentBlockStart"))
            deltas = [{"toolUse": {"input": json.dumps(block["toolUse"]["input"])}}]
        else:
            thought = block["reasoningContent"]
            pieces = thought.get("reasoningText", thought)
            deltas = [{"reasoningContent": {name: text}} for name, text in pieces.items()]
        out += [frame({**at, "delta": delta}, "contentBlockDelta") for delta in deltas]
        out.append(frame(at, "contentBlockStop"))
    out.append(frame({"stopReason": "tool_use"}, "messageStop"))
    out.append(frame({"usage": USAGE}, "metadata"))
    return b"".join(out)


def serve(setup: Setup, blocks: Any, stream: bool) -> None:
    if stream:
        setup.answer(streamed(*blocks), "application/vnd.amazon.eventstream")
    else:
        setup.answer(whole(*blocks), "application/json")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("thoughts", CASES)
@pytest.mark.parametrize("caller", CALLERS, ids=lambda caller: caller.dialect)
async def test_claudes_thoughts_go_back_to_bedrock(
    setup: Setup, caller: Caller, thoughts: Any, stream: bool
) -> None:
    serve(setup, (*thoughts, CALL), stream)
    answer = await caller.ask(setup, f"aws/{CLAUDE}", stream)
    await caller.ask(setup, f"aws/{CLAUDE}", stream, *caller.turns(answer))
    said = setup.sent["messages"][1]
    assert said == {"role": "assistant", "content": [*thoughts, CALL]}


@pytest.mark.parametrize("stream", [False, True])
async def test_a_messages_caller_sees_claudes_thoughts_as_anthropics(
    setup: Setup, stream: bool
) -> None:
    serve(setup, (THOUGHT, HIDDEN, CALL), stream)
    answer = await Messages().ask(setup, f"aws/{CLAUDE}", stream)
    thought, hidden, _ = answer.content
    assert (thought.type, thought.thinking, thought.signature) == ("thinking", "Hm.", "c2ln")
    assert (hidden.type, hidden.data) == ("redacted_thinking", "QUJD")
    # and what Claude proved on one platform, it takes on another
    setup.answer(json.dumps(MESSAGE).encode(), "application/json")
    await Messages().ask(setup, "claude/any", False, *Messages().turns(answer))
    assert [block["type"] for block in setup.sent["messages"][1]["content"]] == [
        "thinking",
        "redacted_thinking",
        "tool_use",
    ]


@pytest.mark.parametrize("stream", [False, True])
async def test_another_models_thoughts_are_no_proof_for_claude(setup: Setup, stream: bool) -> None:
    serve(setup, (THOUGHT, CALL), stream)
    answer = await Messages().ask(setup, "aws/any", stream)
    assert (answer.content[0].thinking, answer.content[0].signature) == ("Hm.", "")
