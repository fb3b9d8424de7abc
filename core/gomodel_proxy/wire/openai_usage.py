"""Token counts as OpenAI and those who speak its dialects report them, in one convention.

Two namings: ``prompt_tokens`` and ``completion_tokens`` (platform.openai.com/docs/api-reference/
chat/object, 2026-11), ``input_tokens`` and ``output_tokens`` (…/responses/object, 2026-11). Input
includes cached tokens in both. Vendors add: cached tokens beside the details instead of in them,
reasoning tokens on top of ``completion_tokens`` instead of within (seen where the total is the sum
of all three), and reasoning tokens in the total alone, by no name.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

from gomodel_proxy.api import Usage

from . import json

__all__ = ["read_usage"]

_LARGEST: Final = 2**53  # what JSON carries exactly; a count beyond it is no count

Count = Annotated[int, msgspec.Meta(ge=0, le=_LARGEST)] | None


class _Details(msgspec.Struct):
    cached_tokens: Count = None
    cache_write_tokens: Count = None
    cache_creation_tokens: Count = None
    reasoning_tokens: Count = None
    audio_tokens: Count = None


_NONE: Final = _Details()


class _Usage(msgspec.Struct):
    prompt_tokens: Count = None
    completion_tokens: Count = None
    input_tokens: Count = None
    output_tokens: Count = None
    total_tokens: Count = None
    prompt_tokens_details: _Details | None = None
    completion_tokens_details: _Details | None = None
    input_tokens_details: _Details | None = None
    output_tokens_details: _Details | None = None
    cached_tokens: Count = None
    prompt_cache_hit_tokens: Count = None
    num_cached_tokens: Count = None
    cache_creation_input_tokens: Count = None


_decode = msgspec.json.Decoder(_Usage).decode


def read_usage(raw: msgspec.Raw | bytes) -> Usage | None:
    """Return a ``usage`` object's counts, None if it has none.

    A member of a wrong type, or below zero, is taken as not there.
    """
    try:
        usage = _decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        usage = _read_loosely(bytes(raw))
    taken, given = usage.prompt_tokens, usage.completion_tokens
    if taken is None:
        taken = usage.input_tokens
    if given is None:
        given = usage.output_tokens
    if taken is None and given is None:
        return None
    inward = usage.prompt_tokens_details or usage.input_tokens_details or _NONE
    outward = usage.completion_tokens_details or usage.output_tokens_details or _NONE
    reasoning = outward.reasoning_tokens
    cached, written = inward.cached_tokens, inward.cache_write_tokens
    if cached is None:
        cached = _first(usage.cached_tokens, usage.prompt_cache_hit_tokens, usage.num_cached_tokens)
    if written is None:
        written = _first(inward.cache_creation_tokens, usage.cache_creation_input_tokens)
    if given is not None and usage.total_tokens is not None:
        beside = usage.total_tokens - (taken or 0) - given
        # where tokens of a cache are told, it is they that may be in the total alone
        if beside > 0 and (beside == reasoning or (reasoning is None and not (cached or written))):
            given += beside
    return Usage(
        input=taken,
        output=given,
        cache_read=cached,
        cache_write=written,
        reasoning=reasoning,
        audio_input=inward.audio_tokens,
        audio_output=outward.audio_tokens,
        raw=bytes(raw),
    )


def _first(*counts: int | None) -> int | None:
    for count in counts:
        if count is not None:
            return count
    return None


def _read_loosely(raw: bytes) -> _Usage:
    try:
        usage = json.loads(raw)
    except ValueError:
        return _Usage()
    return msgspec.convert(_sound(usage) if isinstance(usage, dict) else {}, _Usage)


def _sound(members: dict[str, Any]) -> dict[str, Any]:
    """Return counts, and objects of counts, alone; ``7.0``, as some write it, is a count."""
    counts = {
        name: int(value)
        for name, value in members.items()
        if type(value) in (int, float)
        and 0 <= value <= _LARGEST
        and value == int(value)
        and not name.endswith("_details")
    }
    details = {
        name: _sound(value)
        for name, value in members.items()
        if type(value) is dict and name.endswith("_details")
    }
    return counts | details
