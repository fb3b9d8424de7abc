"""Requests of OpenAI's dialect, written for Bedrock as the gateway does."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import Any

from gomodel_proxy.wire.hub import Hub
from gomodel_proxy.wire.openai_chat_codec import ChatCodec
from gomodel_proxy_bedrock.codec import ConverseCodec
from gomodel_proxy_bedrock.data import published_traits

from .service_model import faults

CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
OPUS = "global.anthropic.claude-opus-4-7-v1"
NOVA = "amazon.nova-pro-v1:0"
HUB = Hub(ChatCodec(), ConverseCodec())


def traits(model: str) -> dict[str, Any]:
    """Return what the plugin says of a model."""
    known: dict[str, Any] = {}
    for pattern, more in published_traits().items():
        if fnmatchcase(model, pattern):
            known.update(more)
    return known


def write(messages: Any = "Hi", model: str = CLAUDE, **members: Any) -> tuple[Any, list[str]]:
    """Return a request's body for Bedrock, which its published types must allow, and the losses."""
    if isinstance(messages, str):
        messages = [{"role": "user", "content": messages}]
    body = {"model": "x", "messages": messages, **members}
    return written(json.dumps(body).encode(), model)


def written(body: bytes, model: str) -> tuple[Any, list[str]]:
    """Return what becomes of a caller's body."""
    passage = HUB.begin(body, model, traits(model))
    out = json.loads(passage.body)
    assert not faults(out), faults(out)
    return out, list(passage.losses)


def user(*content: Any) -> dict[str, Any]:
    """Return a user's message."""
    return {"role": "user", "content": list(content)}


def calls(*calls: tuple[str, str, str], content: Any = None) -> dict[str, Any]:
    """Return an assistant's message with calls of (id, name, arguments)."""
    made = [
        {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}}
        for id_, name, arguments in calls
    ]
    return {"role": "assistant", "content": content, "tool_calls": made}


def result(call: str, content: Any) -> dict[str, Any]:
    """Return a tool's message."""
    return {"role": "tool", "tool_call_id": call, "content": content}


def tool(name: str, **members: Any) -> dict[str, Any]:
    """Return a tool of the caller's."""
    given = {"name": name, "parameters": {"type": "object", "properties": {}}, **members}
    return {"type": "function", "function": given}
