"""OpenAI's SDK as several callers of one gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai
import pytest

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from contextlib import AsyncExitStack

KEYS: dict[str, Any] = {
    "ann": {"key": "sk-ann"},
    "bob": {"key": "sk-bob"},
    "eve": {"key": "sk-eve", "admin": True},
}


class Callers:
    """SDK clients by the name of their key; ``stack`` closes them."""

    def __init__(self, url: str, stack: AsyncExitStack) -> None:
        self._url = url
        self._stack = stack
        self._made: dict[str, openai.AsyncOpenAI] = {}

    def __getattr__(self, name: str) -> openai.AsyncOpenAI:
        if name not in self._made:
            client = openai.AsyncOpenAI(
                base_url=f"{self._url}/v1",
                api_key=KEYS[name]["key"],
                max_retries=0,
                _strict_response_validation=True,
            )
            self._stack.push_async_callback(client.close)
            self._made[name] = client
        return self._made[name]


async def refused(work: Awaitable[Any], status: int, code: str | None = None) -> Any:
    """Return the error that a request must end in."""
    with pytest.raises(openai.APIStatusError) as caught:
        await work
    assert caught.value.status_code == status, caught.value
    if code is not None:
        assert caught.value.code == code
    return caught.value


async def streamed(client: openai.AsyncOpenAI, **asked: Any) -> Any:
    """Return the response that a stream ends with; it must have one id all along."""
    stream = await client.responses.create(**asked, stream=True)
    told = [event.response async for event in stream if hasattr(event, "response")]
    assert len({response.id for response in told}) == 1
    return told[-1]
