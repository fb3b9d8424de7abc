"""Requests of the Messages API, written: platform.claude.com/docs/en/api/messages/create (2026-11).

Traits: ``max_tokens`` (the limit where the caller gave none, which Anthropic demands), ``sampling``
("all", "one" of temperature and top_p, "none"), ``system_turns`` (true: system messages between
turns), ``forced_tools`` (false: a choice that forces a tool is refused), ``formats`` (true: answers
by a schema), and those of `thinking`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Raw

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.wire import json
from gomodel_proxy.wire.wishes import drop_foreign, take_sampling, take_stops

from .blocks import write_blocks
from .names import DIALECT
from .thinking import is_thinking, write_thinking
from .tools import write_choice, write_tools
from .turns import take_turns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gomodel_proxy.api import Losses
    from gomodel_proxy.api.chat import ChatRequest, Format

__all__ = ["write_request"]

_MAX_TOKENS: Final = 4096
_TIERS: Final = {"auto": "auto", "default": "standard_only", "standard_only": "standard_only"}
_FOREIGN: Final[
    dict[str, Any]
] = {  # what Anthropic has no word for, and the value that asks nothing
    "n": 1,
    "seed": None,
    "frequency_penalty": 0,
    "presence_penalty": 0,
    "logprobs": False,
    "top_logprobs": None,
    "logit_bias": None,
    "min_p": None,
    "metadata": None,
    "store": False,
    "verbosity": None,
    "modalities": ["text"],
}
_KNOWN_EXTRA: Final = {
    "compaction": ("object",),
    "container": ("object", "string"),
    "context_management": ("object",),
    "diagnostics": ("object",),
    "fallbacks": ("array", "object"),
    "inference_geo": ("string",),
    "mcp_servers": ("array",),
    "speed": ("string",),
    "thinking": ("object",),
    "thread": ("object",),
    "user_profile_id": ("string",),
}
"""Anthropic's own members, which callers of other dialects may send along, and their JSON types.

Other vendors use some of the names for something else.
"""


def write_request(request: ChatRequest, *, traits: Mapping[str, Any], losses: Losses) -> bytes:
    """Return the body of a request; what cannot be written is noted in ``losses``."""
    limit = request.max_tokens
    out: dict[str, Any] = {
        "model": request.model,
        "max_tokens": traits.get("max_tokens", _MAX_TOKENS) if limit is None else limit,
    }
    system, turns = take_turns(
        request.messages, losses, system_turns=bool(traits.get("system_turns"))
    )
    messages = [
        {"role": turn.role, "content": blocks}
        for turn in turns
        if (blocks := write_blocks(turn.parts, turn.role, losses))
    ]
    prompt = write_blocks(system, "system", losses)
    if not messages and prompt:
        losses.change("messages", "system", "user")
        messages, prompt = [{"role": "user", "content": prompt}], []
    if not messages:
        raise InvalidRequest("'messages' says nothing.", code="empty_array", param="messages")
    if prompt:
        out["system"] = prompt
    out["messages"] = messages
    if tools := write_tools(request, losses):
        out["tools"] = tools
    write_choice(request, out, traits, losses)
    write_thinking(request, out, turns, traits, losses)
    if request.format is not None:
        _write_format(request.format, out, traits, losses)
    _write_sampling(request, out, traits, losses)
    _write_rest(request, out, losses)
    return msgspec.json.encode(out)


def _write_format(
    form: Format, out: dict[str, Any], traits: Mapping[str, Any], losses: Losses
) -> None:
    losses.drop_extra(form.at, form.extra)
    if form.kind == "text":
        return
    if form.kind == "raw" and form.dialect == DIALECT:
        out.setdefault("output_config", {})["format"] = form.raw
        return
    if form.kind != "json_schema" or form.schema is None or not traits.get("formats", True):
        losses.drop(form.at)
        return
    schema = msgspec.json.decode(form.schema, type=dict[str, Raw])
    for name, text in (("title", form.name), ("description", form.description)):
        # Anthropic knows no name of a format: in the schema, the model sees it all the same.
        if text is not None and name not in schema:
            schema[name] = Raw(json.encode(text))
        elif text is not None:
            losses.drop(form.at, "name" if name == "title" else name)
    if form.strict is False:
        losses.change(f"{form.at}.strict", "false", "true")
    written = {"type": "json_schema", "schema": schema}
    out.setdefault("output_config", {})["format"] = written


def _write_sampling(
    request: ChatRequest, out: dict[str, Any], traits: Mapping[str, Any], losses: Losses
) -> None:
    thinks = out.get("thinking", {}).get("type") in ("enabled", "adaptive")
    out |= take_sampling(request, traits.get("sampling", "none"), losses, thinks=thinks)


def _write_rest(request: ChatRequest, out: dict[str, Any], losses: Losses) -> None:
    names = request.names
    if request.stop:
        out["stop_sequences"] = take_stops(request, losses)
    if request.user is not None:
        out["metadata"] = {"user_id": request.user}
    if request.service_tier is not None:
        tier = _TIERS.get(request.service_tier)
        if tier is None:
            losses.drop(names.get("service_tier", "service_tier"))
        else:
            out["service_tier"] = tier
    if request.cache is not None:
        out["cache_control"] = request.cache
    drop_foreign(request, _FOREIGN, losses)
    for name, raw in request.extra.items():
        known = json.kind(raw) in _KNOWN_EXTRA.get(name, ())
        if known and (name != "thinking" or is_thinking(raw)):
            out[name] = raw
        else:
            losses.drop(name)
    if request.stream:
        out["stream"] = True
