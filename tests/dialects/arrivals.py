"""What of a vendor's stream has arrived at each byte: read event by event, without our codecs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.eventstream import EventStreamBuffer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .streams import Stream

DONE = "[DONE]"


class Arrival(NamedTuple):
    """One event: at ``told`` all it says is there, at ``end`` what separates it from the next too.

    ``value`` is None if it says nothing.
    """

    told: int
    end: int
    name: str
    value: Any


def arrivals(stream: Stream) -> list[Arrival]:
    """Return the events of a stream in order."""
    framed = stream.dialect == "bedrock"
    found, start = [], 0
    for event in stream.events():
        end = start + len(event)
        name, value = _frame(event) if framed else _lines(event)
        told = end if framed or value is None else start + len(event.rstrip())
        found.append(Arrival(told, end, name, value))
        start = end
    return found


def _frame(event: bytes) -> tuple[str, Any]:
    buffer = EventStreamBuffer()
    buffer.add_data(event)
    (message,) = buffer
    name = message.headers.get(":event-type", message.headers.get(":exception-type"))
    return name, json.loads(message.payload)


def _lines(event: bytes) -> tuple[str, Any]:
    fields = [line.partition(": ") for line in event.decode().splitlines()]
    name = "".join(value for field, _, value in fields if field == "event")
    data = "\n".join(value for field, _, value in fields if field == "data")
    return name, (data if data == DONE else json.loads(data)) if data else None


def states(stream: Stream) -> Iterator[tuple[int, str]]:
    """Yield from which byte on a stream, if cut, is "broken", or "whole", or has "failed".

    It is "whole" again with each thing that some vendors still say behind a reason to finish.
    """
    state = "broken"
    yield 0, state
    unfinished: dict[int, bool] = {}
    for arrival in arrivals(stream):
        if arrival.value is None:
            continue
        if _fails(stream.dialect, arrival):
            yield arrival.told, "failed"
            return
        if arrival.value == DONE:  # not all vendors name a reason
            ends = state == "broken"
        elif stream.dialect in ("openai-chat", "gemini"):
            ends = _finishes(arrival.value, unfinished)
        else:
            ends = _ends(stream.dialect, arrival)
        if ends:
            state = "whole"
            yield arrival.told, state


def _fails(dialect: str, arrival: Arrival) -> bool:
    value = arrival.value
    match dialect:
        case "bedrock":
            return arrival.name.endswith("Exception")
        case "cohere":
            return value != DONE and value.get("delta", {}).get("finish_reason") == "ERROR"
        case "openai-responses":
            return value["type"] in ("error", "response.failed")
        case _:
            return value != DONE and bool(value.get("error"))


def _ends(dialect: str, arrival: Arrival) -> bool:
    match dialect:
        case "anthropic":
            return bool(arrival.value.get("delta", {}).get("stop_reason"))
        case "bedrock":
            return arrival.name == "messageStop"
        case "cohere":
            return arrival.name == "message-end"
        case _:
            return arrival.name in ("response.completed", "response.incomplete")


def _finishes(value: Any, unfinished: dict[int, bool]) -> bool:
    """Note which choices or candidates have no reason to finish yet; return whether all have."""
    some = value.get("choices") or value.get("candidates")
    for one in some or ():
        reason = one.get("finish_reason") or one.get("finishReason")
        index = one.get("index", 0)
        unfinished[index] = unfinished.get(index, True) and not reason
    return bool(some) and not any(unfinished.values())


def counted(dialect: str, arrived: Sequence[Arrival]) -> tuple[int, int] | None:
    """Return the tokens, taken and made, that the vendor has named last, if it has."""
    usage: dict[str, Any] = {}
    for arrival in arrived:
        if isinstance(arrival.value, dict):
            usage |= _usage(dialect, arrival.value) or {}
    if not usage:
        return None
    return sum(usage.get(name) or 0 for name in _TAKEN), sum(usage.get(name) or 0 for name in _MADE)


_TAKEN = (
    "prompt_tokens",
    "input_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "inputTokens",
    "cacheReadInputTokens",
    "cacheWriteInputTokens",
    "promptTokenCount",
    "toolUsePromptTokenCount",
)
_MADE = (
    "completion_tokens",
    "output_tokens",
    "outputTokens",
    "candidatesTokenCount",
    "thoughtsTokenCount",
)


def _usage(dialect: str, value: dict[str, Any]) -> Any:
    match dialect:
        case "anthropic":
            return value.get("usage") or value.get("message", {}).get("usage")
        case "cohere":
            return value.get("delta", {}).get("usage", {}).get("tokens")
        case "gemini":
            return value.get("usageMetadata")
        case "openai-responses":
            return value.get("response", {}).get("usage")
        case _:
            return value.get("usage") or value.get("x_groq", {}).get("usage")
