"""Requests, written: ai.google.dev/api/generate-content (2026-11).

Traits: those of `thinking` and `messages`, and ``validated`` (false: the model cannot be held to
the schemas of strict tools), ``unsupported`` (names of members that the model refuses).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from gomodel_proxy.wire.tool_order import refuse_orphans

from .messages import ContentWriter
from .settings import NAMES
from .thinking import write_thinking
from .tool_writer import write_choice, write_tools
from .words import DIALECT, tier_word

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gomodel_proxy.api import Losses
    from gomodel_proxy.api.chat import ChatRequest, Format

__all__ = ["write_request"]

_EXTRA: Final = frozenset({"safetySettings", "cachedContent", "labels"})
_WITHIN: Final = ("generationConfig", "toolConfig")
_ABSENT: Final = ("verbosity", "min_p", "logit_bias", "user", "metadata")


def write_request(request: ChatRequest, *, traits: Mapping[str, Any], losses: Losses) -> bytes:
    """Return the body of a request; what cannot be written is noted in ``losses``."""
    refuse_orphans(request.messages)
    contents = ContentWriter(traits, losses)
    contents.write(request.messages)
    out: dict[str, Any] = {"contents": contents.contents}
    if contents.system:
        out["systemInstruction"] = {"parts": contents.system}
    tools = write_tools(request, losses)
    if tools:
        out["tools"] = tools
    choice = write_choice(request, traits, losses)
    if choice is not None:
        out["toolConfig"] = {"functionCallingConfig": choice}
    config = _settings(request, traits, losses)
    if config:
        out["generationConfig"] = config
    _rest(request, out, losses)
    return msgspec.json.encode(out)


def _settings(request: ChatRequest, traits: Mapping[str, Any], losses: Losses) -> dict[str, Any]:
    out: dict[str, Any] = {}
    unsupported = traits.get("unsupported", ())
    for ours, theirs in NAMES.items():
        value = getattr(request, ours)
        if value is None:
            continue
        if ours in unsupported:
            losses.drop(request.names.get(ours, ours))
        else:
            out[theirs] = value
    seed = out.get("seed", 0)
    if seed != (folded := _folded(seed)):
        losses.change(request.names.get("seed", "seed"), seed, folded)
        out["seed"] = folded
    if "responseModalities" in out:
        out["responseModalities"] = [word.upper() for word in out["responseModalities"]]
    thinking = write_thinking(request, traits, losses)
    if thinking is not None:
        out["thinkingConfig"] = thinking
    if request.format is not None:
        out.update(_format(request.format, losses))
    for name in _ABSENT:
        if getattr(request, name) is not None:
            losses.drop(request.names.get(name, name))
    return out


def _folded(seed: int) -> int:
    """Return a seed as the 32 bits that this vendor takes; the same one for the same."""
    return seed if -(2**31) <= seed < 2**31 else seed % 2**31


def _format(form: Format, losses: Losses) -> dict[str, Any]:
    losses.drop_extra(form.at, form.extra)
    if form.kind == "raw":
        if form.dialect == DIALECT and form.raw is not None:
            return msgspec.json.decode(form.raw, type=dict[str, Any])
        losses.drop(form.at)
        return {}
    for name in ("name", "description"):
        if getattr(form, name) is not None:
            losses.drop(form.at, name)
    if form.strict is False:
        losses.change(f"{form.at}.strict", "false", "true")  # the vendor knows no other way
    if form.kind == "text":
        return {"responseMimeType": "text/plain"}
    out: dict[str, Any] = {"responseMimeType": "application/json"}
    if form.schema is not None:
        out["responseJsonSchema"] = form.schema
    return out


def _rest(request: ChatRequest, out: dict[str, Any], losses: Losses) -> None:
    if request.cache is not None:
        losses.drop("cache_control")
    if request.store is not None:
        out["store"] = request.store
    if request.service_tier is not None:
        word = tier_word(request.service_tier)
        if word is None:
            losses.drop(request.names.get("service_tier", "service_tier"))
        else:
            out["serviceTier"] = word
    for name, value in request.extra.items():
        outer, _, inner = name.partition(".")
        if name in _EXTRA:
            out[name] = value
        elif inner and outer in _WITHIN:
            out.setdefault(outer, {})[inner] = value
        else:
            losses.drop(name)
