"""Chat completions: OpenAI's ``/v1/chat/completions``, whole and streamed.

Format: https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

from itertools import chain, zip_longest
from typing import TYPE_CHECKING, Any

from . import replies, tokens
from .chat_request import ChatForm, question
from .models import Answer, Question, answer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .replies import Prompt, Reply

__all__ = ["reply"]


def reply(prompt: Prompt) -> Reply:
    """Return the reply to a chat completion request; raises `InvalidRequest`."""
    form = prompt.read(ChatForm)
    asked = question(form, prompt)
    answers = [answer(asked, index) for index in range(form.n or 1)]
    usage = None if prompt.faults.nousage else _usage(asked, answers)
    if form.stream and not prompt.faults.json:
        if not (form.stream_options and form.stream_options.include_usage):
            usage = None
        middle = len(answers) + sum(map(_length, answers)) // 2
        return replies.stream(_events(prompt, answers, usage), usage=usage, middle=middle)
    choices = [_choice(index, each) for index, each in enumerate(answers)]
    shown = _head(prompt, "chat.completion") | {"choices": choices}
    return replies.json(shown | ({"usage": usage} if usage else {}), usage=usage)


def _usage(question: Question, answers: Sequence[Answer]) -> dict[str, Any]:
    spent = sum(each.tokens for each in answers)
    return {
        "prompt_tokens": question.input_tokens,
        "completion_tokens": spent,
        "total_tokens": question.input_tokens + spent,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": sum(len(each.reasoning) for each in answers),
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _head(prompt: Prompt, kind: str) -> dict[str, Any]:
    return {
        "id": prompt.id("chatcmpl-"),
        "object": kind,
        "created": prompt.created,
        "model": prompt.members["model"],
        "service_tier": "default",
        "system_fingerprint": "fp_sandbox",
    }


def _choice(index: int, each: Answer) -> dict[str, Any]:
    message: dict[str, Any] = {
        "role": "assistant",
        "content": None if each.calls else "".join(each.text),
        "refusal": None,
    }
    if each.reasoning:
        message["reasoning_content"] = "".join(each.reasoning)
    if each.calls:
        message["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in each.calls
        ]
    return {"index": index, "message": message, "logprobs": None, "finish_reason": each.finish}


# ---------------------------------------------------------------- streams


def _events(
    prompt: Prompt, answers: Sequence[Answer], usage: dict[str, Any] | None
) -> Iterator[bytes]:
    head = _head(prompt, "chat.completion.chunk")
    tail = {} if usage is None else {"usage": None}
    unfinished = prompt.faults.nofinish
    choices = [_deltas(index, each, unfinished) for index, each in enumerate(answers)]
    for choice in filter(None, chain.from_iterable(zip_longest(*choices))):
        yield replies.sse(head | {"choices": [choice]} | tail)
    if usage is not None:
        yield replies.sse(head | {"choices": [], "usage": usage})
    if not prompt.faults.nodone:
        yield replies.DONE


def _deltas(index: int, each: Answer, unfinished: bool) -> Iterator[dict[str, Any]]:
    opening = {"role": "assistant", "content": None if each.calls else "", "refusal": None}
    yield _delta(index, opening)
    for piece in each.reasoning:
        yield _delta(index, {"reasoning_content": piece})
    for piece in each.text:
        yield _delta(index, {"content": piece})
    for place, call in enumerate(each.calls):
        named = {"name": call.name, "arguments": ""}
        opened = {"index": place, "id": call.id, "type": "function", "function": named}
        yield _delta(index, {"tool_calls": [opened]})
        for piece in tokens.split(call.arguments):
            more = {"index": place, "function": {"arguments": piece}}
            yield _delta(index, {"tool_calls": [more]})
    if not unfinished:
        yield _delta(index, {}, each.finish)


def _delta(index: int, delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}


def _length(each: Answer) -> int:
    arguments = sum(tokens.count(call.arguments) + 1 for call in each.calls)
    return len(each.reasoning) + len(each.text) + arguments
