"""Events that are JSON, but not as their dialect has it: an error in the stream, or instead."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anthropic
import openai
import pytest

from .vendors import beside

if TYPE_CHECKING:
    from .conftest import Setup

pytestmark = pytest.mark.asyncio(loop_scope="module")

frame = beside("bedrock", "frames").frame


def sse(event: Any) -> bytes:
    return b"data: %b\n\n" % json.dumps(event).encode()


def delta(text: Any) -> bytes:
    return frame({"contentBlockIndex": 0, "delta": {"text": text}}, "contentBlockDelta")


def chunk(index: Any) -> Any:
    return {"choices": [{"index": index, "delta": {"content": "a"}}]}


def candidate(parts: Any) -> Any:
    return {"candidates": [{"index": 0, "content": {"parts": parts}}]}


MESSAGE = {"type": "message_start", "message": {"id": "m", "content": [], "usage": {}}}
RESPONSE = {"type": "response.created", "response": {"id": "resp_1", "output": []}}
CASES = {
    "chat": (sse(chunk(0)), sse(chunk("x"))),
    "resp": (sse(RESPONSE), sse({"type": "response.output_text.delta", "output_index": "x"})),
    "claude": (sse(MESSAGE), sse({"type": "content_block_delta", "index": "x", "delta": {}})),
    "google": (sse(candidate([{"text": "a"}])), sse(candidate(5))),
    "aws": (delta("a"), delta(5)),
}
HELLO: Any = [{"role": "user", "content": "Hi"}]


async def ask(setup: Setup, account: str) -> None:
    """Ask in a dialect that the account does not speak, and read to the end."""
    stream: Any
    if account == "claude":
        stream = await setup.openai.chat.completions.create(
            model=f"{account}/any", messages=HELLO, stream=True
        )
    else:
        stream = await setup.anthropic.messages.create(
            model=f"{account}/any", messages=HELLO, max_tokens=9, stream=True
        )
    async for _ in stream:
        pass


@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize("account", CASES)
async def test_it_is_told_and_entered(setup: Setup, account: str, begun: bool) -> None:
    first, bad = CASES[account]
    kind = "application/vnd.amazon.eventstream" if account == "aws" else "text/event-stream"
    before = setup.count
    if begun:
        setup.answer(first + bad, kind, piece=len(first))
    else:
        setup.answer(bad, kind)
    with pytest.raises((openai.APIError, anthropic.APIError), match="makes no sense"):
        await ask(setup, account)
    assert setup.count == before + 1
    row = await setup.gateway.row()
    assert (row["status"], row["error"]) == ("error", "malformed_stream")
