"""Responses requests: what is read of OpenAI's ``/v1/responses``.

Format: https://platform.openai.com/docs/api-reference/responses
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from gomodel_proxy.api import InvalidRequest

from . import tokens
from .chat_request import Tokens  # noqa: TC001  fields need it at run time
from .models import Question, Tool
from .schemas import ANY_OBJECT

if TYPE_CHECKING:
    from .replies import Prompt

__all__ = ["ResponsesForm", "question"]


class Item(msgspec.Struct):
    """An item of the input; its many kinds share these members, of several types."""

    type: str = "message"
    role: str | None = None
    content: Any = None
    name: Any = None
    arguments: Any = None
    output: Any = None

    @property
    def tokens(self) -> int:
        """How many tokens it has."""
        parts = (self.content, self.name, self.arguments, self.output)
        return sum(tokens.count(_text(part)) for part in parts)


class ToolForm(msgspec.Struct):
    """A tool; only functions are called."""

    type: str
    name: str | None = None
    parameters: dict[str, Any] | None = None


class ToolChoice(msgspec.Struct):
    """A choice of one tool."""

    type: str
    name: str | None = None


class Format(msgspec.Struct):
    """The form that the text must have."""

    type: Literal["text", "json_object", "json_schema"] = "text"
    schema: dict[str, Any] | None = None


class TextForm(msgspec.Struct):
    """Settings of the text."""

    format: Format | None = None


class ResponsesForm(msgspec.Struct):
    """The members of a request that change the answer."""

    input: str | list[Item] | None = None
    instructions: Any = None
    prompt: Any = None
    previous_response_id: str | None = None
    stream: bool | None = None
    max_output_tokens: Tokens | None = None
    tools: list[ToolForm] | None = None
    tool_choice: str | ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    text: TextForm | None = None

    @property
    def items(self) -> list[Item]:
        """The input as items."""
        if isinstance(self.input, str):
            return [Item(role="user", content=self.input)]
        return self.input or []


def question(form: ResponsesForm, prompt: Prompt) -> Question:
    """Return what a request asks, in no dialect; raises `InvalidRequest`."""
    if form.input is None and form.prompt is None and form.previous_response_id is None:
        raise InvalidRequest("Missing required parameter: 'input'.", param="input")
    items = form.items
    said = [_text(item.content) for item in items if item.role == "user"]
    last = items[-1] if items else Item()
    return Question(
        model=prompt.model,
        seed=prompt.seed,
        text=said[-1] if said else "",
        input_tokens=tokens.count(_text(form.instructions)) + sum(item.tokens for item in items),
        tools=tuple(
            Tool(tool.name, tool.parameters)
            for tool in form.tools or ()
            if tool.type == "function" and tool.name is not None
        ),
        choice=_chosen(form.tool_choice),
        parallel=form.parallel_tool_calls is True,
        result=_text(last.output) if last.type.endswith("call_output") else None,
        schema=_schema(form.text),
        limit=form.max_output_tokens,
        events=prompt.faults.events,
        size=prompt.faults.size,
    )


def _chosen(choice: str | ToolChoice | None) -> str:
    if isinstance(choice, ToolChoice):
        return f"={choice.name}" if choice.type == "function" and choice.name else "auto"
    return choice or "auto"


def _schema(text: TextForm | None) -> Any:
    if text is None or text.format is None or text.format.type == "text":
        return None
    return ANY_OBJECT if text.format.schema is None else text.format.schema


def _text(value: Any) -> str:
    """Return a text, or the texts of parts; everything else counts nothing."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        texts = (part.get("text") for part in value if isinstance(part, dict))
        return "".join(text for text in texts if isinstance(text, str))
    return ""
