"""The events of Cohere's chat streams: docs.cohere.com/reference/chat-stream (2026-11)."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Raw

from gomodel_proxy.wire import json

from .logprobs import LogProbs  # noqa: TC001  # msgspec reads it

__all__ = ["Call", "Content", "Delta", "Event", "Function", "Message", "decode_event"]


class Content(msgspec.Struct, gc=False):
    """A piece of text or of thought; ``type`` stands at its start alone."""

    type: str | None = None
    text: str | None = None
    thinking: str | None = None


class Function(msgspec.Struct, gc=False):
    """What is called, or a piece of the arguments."""

    name: str | None = None
    arguments: str | None = None


class Call(msgspec.Struct, gc=False):
    """A call of a tool, or a piece of one."""

    id: str | None = None
    function: Function | None = None


class Message(msgspec.Struct, gc=False):
    """What is new in the message; at its start the members are empty arrays."""

    content: Content | list[Raw] | None = None
    tool_plan: str | None = None
    tool_calls: Call | list[Raw] | None = None
    citations: Raw = json.NULL


class Delta(msgspec.Struct, gc=False):
    """What is new: in the message, or with its end."""

    message: Message | None = None
    finish_reason: str | None = None
    usage: Raw = json.NULL
    error: str | None = None


class Event(msgspec.Struct, gc=False):
    """An event. One without a type is an error, told by ``message``."""

    type: str = ""
    id: str | None = None
    index: int = 0
    delta: Delta | None = None
    logprobs: LogProbs | None = None
    message: str | None = None


decode_event: Final = msgspec.json.Decoder(Event).decode
