"""A response around its output: who made it, and the request it echoes.

platform.openai.com/docs/api-reference/responses/object (2026-11).
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from gomodel_proxy.api import Losses
from gomodel_proxy.api.chat import Text

from .openai_responses_requests import INSTRUCTIONS
from .openai_responses_tools import write_choice, write_format, write_tools

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gomodel_proxy.api import Usage
    from gomodel_proxy.api.chat import ChatRequest, FinishReason

__all__ = ["ECHOED", "conclude", "frame", "item_id", "response_id", "write_usage"]

ECHOED: Final = (
    "background",
    "conversation",
    "frequency_penalty",
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "parallel_tool_calls",
    "presence_penalty",
    "previous_response_id",
    "prompt",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "reasoning",
    "safety_identifier",
    "store",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "truncation",
    "user",
)
"""Members of a response that only say what was asked for, or stands for what was not."""

_FROM_EXTRA: Final = (
    "conversation",
    "max_tool_calls",
    "previous_response_id",
    "prompt",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "safety_identifier",
    "truncation",
)
_INCOMPLETE: Final[dict[FinishReason, str]] = {
    "length": "max_output_tokens",
    "content_filter": "content_filter",
    "refusal": "content_filter",
}
_ID_LIMIT: Final = 80


def response_id(given: str) -> str:
    """Return the id of a response: the provider's, made to look like one of this dialect."""
    if given.startswith("resp_"):
        return given
    if given and len(given) <= _ID_LIMIT and given.replace("-", "").replace("_", "").isalnum():
        return f"resp_{given}"
    return f"resp_{blake2b(given.encode(), digest_size=16).hexdigest()}"


def item_id(prefix: str, response: str, index: int) -> str:
    """Return the id of an item at ``index`` in the output; the same whenever it is made."""
    return f"{prefix}_{response.removeprefix('resp_')}_{index}"


def frame(request: ChatRequest, *, id: str, model: str, created: int) -> dict[str, Any]:
    """Return a response that has begun and says nothing yet."""
    wish, first = request.reasoning, request.messages[0] if request.messages else None
    echo: dict[str, Any] = {name: request.extra.get(name) for name in _FROM_EXTRA}
    said = None
    if first is not None and first.at == INSTRUCTIONS:
        said = "".join(part.text for part in first.parts if isinstance(part, Text))
    losses = Losses()  # an echo loses nothing that the request has not
    choice = request.tool_choice
    return {
        "id": id,
        "object": "response",
        "created_at": created,
        "status": "in_progress",
        "background": False,
        "completed_at": None,
        "error": None,
        "incomplete_details": None,
        "instructions": said,
        "max_output_tokens": request.max_tokens,
        "model": model,
        "output": [],
        "parallel_tool_calls": request.parallel_tools is not False,
        "reasoning": {
            "effort": None if wish is None else wish.effort,
            "summary": None if wish is None else wish.summary,
        },
        "service_tier": request.service_tier,
        "store": request.store is not False,
        "temperature": request.temperature,
        "text": _text(request, losses),
        "tool_choice": (choice and write_choice(choice, request.tools, losses)) or "auto",
        "tools": write_tools(request.tools, losses, strict=None),
        "top_logprobs": request.top_logprobs or 0,
        "top_p": request.top_p,
        "usage": None,
        "user": request.user,
        "metadata": {} if request.metadata is None else request.metadata,
        **echo,
        "truncation": echo["truncation"] or "disabled",
    }


def _text(request: ChatRequest, losses: Losses) -> dict[str, Any]:
    form = write_format(request.format, losses) if request.format is not None else None
    out: dict[str, Any] = {"format": form or {"type": "text"}}
    if request.verbosity is not None:
        out["verbosity"] = request.verbosity
    return out


def conclude(
    response: dict[str, Any],
    output: Sequence[Any],
    finish: FinishReason | None,
    usage: Usage | None,
) -> str:
    """Complete a response; returns its status.

    A codec has no clock: a completed one says it was completed when it was made.
    """
    reason = _INCOMPLETE.get(finish or "stop")
    status = "failed" if finish == "error" else "completed" if reason is None else "incomplete"
    response["output"] = list(output)
    response["status"] = status
    if status == "completed":
        response["completed_at"] = response["created_at"]
    if reason is not None:
        response["incomplete_details"] = {"reason": reason}
    if status == "failed" and response["error"] is None:
        response["error"] = {"code": "server_error", "message": "The provider failed."}
    if usage is not None:
        response["usage"] = write_usage(usage)
    return status


def write_usage(usage: Usage) -> dict[str, Any]:
    """Return usage in the dialect's words, which have a number for every class but audio."""
    taken = {
        "cached_tokens": usage.cache_read or 0,
        "cache_write_tokens": usage.cache_write or 0,
    }
    given = {"reasoning_tokens": usage.reasoning or 0}
    if usage.audio_input is not None:
        taken["audio_tokens"] = usage.audio_input
    if usage.audio_output is not None:
        given["audio_tokens"] = usage.audio_output
    return {
        "input_tokens": usage.input or 0,
        "input_tokens_details": taken,
        "output_tokens": usage.output or 0,
        "output_tokens_details": given,
        "total_tokens": usage.total or 0,
    }
