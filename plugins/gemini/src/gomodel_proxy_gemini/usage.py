"""Token counts, to and from our convention.

ai.google.dev/api/generate-content#UsageMetadata (2026-11). ``promptTokenCount`` includes cached
content; what built-in tools added to the prompt (``toolUsePromptTokenCount``) and thoughts stand
beside the others, and ``totalTokenCount`` is the sum of all.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

from gomodel_proxy.api import Usage
from gomodel_proxy.wire import json

__all__ = ["read_usage", "write_usage"]

_LARGEST: Final = 2**53

_Count = Annotated[int, msgspec.Meta(ge=0, le=_LARGEST)] | None


class _Detail(msgspec.Struct, rename="camel"):
    modality: str = ""
    token_count: _Count = None


class _Usage(msgspec.Struct, rename="camel"):
    prompt_token_count: _Count = None
    cached_content_token_count: _Count = None
    tool_use_prompt_token_count: _Count = None
    candidates_token_count: _Count = None
    thoughts_token_count: _Count = None
    total_token_count: _Count = None
    prompt_tokens_details: list[_Detail] = []
    tool_use_prompt_tokens_details: list[_Detail] = []
    candidates_tokens_details: list[_Detail] = []


_decode = msgspec.json.Decoder(_Usage).decode


def read_usage(raw: msgspec.Raw | bytes) -> Usage | None:
    """Return a ``usageMetadata`` object's counts, None if it has none."""
    try:
        found = _decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = _read_loosely(bytes(raw))
    taken = _sum(found.prompt_token_count, found.tool_use_prompt_token_count)
    given = _sum(found.candidates_token_count, found.thoughts_token_count)
    if given is None and taken is not None and found.total_token_count is not None:
        given = max(found.total_token_count - taken, 0)
    if taken is None and given is None:
        return None
    return Usage(
        input=taken,
        output=given,
        cache_read=found.cached_content_token_count,
        reasoning=found.thoughts_token_count,
        audio_input=_audio(found.prompt_tokens_details + found.tool_use_prompt_tokens_details),
        audio_output=_audio(found.candidates_tokens_details),
        raw=bytes(raw),
    )


def _sum(*counts: int | None) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _audio(details: list[_Detail]) -> int | None:
    return _sum(*(one.token_count for one in details if one.modality == "AUDIO"))


def _read_loosely(raw: bytes) -> _Usage:
    """Return the counts that are counts, of an object in which something is not."""
    try:
        found = json.loads(raw)
    except ValueError:
        return _Usage()
    if not isinstance(found, dict):
        return _Usage()
    counts = {
        name: int(value)
        for name, value in found.items()
        if type(value) in (int, float) and 0 <= value <= _LARGEST and value == int(value)
    }
    return msgspec.convert(counts, _Usage)


def write_usage(usage: Usage) -> dict[str, Any]:
    """Return usage in the dialect's words; a class nobody reported is left out."""
    thoughts = usage.reasoning or None
    answer = None if usage.output is None else max(usage.output - (thoughts or 0), 0)
    out: dict[str, Any] = {
        "promptTokenCount": usage.input,
        "candidatesTokenCount": answer,
        "thoughtsTokenCount": thoughts,
        "cachedContentTokenCount": usage.cache_read,
        "promptTokensDetails": _split(usage.input, usage.audio_input),
        "candidatesTokensDetails": _split(answer, usage.audio_output),
        "totalTokenCount": usage.total,
    }
    return {name: value for name, value in out.items() if value is not None}


def _split(whole: int | None, audio: int | None) -> list[dict[str, Any]] | None:
    if whole is None or not audio:
        return None
    text = {"modality": "TEXT", "tokenCount": max(whole - audio, 0)}
    return [text, {"modality": "AUDIO", "tokenCount": audio}]
