"""The core's request bodies as structs, for the API description; members not named here pass too.

https://platform.openai.com/docs/api-reference, November 2026.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

__all__ = ["BODIES", "ErrorEnvelope"]

Text = Annotated[str, msgspec.Meta(min_length=1)]


class StreamOptions(msgspec.Struct, kw_only=True, omit_defaults=True):
    """How a stream is written."""

    include_usage: bool = False


class Message(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One message of a conversation."""

    role: str
    content: str | list[dict[str, Any]] | None = None
    tool_calls: list[dict[str, Any]] | None = None
    tool_call_id: str | None = None


class ChatBody(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A chat request; ``provider`` is a routing hint that goes no further."""

    model: Text
    messages: Annotated[list[Message], msgspec.Meta(min_length=1)]
    provider: str | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: str | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    reasoning: dict[str, Any] | None = None


class ResponsesBody(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A Responses request."""

    model: Text
    input: str | list[dict[str, Any]]
    provider: str | None = None
    instructions: str | None = None
    max_output_tokens: int | None = None
    metadata: dict[str, str] | None = None
    stream: bool | None = None
    temperature: float | None = None
    tools: list[dict[str, Any]] | None = None
    reasoning: dict[str, Any] | None = None


class EmbeddingsBody(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An embeddings request."""

    model: Text
    input: str | list[Any]
    provider: str | None = None
    encoding_format: str | None = None
    dimensions: int | None = None


class CompletionsBody(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A legacy completion request."""

    model: Text
    prompt: str | list[Any] | None = None
    provider: str | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: int | None = None


class ModerationsBody(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A moderation request."""

    input: str | list[Any]
    model: Text | None = None
    provider: str | None = None


class ErrorBody(msgspec.Struct, kw_only=True):
    """What went wrong; ``param`` names the member at fault."""

    message: str
    type: str
    param: str | None
    code: str | None


class ErrorEnvelope(msgspec.Struct, kw_only=True):
    """An error as OpenAI's clients read it."""

    error: ErrorBody


BODIES: Final[dict[str, type[msgspec.Struct]]] = {
    "openai.chat": ChatBody,
    "openai.responses": ResponsesBody,
    "openai.embeddings": EmbeddingsBody,
    "openai.completions": CompletionsBody,
    "openai.moderations": ModerationsBody,
}
