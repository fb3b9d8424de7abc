"""Requests of Converse, written.

docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html (2026-11). What the API
has no member for goes to the model itself, in ``additionalModelRequestFields``, if its family has
a word for it.

Traits: ``system`` (false: the model takes no system prompt), ``sampling`` ("all", "one" of
temperature and top_p, "none"), ``top_k`` (where the family takes it, such as
``inferenceConfig.topK``), ``formats`` (true: answers by a schema), ``stop_field`` (the path of the
model's own member that names the stop sequence it met), ``forced_tools`` (false: a choice that
forces a tool is refused), and those of `blocks`, `media`, `tools` and `thinking`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Raw

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.wire.wishes import drop_foreign, take_sampling, take_stops

from .blocks import BlockWriter, cache_point
from .proofs import DIALECT
from .thinking import thinks, write_thinking
from .tools import write_tools
from .turns import take_turns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gomodel_proxy.api import Losses
    from gomodel_proxy.api.chat import ChatRequest, Format
    from gomodel_proxy.wire.turns import Turn

__all__ = ["write_request"]

_FIELDS: Final = "additionalModelRequestFields"
_TIERS: Final = {
    "default": "default",
    "standard_only": "default",
    "flex": "flex",
    "priority": "priority",
    "reserved": "reserved",
}
_FOREIGN: Final[dict[str, Any]] = {
    # what Converse has no word for, and the value that asks nothing
    "n": 1,
    "seed": None,
    "frequency_penalty": 0,
    "presence_penalty": 0,
    "logprobs": False,
    "top_logprobs": None,
    "logit_bias": None,
    "min_p": None,
    "store": False,
    "user": None,
    "verbosity": None,
    "modalities": ["text"],
}
_KNOWN_EXTRA: Final = frozenset(
    {
        "additionalModelResponseFieldPaths",
        "guardrailConfig",
        "performanceConfig",
        "requestMetadata",
    }
)
"""Converse's own members, which callers of other dialects may send along."""
_METADATA: Final = re.compile(r"[a-zA-Z0-9\s:_@$#=/+,.-]{0,256}")
_MOST_METADATA: Final = 16


def write_request(request: ChatRequest, *, traits: Mapping[str, Any], losses: Losses) -> bytes:
    """Return the body of a request; what cannot be written is noted in ``losses``."""
    prompt, turns = take_turns(request.messages, losses, system=traits.get("system", True))
    writer = BlockWriter(traits, losses)
    messages = _write_messages(turns, writer)
    out: dict[str, Any] = {"messages": messages}
    if system := writer.system(prompt):
        out["system"] = system
    if request.cache is not None:
        _write_cache(request.cache, messages, traits, losses)
    if traits.get("forced_tools") is False:
        traits = {**traits, "tool_choices": ("auto",)}
    write_tools(request, out, turns, traits, losses)
    write_thinking(request, out, turns, traits, losses)
    if request.format is not None:
        _write_format(request.format, out, traits, losses)
    _write_inference(request, out, traits, losses)
    _write_rest(request, out, losses)
    return msgspec.json.encode(out)


def _write_messages(turns: Sequence[Turn], writer: BlockWriter) -> list[dict[str, Any]]:
    """Return the messages; where nothing of a turn can be said, those around it become one."""
    messages: list[dict[str, Any]] = []
    for turn in turns:
        blocks = writer.turn(turn)
        if messages and messages[-1]["role"] == turn.role:
            messages[-1]["content"] += blocks
        elif blocks:
            messages.append({"role": turn.role, "content": blocks})
    if not messages:
        raise InvalidRequest("'messages' says nothing.", code="empty_array", param="messages")
    return messages


def _write_cache(
    mark: Raw, messages: list[dict[str, Any]], traits: Mapping[str, Any], losses: Losses
) -> None:
    """Write the mark of a whole request: everything up to its end is to be cached."""
    if "messages" in traits.get("cache", ()):
        messages[-1]["content"].append(cache_point(mark))
    else:
        losses.drop("cache_control")


