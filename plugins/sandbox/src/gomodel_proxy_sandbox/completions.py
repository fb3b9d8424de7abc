"""Completions: OpenAI's older ``/v1/completions``, whole and streamed.

Format: https://platform.openai.com/docs/api-reference/completions
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from . import replies, tokens
from .chat_request import Choices, StreamOptions  # noqa: TC001  fields need them at run time
from .models import Answer, Question, answer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .replies import Prompt, Reply

__all__ = ["reply"]


class CompletionForm(msgspec.Struct):
    """The members of a request that change the answer."""

    prompt: str | list[str | int | list[int]] | None = None
    n: Choices | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: Annotated[int, msgspec.Meta(ge=0)] | None = None
    stop: str | list[str] | None = None
    echo: bool | None = None

    @property
    def prompts(self) -> list[str]:
        """Each prompt as a text; token ids count as words."""
        if self.prompt is None or isinstance(self.prompt, str):
            return [self.prompt or ""]
        if all(isinstance(part, int) for part in self.prompt):
            return [" ".join(map(str, self.prompt))]
        return [
            " ".join(map(str, part)) if isinstance(part, list) else str(part)
            for part in self.prompt
        ]


def reply(prompt: Prompt) -> Reply:
    """Return the reply to a completion request; raises `InvalidRequest`."""
    form = prompt.read(CompletionForm)
    choices = [
        ((asked.text,) if form.echo else (), answer(asked, index))
        for asked in _questions(form, prompt)
        for index in range(form.n or 1)
    ]
    usage = None if prompt.faults.nousage else _usage(form, [each for _, each in choices])
    texts = [(echoed + each.text, each.finish) for echoed, each in choices]
    if form.stream and not prompt.faults.json:
        if not (form.stream_options and form.stream_options.include_usage):
            usage = None
        middle = sum(len(text) for text, _ in texts) // 2
        return replies.stream(_events(prompt, texts, usage), usage=usage, middle=middle)
    shown = [_choice(index, "".join(text), end) for index, (text, end) in enumerate(texts)]
    whole = _head(prompt) | {"choices": shown} | ({"usage": usage} if usage else {})
    return replies.json(whole, usage=usage)


def _questions(form: CompletionForm, prompt: Prompt) -> Iterator[Question]:
    for place, text in enumerate(form.prompts):
        yield Question(
            model=prompt.model,
            seed=blake2b(prompt.seed, digest_size=16, salt=place.to_bytes(16, "big")).digest(),
            text=text,
            limit=form.max_tokens,
            stop=(form.stop,) if isinstance(form.stop, str) else tuple(form.stop or ()),
            events=prompt.faults.events,
            size=prompt.faults.size,
        )


def _usage(form: CompletionForm, answers: Sequence[Answer]) -> dict[str, Any]:
    asked = sum(map(tokens.count, form.prompts))
    spent = sum(each.tokens for each in answers)
    return {
        "prompt_tokens": asked,
        "completion_tokens": spent,
        "total_tokens": asked + spent,
        "prompt_tokens_details": {"cached_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0},
    }


def _head(prompt: Prompt) -> dict[str, Any]:
    return {
        "id": prompt.id("cmpl-"),
        "object": "text_completion",
        "created": prompt.created,
        "model": prompt.members["model"],
        "system_fingerprint": "fp_sandbox",
    }


def _choice(index: int, text: str, finish: str | None) -> dict[str, Any]:
    return {"index": index, "text": text, "logprobs": None, "finish_reason": finish}


def _events(
    prompt: Prompt, texts: Sequence[tuple[tuple[str, ...], str]], usage: dict[str, Any] | None
) -> Iterator[bytes]:
    head = _head(prompt)
    tail = {} if usage is None else {"usage": None}
    for index, (pieces, finish) in enumerate(texts):
        for piece in pieces:
            yield replies.sse(head | {"choices": [_choice(index, piece, None)]} | tail)
        if not prompt.faults.nofinish:
            yield replies.sse(head | {"choices": [_choice(index, "", finish)]} | tail)
    if usage is not None:
        yield replies.sse(head | {"choices": [], "usage": usage})
    if not prompt.faults.nodone:
        yield replies.DONE
