"""What an answer loses on its way: of a whole one the header says it, of a stream the books do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import openai
import pytest

if TYPE_CHECKING:
    from .conftest import Setup

pytestmark = pytest.mark.asyncio(loop_scope="module")

PART = {"text": "Hi", "thoughtSignature": "c2ln"}
REPLY: Any = {"candidates": [{"content": {"parts": [PART]}, "finishReason": "STOP", "index": 0}]}
ASKED: Any = {"model": "google/any", "messages": [{"role": "user", "content": "Hi"}]}


async def test_a_whole_reply_names_its_losses(setup: Setup) -> None:
    setup.answer(json.dumps(REPLY))
    raw = await setup.openai.chat.completions.with_raw_response.create(**ASKED)
    assert raw.headers["x-gomodel-lossy"] == "choices.signature"
    assert (await setup.gateway.row())["losses"] == ["choices.signature"]


async def test_a_stream_enters_its_losses_in_the_books(setup: Setup) -> None:
    setup.answer(f"data: {json.dumps(REPLY)}\n\n")
    raw = await setup.openai.chat.completions.with_raw_response.create(**ASKED, stream=True)
    assert "x-gomodel-lossy" not in raw.headers
    chunks = [chunk async for chunk in raw.parse()]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "Hi"
    assert (await setup.gateway.row())["losses"] == ["choices.signature"]


async def test_a_stream_that_is_cut_has_lost_no_less(setup: Setup) -> None:
    unfinished = {"candidates": [{"content": {"parts": [PART]}, "index": 0}]}
    setup.answer(f"data: {json.dumps(unfinished)}\n\n", cut=True)
    stream = await setup.openai.chat.completions.create(**ASKED, stream=True)
    with pytest.raises(openai.APIError):
        async for _ in stream:
            pass
    row = await setup.gateway.row()
    assert (row["status"], row["losses"]) == ("error", ["choices.signature"])
