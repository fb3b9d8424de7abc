"""Chat requests: what is read of OpenAI's ``/v1/chat/completions``.

Format: https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from . import tokens
from .models import Question, Tool
from .schemas import ANY_OBJECT

if TYPE_CHECKING:
    from .replies import Prompt

__all__ = ["ChatForm", "Choices", "StreamOptions", "Tokens", "question"]

Choices = Annotated[int, msgspec.Meta(ge=1, le=128)]
Tokens = Annotated[int, msgspec.Meta(ge=1)]


class StreamOptions(msgspec.Struct):
    """How a stream is to be."""

    include_usage: bool | None = None


class Part(msgspec.Struct):
    """A part of a message; only text counts."""

    type: str
    text: str | None = None
    refusal: str | None = None


class Function(msgspec.Struct):
    """A function as it is offered, called or chosen."""

    name: str
    parameters: dict[str, Any] | None = None
    arguments: str | None = None


class Call(msgspec.Struct):
    """A function, wrapped as chat wraps them."""

    type: str = "function"
    function: Function | None = None


class Message(msgspec.Struct):
    """One message."""

    role: Literal["developer", "system", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None
    tool_calls: list[Call] | None = None

    @property
    def text(self) -> str:
        """What is said in it."""
        if isinstance(self.content, str):
            return self.content
        return "".join(part.text or part.refusal or "" for part in self.content or ())

    @property
    def tokens(self) -> int:
        """How many tokens it has, calls included."""
        called = [call.function for call in self.tool_calls or () if call.function]
        return tokens.count(self.text) + sum(
            tokens.count(function.name) + tokens.count(function.arguments or "")
            for function in called
        )


class JsonSchema(msgspec.Struct):
    """A named schema."""

    name: str
    schema: dict[str, Any] = {}


class ResponseFormat(msgspec.Struct):
    """The form that the text must have."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None


class ChatForm(msgspec.Struct):
    """The members of a request that change the answer."""

    messages: Annotated[list[Message], msgspec.Meta(min_length=1)]
    n: Choices | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: Tokens | None = None
    max_completion_tokens: Tokens | None = None
    stop: str | list[str] | None = None
    tools: list[Call] | None = None
    tool_choice: str | Call | None = None
    parallel_tool_calls: bool | None = None
    response_format: ResponseFormat | None = None


def question(form: ChatForm, prompt: Prompt) -> Question:
    """Return what a request asks, in no dialect."""
    said = [message.text for message in form.messages if message.role == "user"]
    last = form.messages[-1]
    limit = form.max_completion_tokens
    offered = [tool.function for tool in form.tools or () if tool.function]
    return Question(
        model=prompt.model,
        seed=prompt.seed,
        text=said[-1] if said else "",
        input_tokens=sum(message.tokens for message in form.messages),
        tools=tuple(Tool(function.name, function.parameters) for function in offered),
        choice=_chosen(form.tool_choice),
        parallel=form.parallel_tool_calls is True,
        result=last.text if last.role in ("tool", "function") else None,
        schema=_schema(form.response_format),
        limit=form.max_tokens if limit is None else limit,
        stop=(form.stop,) if isinstance(form.stop, str) else tuple(form.stop or ()),
        events=prompt.faults.events,
        size=prompt.faults.size,
    )


def _chosen(choice: str | Call | None) -> str:
    if isinstance(choice, Call):
        return f"={choice.function.name}" if choice.function else "auto"
    return choice or "auto"


def _schema(form: ResponseFormat | None) -> Any:
    if form is None or form.type == "text":
        return None
    return form.json_schema.schema if form.json_schema else ANY_OBJECT
