"""Requests of ``openai.responses``, to and from the neutral model.

platform.openai.com/docs/api-reference/responses/create (2026-11).

Traits that writing heeds: ``fixed_sampling`` (true: temperature and top_p are refused by the
model), ``system_role`` ("system" or "developer"), ``plain_thoughts`` (true: thoughts without a
proof go back too), ``encrypted_reasoning`` (true: the model can encrypt its thoughts, so they are
asked for), ``min_output_tokens`` (the least that ``max_output_tokens`` may be).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Raw

from gomodel_proxy.api.chat import ChatRequest, Message, ReasoningWish, Text

from . import json
from .effort import effort_of
from .members import Members, place
from .openai_responses_items import read_input
from .openai_responses_tools import (
    read_choice,
    read_format,
    read_tools,
    write_choice,
    write_format,
    write_tools,
)
from .openai_responses_turns import write_input
from .openai_tiers import TIERS
from .tool_order import refuse_orphans

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gomodel_proxy.api import Losses

__all__ = ["INSTRUCTIONS", "read_request", "write_request"]

INSTRUCTIONS: Final = "instructions"
"""The place of the message that ``instructions`` are."""

_PROOFS: Final = "reasoning.encrypted_content"
_LOGPROBS: Final = "message.output_text.logprobs"
_DEFAULTS: Final = {"truncation": Raw(b'"disabled"'), "background": Raw(b"false")}
_PLAIN: Final = ("metadata", "service_tier", "top_logprobs", "user")
_SAMPLING: Final = ("temperature", "top_p")
_UNKNOWN: Final = (
    "frequency_penalty",
    "logit_bias",
    "min_p",
    "presence_penalty",
    "seed",
    "stop",
    "top_k",
)
_STATE: Final = ("conversation", "previous_response_id", "prompt")
_KNOWN_EXTRA: Final = frozenset(
    {
        *_STATE,
        "access_programs",
        "background",
        "background_options",
        "context_management",
        "image",
        "include",
        "max_tool_calls",
        "moderation",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "safety_identifier",
        "truncation",
    }
)
_OWN: Final = {"context_management": "array"}  # Anthropic's of that name is an object
_KNOWN_IN_REASONING: Final = frozenset({"context", "mode"})


# ---------------------------------------------------------------- reading


def read_request(body: bytes) -> ChatRequest:
    """Return a request; raises `InvalidRequest` naming the member at fault."""
    members = Members(body)
    names = {
        "format": "text.format",
        "max_tokens": "max_output_tokens",
        "messages": "input",
        "parallel_tools": "parallel_tool_calls",
        "verbosity": "text.verbosity",
    }
    text = members.members("text") or Members(b"{}", "text")
    request = ChatRequest(
        members.needed("model"),
        [*_read_instructions(members), *read_input(members.raw("input"))],
        tools=read_tools(members),
        tool_choice=read_choice(members),
        parallel_tools=members.boolean("parallel_tool_calls"),
        format=read_format(text),
        verbosity=text.text("verbosity"),
        reasoning=_read_reasoning(members, names),
        max_tokens=members.integer("max_output_tokens"),
        temperature=members.number("temperature"),
        top_p=members.number("top_p"),
        top_logprobs=members.integer("top_logprobs"),
        user=members.text("user"),
        metadata=members.raw("metadata"),
        service_tier=members.text("service_tier"),
        store=members.boolean("store"),
        stream=members.boolean("stream") or False,
        stream_usage=True,
        names=names,
    )
    _read_include(members, request)
    options = members.members("stream_options") or Members(b"{}")
    request.extra = {**text.extra_in("text"), **options.extra_in("stream_options")}
    for name, raw in members.extra.items():
        if _DEFAULTS.get(name) != raw:
            request.extra[name] = raw
    return request


def _read_instructions(members: Members) -> list[Message]:
    text = members.text("instructions")
    if text is None:
        return []
    return [Message("system", [Text(text, at=INSTRUCTIONS)], at=INSTRUCTIONS)]


def _read_reasoning(members: Members, names: dict[str, str]) -> ReasoningWish | None:
    given = members.members("reasoning")
    if given is None:
        return None
    effort = given.text("effort")
    wish = ReasoningWish(
        enabled=None if effort is None else effort != "none",
        effort=effort,
        summary=given.text("summary"),
        at="reasoning",
    )
    if wish.summary is None:
        wish.summary = given.text("generate_summary")
        names["reasoning.summary"] = "reasoning.generate_summary"
    wish.extra = given.extra
    return wish


def _read_include(members: Members, request: ChatRequest) -> None:
    """Take what ``include`` asks for that the model has words for; the rest stays there."""
    wanted = members.texts("include") or []
    if _PROOFS in wanted:
        request.proofs = True
    if _LOGPROBS in wanted:
        request.logprobs = True
        request.names["logprobs"] = "include"
    others = [name for name in wanted if name not in (_PROOFS, _LOGPROBS)]
    if others:
        members.rest["include"] = Raw(msgspec.json.encode(others))


# ---------------------------------------------------------------- writing


def write_request(request: ChatRequest, *, traits: Mapping[str, Any], losses: Losses) -> bytes:
    """Return the body of a request; what cannot be written is noted in ``losses``."""
    if not any(name in request.extra for name in _STATE):
        refuse_orphans(request.messages)
    out: dict[str, Any] = {"model": request.model}
    messages = list(request.messages)
    if messages and messages[0].at == INSTRUCTIONS:
        out["instructions"] = "".join(
            part.text for part in messages.pop(0).parts if isinstance(part, Text)
        )
    out["input"] = write_input(messages, losses, traits)
    _write_tools(request, out, losses)
    _write_text(request, out, losses)
    _write_reasoning(request, out, losses)
    _write_sampling(request, out, traits, losses)
    for name in _PLAIN:
        if getattr(request, name) is not None:
            out[name] = getattr(request, name)
    if request.service_tier is not None and request.service_tier not in TIERS:
        del out["service_tier"]
        losses.drop(request.names.get("service_tier", "service_tier"))
    # Unlike other dialects, this one stores what nobody asked it to.
    out["store"] = bool(request.store)
    if request.stream:
        out["stream"] = True
    _write_extra(request, out, losses)
    _write_include(request, out, traits)
    return msgspec.json.encode(out)


def _write_tools(request: ChatRequest, out: dict[str, Any], losses: Losses) -> None:
    tools = write_tools(request.tools, losses, strict=False)
    if tools:
        out["tools"] = tools
    if request.tool_choice is not None:
        choice = write_choice(request.tool_choice, request.tools, losses)
        if choice is not None:
            out["tool_choice"] = choice
    if request.parallel_tools is not None:
        out["parallel_tool_calls"] = request.parallel_tools


def _write_text(request: ChatRequest, out: dict[str, Any], losses: Losses) -> None:
    text: dict[str, Any] = {}
    form = write_format(request.format, losses) if request.format is not None else None
    if form is not None:
        text["format"] = form
    if request.verbosity is not None:
        text["verbosity"] = request.verbosity
    if text:
        out["text"] = text


def _write_reasoning(request: ChatRequest, out: dict[str, Any], losses: Losses) -> None:
    wish = request.reasoning
    if wish is None:
        return
    given: dict[str, Any] = {}
    effort = effort_of(wish, losses, request.names)
    if effort is not None:
        given["effort"] = effort
    if wish.summary is not None:
        given["summary"] = wish.summary
    if wish.shown is not None:
        losses.drop(request.names.get("reasoning.shown", place(wish.at, "shown")))
    for name, raw in wish.extra.items():
        if name in _KNOWN_IN_REASONING:
            given[name] = raw
        else:
            losses.drop(wish.at, name)
    if given:
        out["reasoning"] = given


def _write_sampling(
    request: ChatRequest, out: dict[str, Any], traits: Mapping[str, Any], losses: Losses
) -> None:
    for name in _SAMPLING:
        value = getattr(request, name)
        if value is not None and traits.get("fixed_sampling"):
            losses.drop(request.names.get(name, name))
        elif value is not None:
            out[name] = value
    for name in _UNKNOWN:
        if getattr(request, name) is not None:
            losses.drop(request.names.get(name, name))
    if request.n is not None and request.n != 1:
        losses.drop(request.names.get("n", "n"))
    if request.modalities not in (None, ["text"]):
        losses.drop(request.names.get("modalities", "modalities"))
    if request.cache is not None:
        losses.drop("cache_control")
    if request.max_tokens is not None:
        least = max(request.max_tokens, traits.get("min_output_tokens", 0))
        if least != request.max_tokens:
            name = request.names.get("max_tokens", "max_tokens")
            losses.change(name, request.max_tokens, least)
        out["max_output_tokens"] = least


def _write_extra(request: ChatRequest, out: dict[str, Any], losses: Losses) -> None:
    for name, raw in request.extra.items():
        if name in _KNOWN_EXTRA and json.kind(raw) == _OWN.get(name, json.kind(raw)):
            out[name] = raw
        elif name == "stream_options.include_obfuscation":
            out["stream_options"] = {"include_obfuscation": raw}
        else:
            losses.drop(name)


def _write_include(request: ChatRequest, out: dict[str, Any], traits: Mapping[str, Any]) -> None:
    given = msgspec.json.decode(out.pop("include", b"[]"))
    wanted = given if isinstance(given, list) else [given]
    if request.proofs or traits.get("encrypted_reasoning"):
        wanted.append(_PROOFS)
    if request.logprobs:
        wanted.append(_LOGPROBS)
    if wanted:
        out["include"] = wanted