def _write_format(
    form: Format, out: dict[str, Any], traits: Mapping[str, Any], losses: Losses
) -> None:
    losses.drop_extra(form.at, form.extra)
    if form.kind == "text":
        return
    if form.kind == "raw" and form.dialect == DIALECT:
        out.setdefault("outputConfig", {})["textFormat"] = form.raw
        return
    if form.kind != "json_schema" or form.schema is None or not traits.get("formats"):
        losses.drop(form.at)
        return
    schema: dict[str, Any] = {"schema": bytes(form.schema).decode()}
    if form.name is not None:
        schema["name"] = form.name
    if form.description is not None:
        schema["description"] = form.description
    if form.strict is False:
        losses.change(f"{form.at}.strict", "false", "true")
    out.setdefault("outputConfig", {})["textFormat"] = {
        "type": "json_schema",
        "structure": {"jsonSchema": schema},
    }


def _write_inference(
    request: ChatRequest, out: dict[str, Any], traits: Mapping[str, Any], losses: Losses
) -> None:
    names = request.names
    config: dict[str, Any] = {}
    if request.max_tokens is not None:
        config["maxTokens"] = request.max_tokens
    allowed = take_sampling(request, traits.get("sampling", "all"), losses, thinks=thinks(out))
    for name, member in (("temperature", "temperature"), ("top_p", "topP")):
        if name in allowed:
            config[member] = allowed[name]
    if "top_k" in allowed and "top_k" in traits:
        _write_deep(out.setdefault(_FIELDS, {}), traits["top_k"], allowed["top_k"])
    elif "top_k" in allowed:
        losses.drop(names.get("top_k", "top_k"))
    stops = take_stops(request, losses)
    if stops:
        config["stopSequences"] = stops
        if "stop_field" in traits:
            out["additionalModelResponseFieldPaths"] = [traits["stop_field"]]
    if config:
        out["inferenceConfig"] = config


def _write_deep(members: dict[str, Any], path: str, value: Any) -> None:
    *outer, last = path.split(".")
    for name in outer:
        members = members.setdefault(name, {})
    members[last] = value


def _write_rest(request: ChatRequest, out: dict[str, Any], losses: Losses) -> None:
    names = request.names
    tier = request.service_tier
    if tier in _TIERS:
        out["serviceTier"] = {"type": _TIERS[tier]}
    elif tier not in (None, "auto"):
        losses.drop(names.get("service_tier", "service_tier"))
    if request.metadata is not None:
        _write_metadata(request.metadata, out, names.get("metadata", "metadata"), losses)
    drop_foreign(request, _FOREIGN, losses)
    for name, raw in request.extra.items():
        if name == _FIELDS:
            _merge(out, raw, losses)
        elif name in _KNOWN_EXTRA:
            out[name] = raw
        else:
            losses.drop(name)


def _write_metadata(raw: Raw, out: dict[str, Any], at: str, losses: Losses) -> None:
    """Write the caller's metadata, which AWS keeps in its invocation logs, as far as it may be."""
    try:
        given = msgspec.json.decode(raw, type=dict[str, Any])
    except msgspec.DecodeError:
        losses.drop(at)
        return
    kept: dict[str, str] = {}
    for name, value in given.items():
        fits = isinstance(value, str) and _METADATA.fullmatch(value) and _METADATA.fullmatch(name)
        if name and fits and len(kept) < _MOST_METADATA:
            kept[name] = value
        else:
            losses.drop(at, name)
    if kept:
        out["requestMetadata"] = kept


def _merge(out: dict[str, Any], raw: Raw, losses: Losses) -> None:
    """Add the caller's own words for the model; they go before ours."""
    try:
        given = msgspec.json.decode(raw, type=dict[str, Raw])
    except msgspec.DecodeError:
        losses.drop(_FIELDS)
        return
    out[_FIELDS] = {**out.get(_FIELDS, {}), **given}
