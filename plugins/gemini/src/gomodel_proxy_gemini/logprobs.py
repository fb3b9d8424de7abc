"""Probabilities of tokens, between the dialect's form and OpenAI's, which is the neutral one.

ai.google.dev/api/generate-content#LogprobsResult (2026-11).
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import Raw

from .nodes import encoded

__all__ = ["read_logprobs", "write_logprobs"]


class _Token(msgspec.Struct, rename="camel"):
    token: str = ""
    log_probability: float = 0.0


class _Top(msgspec.Struct):
    candidates: list[_Token] = []


class _Result(msgspec.Struct, rename="camel"):
    chosen_candidates: list[_Token] = []
    top_candidates: list[_Top] = []


class _Ours(msgspec.Struct):
    token: str = ""
    logprob: float = 0.0
    top_logprobs: list[_Ours] = []


class _Content(msgspec.Struct):
    content: list[_Ours] | None = None


_result: Final = msgspec.json.Decoder(_Result)
_content: Final = msgspec.json.Decoder(_Content)


def read_logprobs(raw: Raw | None) -> Raw | None:
    """Return ``logprobsResult`` as ``{"content": […]}``."""
    if raw is None:
        return None
    try:
        found = _result.decode(raw)
    except msgspec.DecodeError:
        return None
    tops = [[_ours(one) for one in top.candidates] for top in found.top_candidates]
    tops += [[] for _ in found.chosen_candidates[len(tops) :]]
    chosen = zip(found.chosen_candidates, tops, strict=False)
    return encoded({"content": [{**_ours(one), "top_logprobs": top} for one, top in chosen]})


def _ours(token: _Token) -> dict[str, Any]:
    return {
        "token": token.token,
        "logprob": token.log_probability,
        "bytes": list(token.token.encode()),
    }


def write_logprobs(raw: Raw | None) -> dict[str, Any] | None:
    """Return ``{"content": […]}`` as ``logprobsResult``."""
    if raw is None:
        return None
    try:
        found = _content.decode(raw).content
    except msgspec.DecodeError:
        return None
    if not found:
        return None
    return {
        "chosenCandidates": [_theirs(one) for one in found],
        "topCandidates": [{"candidates": [_theirs(top) for top in o.top_logprobs]} for o in found],
    }


def _theirs(one: _Ours) -> dict[str, Any]:
    return {"token": one.token, "logProbability": one.logprob}
