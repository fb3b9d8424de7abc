"""Cohere's own description of a chat request, forbidding what it does not have.

docs.cohere.com/reference/chat and the types of the vendor's Python SDK, cohere 7.3 (2026-11).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

__all__ = ["ChatRequest", "decode_request"]


class Strict(msgspec.Struct, forbid_unknown_fields=True):
    """Refuses members that it does not have."""


class Text(Strict, tag="text"):
    text: str


class Thinking(Strict, tag="thinking"):
    thinking: str


class ImageUrl(Strict):
    url: str
    detail: Literal["auto", "low", "high"] | None = None


class Image(Strict, tag="image_url"):
    image_url: ImageUrl


class Document(Strict):
    data: dict[str, Any]
    id: str | None = None


class DocumentContent(Strict, tag="document"):
    document: Document


class Function(Strict):
    name: str
    arguments: str


class Call(Strict):
    id: str
    type: Literal["function"]
    function: Function


class System(Strict, tag_field="role", tag="system"):
    content: str | list[Text]


class User(Strict, tag_field="role", tag="user"):
    content: str | list[Text | Image]


class Assistant(Strict, tag_field="role", tag="assistant"):
    content: str | list[Text | Thinking] | None = None
    tool_plan: str | None = None
    tool_calls: list[Call] | None = None


class Tool(Strict, tag_field="role", tag="tool"):
    tool_call_id: str
    content: str | list[Text | DocumentContent]


class Declared(Strict):
    name: str
    parameters: dict[str, Any]
    description: str | None = None


class Offered(Strict):
    type: Literal["function"]
    function: Declared


class Format(Strict):
    type: Literal["text", "json_object"]
    json_schema: dict[str, Any] | None = None


class Budget(Strict):
    type: Literal["enabled", "disabled"]
    token_budget: Annotated[int, Meta(gt=0)] | None = None


class ChatRequest(Strict):
    """The body of ``POST /v2/chat``."""

    model: str
    messages: list[System | User | Assistant | Tool]
    stream: bool
    tools: list[Offered] | None = None
    strict_tools: bool | None = None
    tool_choice: Literal["REQUIRED", "NONE"] | None = None
    documents: list[str | Document] | None = None
    citation_options: dict[str, Any] | None = None
    response_format: Format | None = None
    safety_mode: Literal["CONTEXTUAL", "STRICT", "OFF"] | None = None
    max_tokens: int | None = None
    stop_sequences: Annotated[list[str], Meta(max_length=5)] | None = None
    temperature: Annotated[float, Meta(ge=0)] | None = None
    seed: Annotated[int, Meta(ge=0)] | None = None
    frequency_penalty: Annotated[float, Meta(ge=0, le=1)] | None = None
    presence_penalty: Annotated[float, Meta(ge=0, le=1)] | None = None
    k: Annotated[int, Meta(ge=0, le=500)] | None = None
    p: Annotated[float, Meta(ge=0.01, le=0.99)] | None = None
    logprobs: bool | None = None
    thinking: Budget | None = None
    priority: int | None = None


decode_request = msgspec.json.Decoder(ChatRequest).decode
