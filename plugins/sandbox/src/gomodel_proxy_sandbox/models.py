"""Models: from a question to an answer, both free of any dialect."""

from __future__ import annotations

from hashlib import blake2b
from itertools import chain, cycle, islice, pairwise
from typing import Any, Final

import msgspec

from gomodel_proxy.api import InvalidRequest

from . import prose, schemas, tokens, wishes

__all__ = ["MODELS", "Answer", "Question", "Tool", "ToolCall", "answer"]

MODELS: Final = {
    "sandbox-echo": ("chat", "completions"),
    "sandbox-text": ("chat", "completions"),
    "sandbox-tools": ("chat",),
    "sandbox-reasoning": ("chat",),
    "sandbox-embedding": ("embeddings",),
    "sandbox-moderation": ("moderations",),
}
"""What each model can be asked for."""

_NOTHING_TO_ECHO: Final = "There is nothing to echo."


class Tool(msgspec.Struct, frozen=True):
    """A function the model may call, and the schema of its arguments."""

    name: str
    schema: Any


class ToolCall(msgspec.Struct, frozen=True):
    """A call of a tool; ``arguments`` is JSON."""

    id: str
    name: str
    arguments: str


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What a model is asked.

    ``text`` is the last the user said, ``result`` a tool's answer if that came last. ``choice``
    is none, auto, required, or the name of a tool behind an ``=``. ``schema`` is None for free
    text. ``limit`` is in tokens, reasoning included. ``events`` and ``size`` ask for a text of
    that many pieces or bytes.
    """

    model: str
    seed: bytes
    text: str = ""
    input_tokens: int = 0
    tools: tuple[Tool, ...] = ()
    choice: str = "auto"
    parallel: bool = False
    result: str | None = None
    schema: Any = None
    limit: int | None = None
    stop: tuple[str, ...] = ()
    events: int | None = None
    size: int | None = None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a model says: pieces of text, as a stream would send them.

    ``finish`` is stop, length or tool_calls. ``tokens`` counts everything, reasoning included.
    """

    text: tuple[str, ...] = ()
    reasoning: tuple[str, ...] = ()
    calls: tuple[ToolCall, ...] = ()
    finish: str = "stop"
    tokens: int = 0


def answer(question: Question, index: int = 0) -> Answer:
    """Return the ``index``-th answer (of ``n``); the same one each time."""
    seed = blake2b(question.seed, digest_size=16, salt=index.to_bytes(16, "big")).digest()
    dice = prose.Dice(seed)
    reasoning = _reasoning(question, dice)
    if called := _called(question):
        calls = tuple(_call(tool, question.text, seed, place) for place, tool in enumerate(called))
        spent = sum(tokens.count(call.name) + tokens.count(call.arguments) for call in calls)
        return Answer(
            reasoning=reasoning,
            calls=calls,
            finish="tool_calls",
            tokens=len(reasoning) + spent,
        )
    return _spoken(question, reasoning, _text(question, dice))


def _spoken(question: Question, reasoning: tuple[str, ...], text: str) -> Answer:
    said = _until(text, question.stop)
    pieces = _pieces(said, question.events if said == text else None)
    thoughts = reasoning[: question.limit]
    kept = pieces if question.limit is None else pieces[: question.limit - len(thoughts)]
    spent = tokens.count("".join(kept)) if question.events is not None else len(kept)
    cut_short = len(thoughts) + len(kept) < len(reasoning) + len(pieces)
    return Answer(
        text=tuple(kept),
        reasoning=thoughts,
        finish="length" if cut_short else "stop",
        tokens=len(thoughts) + spent,
    )


def _reasoning(question: Question, dice: prose.Dice) -> tuple[str, ...]:
    if question.model != "sandbox-reasoning":
        return ()
    return tuple(tokens.split(prose.paragraph(dice, 2)))


def _called(question: Question) -> tuple[Tool, ...]:
    choice = question.choice
    if choice.startswith("="):
        named = tuple(tool for tool in question.tools if tool.name == choice[1:])
        if not named:
            raise InvalidRequest(f"no tool is named {choice[1:]!r}", param="tool_choice")
        return named[:1]
    if choice == "required" and not question.tools:
        raise InvalidRequest("tools are required, but there are none", param="tool_choice")
    wanted = question.model == "sandbox-tools" and question.result is None
    if choice == "required" or (choice == "auto" and wanted):
        return question.tools if question.parallel else question.tools[:1]
    return ()


def _call(tool: Tool, text: str, seed: bytes, place: int) -> ToolCall:
    dice = prose.Dice(seed + tool.name.encode())
    made = _instance(tool.schema if tool.schema is not None else {"type": "object"}, dice, "tools")
    if isinstance(made, dict):
        made |= wishes.arguments(tool.schema, text)
    return ToolCall(f"call_{seed[:12].hex()}{place:02x}", tool.name, _json(made))


def _text(question: Question, dice: prose.Dice) -> str:
    if question.schema is not None:
        return _json(_instance(question.schema, dice, "response_format"))
    if question.size is not None:
        return prose.repeat(prose.paragraph(dice, 12), question.size)
    if question.events is not None:
        once = prose.paragraph(dice, 12)
        pieces = chain(tokens.split(once), cycle(tokens.split(f" {once}")))
        return "".join(islice(pieces, question.events))
    if question.model == "sandbox-echo":
        return question.text or _NOTHING_TO_ECHO
    if question.model == "sandbox-tools" and question.result is not None:
        return f"The tool answered: {question.result}"
    return prose.paragraph(dice, 3 + dice.below(4))


def _until(text: str, stops: tuple[str, ...]) -> str:
    places = [place for stop in stops if stop and (place := text.find(stop)) >= 0]
    return text[: min(places)] if places else text


def _pieces(text: str, events: int | None) -> list[str]:
    """Split a text into tokens, or into exactly as many pieces as events were asked for."""
    pieces = tokens.split(text)
    if events is None or len(pieces) == events:
        return pieces
    bounds = [len(text) * place // events for place in range(events + 1)] if events else []
    return [text[start:end] for start, end in pairwise(bounds)]


def _instance(schema: Any, dice: prose.Dice, param: str) -> Any:
    try:
        return schemas.instance(schema, dice)
    except schemas.Unsatisfiable as error:
        raise InvalidRequest(f"no answer satisfies the schema: {error}", param=param) from None


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
