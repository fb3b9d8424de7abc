"""What is peculiar to OpenAI's families of models, when others' requests are written for them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from gomodel_proxy.api import Losses
from gomodel_proxy.wire.openai import DIALECTS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

ASKED = {
    "model": "x",
    "input": "Hello",
    "instructions": "Be kind.",
    "max_output_tokens": 5,
    "temperature": 0.5,
}


@pytest.mark.parametrize(
    ("model", "limit", "role", "lost"),
    [
        ("gpt-4o", "max_completion_tokens", "system", ()),
        ("gpt-3.5-turbo", "max_tokens", "system", ()),
        ("o3-mini", "max_completion_tokens", "developer", ("temperature",)),
        ("gpt-5.1", "max_completion_tokens", "developer", ("temperature",)),
        ("gpt-5-chat-latest", "max_completion_tokens", "developer", ()),
    ],
)
async def test_chat_requests_are_written_as_the_family_takes_them(
    gateway: Callable[..., Awaitable[Any]], model: str, limit: str, role: str, lost: Any
) -> None:
    account = {"type": "openai", "api_key": "sk-1234567", "base_url": "http://127.0.0.1:9/v1"}
    one = await gateway({"providers": {"openai": {**account, "models": [model],
                                                  "models_mode": "allowlist"}}})  # fmt: skip
    chat, responses = DIALECTS[0].codec, DIALECTS[1].codec
    assert chat is not None
    assert responses is not None
    losses = Losses()
    request = responses.read_request(json.dumps(ASKED).encode())
    traits = one.generation.accounts["openai"].traits(model)
    written = json.loads(chat.write_request(request, traits=traits, losses=losses))
    assert written[limit] == 5
    assert written["messages"][0]["role"] == role
    assert losses.found == lost
