"""How a caller's stream ends: what each dialect has for a proper end, and what for an error."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from .arrivals import DONE


@lru_cache(maxsize=256)
def read(body: bytes) -> list[Any]:
    """Return the events that a caller got; all of them must be whole."""
    assert not body or body.endswith((b"\n\n", b"\r\n\r\n")), body[-99:]
    lines = [line for line in body.decode().splitlines() if line.startswith("data:")]
    data = [line[5:].strip() for line in lines]
    return [one if one == DONE else json.loads(one) for one in data]


def is_end(caller: str, event: Any) -> bool:
    """Whether an event says, or begins to say, that all has been said."""
    match caller:
        case "openai.chat":
            return event == DONE or _has_reason(event.get("choices"), "finish_reason")
        case "openai.responses":
            return event["type"] in ("response.completed", "response.incomplete")
        case "anthropic.messages":
            reason = event.get("delta", {}).get("stop_reason")
            return event["type"] == "message_stop" or reason is not None
        case _:
            return _has_reason(event.get("candidates"), "finishReason")


def is_last(caller: str, event: Any) -> bool:
    """Whether an event may be the last of a stream that is whole."""
    match caller:
        case "openai.chat":
            return bool(event == DONE)
        case "anthropic.messages":
            return bool(event["type"] == "message_stop")
        case _:
            return is_end(caller, event)


def is_error(caller: str, event: Any) -> bool:
    """Whether an event is an error that this dialect's callers raise on."""
    match caller:
        case "openai.responses":
            return event["type"] in ("error", "response.failed")
        case "anthropic.messages":
            return bool(event["type"] == "error" and event["error"]["message"])
        case _:
            return event != DONE and bool(event.get("error", {}).get("message"))


def _has_reason(choices: Any, name: str) -> bool:
    return any(one.get(name) for one in choices or ())


def without_usage(value: Any) -> Any:
    """Return events without their counts of tokens, which may come after the end or not at all."""
    if isinstance(value, dict):
        return {
            name: without_usage(inner)
            for name, inner in value.items()
            if name not in ("usage", "usageMetadata", "x_groq")
        }
    if isinstance(value, list):
        kept = [one for one in value if not _only_counts(one)]
        return [without_usage(one) for one in kept]
    return value


def _only_counts(value: Any) -> bool:
    return isinstance(value, dict) and value.get("choices") == [] and "usage" in value
