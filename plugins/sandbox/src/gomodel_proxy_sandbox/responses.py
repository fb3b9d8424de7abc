"""Responses: OpenAI's ``/v1/responses``, whole and as the full ordered set of events.

Format: https://platform.openai.com/docs/api-reference/responses-streaming. Nothing is stored.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any, Final

from . import replies, tokens
from .models import Answer, Question, answer
from .responses_request import ResponsesForm, question

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .replies import Prompt, Reply

__all__ = ["reply"]

Event = tuple[str, dict[str, Any]]

# Members that the vendor gives back as they were asked, and what they are if they were not.
_ECHOED: Final[dict[str, Any]] = {
    "background": False,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "reasoning": {"effort": None, "summary": None},
    "safety_identifier": None,
    "service_tier": "default",
    "temperature": 1.0,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
}


def reply(prompt: Prompt) -> Reply:
    """Return the reply to a responses request; raises `InvalidRequest`."""
    form = prompt.read(ResponsesForm)
    asked = question(form, prompt)
    answered = answer(asked)
    usage = None if prompt.faults.nousage else _usage(asked, answered)
    final = _final(prompt, answered, usage)
    if form.stream and not prompt.faults.json:
        middle = 5 + (len(answered.text) + len(answered.reasoning)) // 2
        return replies.stream(_events(prompt, answered, final), usage=usage, middle=middle)
    return replies.json(final, usage=usage)


def _usage(asked: Question, answered: Answer) -> dict[str, Any]:
    return {
        "input_tokens": asked.input_tokens,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": answered.tokens,
        "output_tokens_details": {"reasoning_tokens": len(answered.reasoning)},
        "total_tokens": asked.input_tokens + answered.tokens,
    }


def _opening(prompt: Prompt) -> dict[str, Any]:
    asked = {name: prompt.members.get(name) for name in _ECHOED}
    return {
        "id": prompt.id("resp_"),
        "object": "response",
        "created_at": prompt.created,
        "status": "in_progress",
        "error": None,
        "incomplete_details": None,
        "model": prompt.members["model"],
        "output": [],
        "usage": None,
        **{name: _ECHOED[name] if asked[name] is None else asked[name] for name in _ECHOED},
    }


def _final(prompt: Prompt, answered: Answer, usage: dict[str, Any] | None) -> dict[str, Any]:
    ended: dict[str, Any] = {"status": "completed", "completed_at": prompt.created}
    if answered.finish == "length":
        ended = {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    output = list(_items(prompt, answered))
    return _opening(prompt) | ended | {"output": output, "usage": usage}


def _items(prompt: Prompt, answered: Answer) -> Iterator[dict[str, Any]]:
    if answered.reasoning:
        summary = [_summary("".join(answered.reasoning))]
        yield {"id": prompt.id("rs_"), "type": "reasoning", "summary": summary}
    for call in answered.calls:
        yield {
            "id": call.id.replace("call_", "fc_"),
            "type": "function_call",
            "status": "completed",
            "call_id": call.id,
            "name": call.name,
            "arguments": call.arguments,
        }
    if not answered.calls:
        yield {
            "id": prompt.id("msg_"),
            "type": "message",
            "status": "incomplete" if answered.finish == "length" else "completed",
            "role": "assistant",
            "content": [_part("".join(answered.text))],
        }


def _part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _summary(text: str) -> dict[str, Any]:
    return {"type": "summary_text", "text": text}


# ---------------------------------------------------------------- streams


def _events(prompt: Prompt, answered: Answer, final: dict[str, Any]) -> Iterator[bytes]:
    numbers = count()
    for kind, members in _story(prompt, answered, final):
        shown = {"type": f"response.{kind}", "sequence_number": next(numbers), **members}
        yield replies.sse(shown, shown["type"])


def _story(prompt: Prompt, answered: Answer, final: dict[str, Any]) -> Iterator[Event]:
    opening = _opening(prompt)
    yield "created", {"response": opening}
    yield "in_progress", {"response": opening}
    for index, item in enumerate(final["output"]):
        opened, inside = _inside(item, answered)
        yield "output_item.added", {"output_index": index, "item": opened}
        for kind, members in inside:
            yield kind, {"item_id": item["id"], "output_index": index, **members}
        yield "output_item.done", {"output_index": index, "item": item}
    if not (prompt.faults.nodone or prompt.faults.nofinish):
        yield final["status"], {"response": final}


def _inside(item: dict[str, Any], answered: Answer) -> tuple[dict[str, Any], Iterator[Event]]:
    """Return an item as it looks before it has content, and the events that fill it."""
    match item["type"]:
        case "message":
            empty = {"status": "in_progress", "content": []}
            return item | empty, _texts(answered.text)
        case "reasoning":
            return item | {"summary": []}, _thoughts(answered.reasoning)
        case _:
            return item | {"status": "in_progress", "arguments": ""}, _arguments(item)


def _texts(pieces: Iterable[str]) -> Iterator[Event]:
    text = "".join(pieces)
    place = {"content_index": 0}
    yield "content_part.added", place | {"part": _part("")}
    for piece in pieces:
        yield "output_text.delta", place | {"delta": piece, "logprobs": []}
    yield "output_text.done", place | {"text": text, "logprobs": []}
    yield "content_part.done", place | {"part": _part(text)}


def _thoughts(pieces: Iterable[str]) -> Iterator[Event]:
    text = "".join(pieces)
    place = {"summary_index": 0}
    yield "reasoning_summary_part.added", place | {"part": _summary("")}
    for piece in pieces:
        yield "reasoning_summary_text.delta", place | {"delta": piece}
    yield "reasoning_summary_text.done", place | {"text": text}
    yield "reasoning_summary_part.done", place | {"part": _summary(text)}


def _arguments(item: dict[str, Any]) -> Iterator[Event]:
    for piece in tokens.split(item["arguments"]):
        yield "function_call_arguments.delta", {"delta": piece}
    yield "function_call_arguments.done", {"arguments": item["arguments"]}
