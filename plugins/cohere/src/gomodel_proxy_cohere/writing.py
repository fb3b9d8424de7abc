"""Requests of Cohere's chat, written: docs.cohere.com/reference/chat (2026-11).

Traits: ``format_with_tools`` (true: an answer in JSON may be asked for beside tools), and those of
`thinking` and `tools`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Raw

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.wire import json
from gomodel_proxy.wire.wishes import drop_foreign

from .messages import MessageWriter
from .thinking import is_thinking, write_thinking
from .tools import write_tools

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gomodel_proxy.api import Losses
    from gomodel_proxy.api.chat import ChatRequest, Format

__all__ = ["write_request"]

_RANGES: Final[dict[str, tuple[str, float, float]]] = {
    "temperature": ("temperature", 0.0, float("inf")),
    "top_p": ("p", 0.01, 0.99),
    "top_k": ("k", 0, 500),
    "frequency_penalty": ("frequency_penalty", 0.0, 1.0),
    "presence_penalty": ("presence_penalty", 0.0, 1.0),
}
_MOST_STOPS: Final = 5
_FOREIGN: Final[dict[str, Any]] = {  # no word for these; the value is the one that asks nothing
    "n": 1,
    "top_logprobs": 0,
    "logit_bias": None,
    "min_p": 0,
    "user": None,
    "metadata": None,
    "service_tier": "auto",
    "store": False,
    "verbosity": None,
    "modalities": ["text"],
    "cache": None,
}
_KNOWN_EXTRA: Final = frozenset(
    {"citation_options", "documents", "k", "p", "priority", "safety_mode", "thinking"}
)
"""Cohere's own members, which callers of other dialects may send along."""


def write_request(request: ChatRequest, *, traits: Mapping[str, Any], losses: Losses) -> bytes:
    """Return the body of a request; what cannot be written is noted in ``losses``."""
    if not request.messages:
        raise InvalidRequest("'messages' is empty.", code="empty_array", param="messages")
    out: dict[str, Any] = {"model": request.model, "messages": [], "stream": request.stream}
    write_tools(request, out, traits, losses)
    form = _write_format(request, out, traits, losses)
    writer = MessageWriter(
        losses,
        thinking=bool(traits.get("thinking")),
        # documents cannot stand beside tools, nor beside a form of the answer
        citable=not form and "tools" not in out,
    )
    out["messages"] = writer.write(request.messages)
    write_thinking(request, out, traits, losses)
    _write_sampling(request, out, losses)
    _write_extra(request, out, losses)
    if writer.documents:
        given = out.get("documents", Raw(b"[]"))
        out["documents"] = [*msgspec.json.decode(given, type=list[Raw]), *writer.documents]
    return msgspec.json.encode(out)


def _write_format(
    request: ChatRequest, out: dict[str, Any], traits: Mapping[str, Any], losses: Losses
) -> bool:
    """Write ``response_format``; return whether it asks for JSON."""
    form = request.format
    if form is None:
        return False
    losses.drop_extra(form.at, form.extra)
    if form.kind == "text":
        out["response_format"] = {"type": "text"}
        return False
    beside = "tools" in out and not traits.get("format_with_tools")
    if form.kind == "raw" or beside:
        losses.drop(form.at)
        return False
    written: dict[str, Any] = {"type": "json_object"}
    if form.schema is not None:
        written["json_schema"] = _named(form, form.schema, losses)
        if form.strict is False:
            losses.change(f"{form.at}.strict", "false", "true")
    out["response_format"] = written
    return True


def _named(form: Format, raw: Raw, losses: Losses) -> dict[str, Any]:
    """Return the schema with the format's name and description in it: there is no other place."""
    schema: dict[str, Any] = msgspec.json.decode(raw, type=dict[str, Raw])
    for member, text in (("title", form.name), ("description", form.description)):
        if text is None:
            continue
        if member in schema:
            losses.drop(form.at, "name" if member == "title" else member)
        else:
            schema[member] = text
    return schema


def _write_sampling(request: ChatRequest, out: dict[str, Any], losses: Losses) -> None:
    names = request.names
    for name, (member, least, most) in _RANGES.items():
        value = getattr(request, name)
        if value is None:
            continue
        fitting = min(max(value, least), most)
        if fitting != value:
            losses.change(names.get(name, name), value, fitting)
        out[member] = fitting
    if request.max_tokens is not None:
        out["max_tokens"] = request.max_tokens
    if request.seed is not None:
        if request.seed >= 0:
            out["seed"] = request.seed
        else:
            losses.drop(names.get("seed", "seed"))
    if request.logprobs is not None:
        out["logprobs"] = request.logprobs
    if request.stop:
        out["stop_sequences"] = request.stop[:_MOST_STOPS]
        for number in range(_MOST_STOPS, len(request.stop)):
            losses.drop(f"{names.get('stop', 'stop')}[{number}]")


def _write_extra(request: ChatRequest, out: dict[str, Any], losses: Losses) -> None:
    drop_foreign(request, _FOREIGN, losses)
    for name, raw in request.extra.items():
        known = name in _KNOWN_EXTRA and name not in out
        if name == "thinking":
            known = known and is_thinking(raw)
        if name == "documents":
            known = known and json.kind(raw) == "array"
        if known:
            out[name] = raw
        else:
            losses.drop(name)
