"""Requests of ``openai.chat``, to and from the neutral model.

platform.openai.com/docs/api-reference/chat/create (2026-11).

Traits that writing heeds: ``max_tokens_member`` ("max_tokens" or "max_completion_tokens"),
``fixed_sampling`` (true: temperature, top_p and penalties are refused by the model),
``system_role`` ("system" or "developer"), ``thoughts_member`` (where an assistant's thoughts go
back, such as "reasoning_content"), ``reasoning_object`` (true: ``reasoning: {effort, max_tokens}``
instead of ``reasoning_effort``), ``tool_media`` (true: tool results may hold images and files).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Raw

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.api.chat import ChatRequest, Format, ReasoningWish, Tool, ToolChoice

from .effort import effort_of
from .members import Members, place
from .openai_chat_content import DIALECT, read_message
from .openai_chat_turns import write_message
from .tool_order import refuse_orphans

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gomodel_proxy.api import Losses
    from gomodel_proxy.api.chat import Extra

__all__ = ["read_request", "write_request"]

_SAMPLING: Final = ("temperature", "top_p", "frequency_penalty", "presence_penalty")
_PLAIN: Final = (
    "temperature",
    "top_p",
    "frequency_penalty",
    "presence_penalty",
    "seed",
    "n",
    "logprobs",
    "top_logprobs",
    "logit_bias",
    "user",
    "metadata",
    "service_tier",
    "store",
    "verbosity",
    "modalities",
)
_BEYOND: Final = ("top_k", "min_p")  # taken by many servers of this dialect, not by all
_KNOWN_EXTRA: Final = frozenset(
    {
        "audio",
        "function_call",
        "functions",
        "moderation",
        "prediction",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "safety_identifier",
        "web_search_options",
    }
)


# ---------------------------------------------------------------- reading


def read_request(body: bytes) -> ChatRequest:
    """Return a request; raises `InvalidRequest` naming the member at fault."""
    members = Members(body)
    names = {"format": "response_format", "parallel_tools": "parallel_tool_calls"}
    request = ChatRequest(
        members.needed("model"),
        [read_message(message) for message in members.objects("messages")],
        tools=[_read_tool(tool) for tool in members.objects("tools")],
        tool_choice=_read_choice(members),
        parallel_tools=members.boolean("parallel_tool_calls"),
        format=_read_format(members),
        reasoning=_read_reasoning(members, names),
        max_tokens=_read_limit(members, names),
        temperature=members.number("temperature"),
        top_p=members.number("top_p"),
        top_k=members.integer("top_k"),
        min_p=members.number("min_p"),
        stop=members.texts("stop"),
        seed=members.integer("seed"),
        n=members.integer("n"),
        frequency_penalty=members.number("frequency_penalty"),
        presence_penalty=members.number("presence_penalty"),
        logprobs=members.boolean("logprobs"),
        top_logprobs=members.integer("top_logprobs"),
        logit_bias=members.raw("logit_bias"),
        user=members.text("user"),
        metadata=members.raw("metadata"),
        service_tier=members.text("service_tier"),
        store=members.boolean("store"),
        verbosity=members.text("verbosity"),
        modalities=members.texts("modalities"),
        cache=members.raw("cache_control"),
        stream=members.boolean("stream") or False,
        names=names,
    )
    options = members.members("stream_options")
    if options is not None:
        request.stream_usage = options.boolean("include_usage")
        request.extra = options.extra_in("stream_options")
    request.extra.update(members.extra)
    return request


def _read_limit(members: Members, names: dict[str, str]) -> int | None:
    for name in ("max_completion_tokens", "max_tokens"):
        limit = members.integer(name)
        if limit is not None:
            names["max_tokens"] = name
            return limit
    return None


def _read_reasoning(members: Members, names: dict[str, str]) -> ReasoningWish | None:
    effort = members.text("reasoning_effort")
    if effort is not None:
        names["reasoning.effort"] = "reasoning_effort"
        return ReasoningWish(effort=effort, enabled=effort != "none", at="reasoning_effort")
    wish = members.members("reasoning")
    if wish is None:
        return None
    excluded = wish.boolean("exclude")
    names.update(
        {"reasoning.shown": "reasoning.exclude", "reasoning.budget": "reasoning.max_tokens"}
    )
    return ReasoningWish(
        enabled=wish.boolean("enabled"),
        effort=wish.text("effort"),
        budget=wish.integer("max_tokens"),
        summary=wish.text("summary"),
        shown=None if excluded is None else not excluded,
        at="reasoning",
        extra=wish.extra,
    )


def _read_format(members: Members) -> Format | None:
    form = members.members("response_format")
    if form is None:
        return None
    kind = form.needed("type")
    if kind in ("text", "json_object"):
        return Format(kind, at=form.at, extra=form.extra)  # type: ignore[arg-type]
    if kind != "json_schema":
        raise InvalidRequest(
            f"'{form.at}' has the unknown type '{kind}'.", code="invalid_value", param=form.at
        )
    inner = form.members("json_schema") or Members(b"{}", form.place("json_schema"))
    return Format(
        "json_schema",
        name=inner.text("name"),
        schema=inner.raw("schema"),
        strict=inner.boolean("strict"),
        description=inner.text("description"),
        at=form.at,
        extra={**form.extra, **inner.extra_in("json_schema")},
    )


def _read_tool(tool: Members) -> Tool:
    kind = tool.text("type") or ("function" if "function" in tool.rest else "unnamed")
    if kind not in ("function", "custom"):
        raw = Raw(msgspec.json.encode({"type": kind, **tool.rest}))
        return Tool(kind, "builtin", raw=raw, dialect=DIALECT, at=tool.at)
    inner = tool.members(kind)
    if inner is None:
        at = tool.place(kind)
        raise InvalidRequest(f"'{at}' is missing.", code="missing_parameter", param=at)
    return Tool(
        inner.needed("name"),
        kind,  # type: ignore[arg-type]
        description=inner.text("description"),
        schema=inner.raw("parameters"),
        strict=inner.boolean("strict"),
        format=inner.raw("format"),
        cache=tool.raw("cache_control"),
        at=tool.at,
        extra={**tool.extra, **inner.extra_in(kind)},
    )


def _read_choice(members: Members) -> ToolChoice | None:
    raw = members.raw("tool_choice")
    if raw is None:
        return None
    if memoryview(raw)[0] == ord('"'):
        mode = msgspec.json.decode(raw, type=str)
        if mode not in ("auto", "none", "required"):
            raise InvalidRequest(
                f"'tool_choice' is '{mode}'; it takes auto, none, required, or a tool.",
                code="invalid_value",
                param="tool_choice",
            )
        return ToolChoice(mode, at="tool_choice")  # type: ignore[arg-type]
    choice = Members(raw, "tool_choice")
    kind = choice.needed("type")
    inner = choice.members(kind)
    if kind in ("function", "custom") and inner is not None:
        named = ToolChoice("named", [inner.needed("name")], at="tool_choice")
        named.extra = {**choice.extra, **inner.extra_in(kind)}
        return named
    if kind == "allowed_tools" and inner is not None:
        mode, names, extra = inner.text("mode") or "auto", *_allowed(inner)
        extra |= {**choice.extra, **inner.extra_in(kind)}
        return ToolChoice(mode, names, at="tool_choice", extra=extra)  # type: ignore[arg-type]
    return ToolChoice("raw", raw=raw, dialect=DIALECT, at="tool_choice")


def _allowed(inner: Members) -> tuple[list[str], Extra]:
    names, extra = [], {}
    for number, tool in enumerate(inner.objects("tools")):
        kind = tool.text("type") or "function"
        named = tool.members(kind)
        names.append(named.needed("name") if named else tool.needed("name"))
        at = f"allowed_tools.tools[{number}]"
        extra.update(tool.extra_in(at))
        extra.update(named.extra_in(f"{at}.{kind}") if named else {})
    return names, extra


# ---------------------------------------------------------------- writing


def write_request(request: ChatRequest, *, traits: Mapping[str, Any], losses: Losses) -> bytes:
    """Return the body of a request; what cannot be written is noted in ``losses``."""
    refuse_orphans(request.messages)
    out: dict[str, Any] = {"model": request.model}
    out["messages"] = _write_messages(request, traits, losses)
    tools = [_write_tool(tool, losses) for tool in request.tools]
    if any(tool is not None for tool in tools):
        out["tools"] = [tool for tool in tools if tool is not None]
    _write_choice(request, out, losses)
    _write_format(request, out, losses)
    _write_reasoning(request, out, traits, losses)
    for name in _PLAIN:
        value = getattr(request, name)
        if value is None:
            continue
        if traits.get("fixed_sampling") and name in _SAMPLING:
            losses.drop(request.names.get(name, name))
        else:
            out[name] = value
    for name in _BEYOND:
        value = getattr(request, name)
        if value is not None:
            out[name] = value
    if request.max_tokens is not None:
        out[traits.get("max_tokens_member", "max_tokens")] = request.max_tokens
    if request.stop:
        out["stop"] = request.stop
    if request.cache is not None:
        losses.drop("cache_control")
    if request.stream:
        out["stream"] = True
        if request.stream_usage:
            out["stream_options"] = {"include_usage": True}
    for name, raw in request.extra.items():
        if name in _KNOWN_EXTRA:
            out[name] = raw
        elif name == "stream_options.include_obfuscation" and request.stream:
            out.setdefault("stream_options", {})["include_obfuscation"] = raw
        else:
            losses.drop(name)
    return msgspec.json.encode(out)


def _write_messages(request: ChatRequest, traits: Mapping[str, Any], losses: Losses) -> list[Any]:
    """Return the messages; media that tools returned follow as the user's, as the vendor has it."""
    messages: list[Any] = []
    shown: list[Any] = []
    for message in request.messages:
        written = write_message(
            message,
            losses,
            thoughts=traits.get("thoughts_member"),
            shown=None if traits.get("tool_media") else shown,
        )
        for one in written:
            if shown and one["role"] != "tool":
                messages.append({"role": "user", "content": shown})
                shown = []
            messages.append(one)
    if shown:
        messages.append({"role": "user", "content": shown})
    _name_system(messages, traits.get("system_role"))
    return messages


def _name_system(messages: list[Any], role: str | None) -> None:
    for message in messages:
        if role is not None and message["role"] in ("system", "developer"):
            message["role"] = role


def _write_tool(tool: Tool, losses: Losses) -> Any:
    if tool.kind == "builtin":
        if tool.dialect == DIALECT:
            return tool.raw
        losses.drop(tool.at)
        return None
    inner: dict[str, Any] = {"name": tool.name}
    if tool.description is not None:
        inner["description"] = tool.description
    if tool.kind == "custom":
        if tool.format is not None:
            inner["format"] = tool.format
    elif tool.schema is not None:
        inner["parameters"] = tool.schema
    if tool.strict is not None:
        inner["strict"] = tool.strict
    if tool.cache is not None:
        losses.drop(tool.at, "cache_control")
    losses.drop_extra(tool.at, tool.extra)
    return {"type": tool.kind, tool.kind: inner}


def _write_choice(request: ChatRequest, out: dict[str, Any], losses: Losses) -> None:
    if request.parallel_tools is not None and out.get("tools"):
        out["parallel_tool_calls"] = request.parallel_tools
    elif request.parallel_tools is not None:
        losses.drop(request.names.get("parallel_tools", "parallel_tool_calls"))
    choice = request.tool_choice
    if choice is None:
        return
    losses.drop_extra(choice.at, choice.extra)
    if not out.get("tools"):
        losses.drop(choice.at)  # the vendor refuses a choice among no tools
    elif choice.mode == "raw":
        if choice.dialect == DIALECT:
            out["tool_choice"] = choice.raw
        else:
            losses.drop(choice.at)
    elif choice.mode == "named":
        kinds = {tool.name: tool.kind for tool in request.tools}
        kind = kinds.get(choice.names[0], "function")
        out["tool_choice"] = {"type": kind, kind: {"name": choice.names[0]}}
    elif choice.names:
        kinds = {tool.name: tool.kind for tool in request.tools}
        named = [(kinds.get(name, "function"), name) for name in choice.names]
        tools = [{"type": kind, kind: {"name": name}} for kind, name in named]
        allowed = {"mode": choice.mode, "tools": tools}
        out["tool_choice"] = {"type": "allowed_tools", "allowed_tools": allowed}
    else:
        out["tool_choice"] = choice.mode


def _write_format(request: ChatRequest, out: dict[str, Any], losses: Losses) -> None:
    form = request.format
    if form is None:
        return
    losses.drop_extra(form.at, form.extra)
    if form.kind == "raw":
        losses.drop(form.at)
    elif form.kind == "json_schema":
        inner: dict[str, Any] = {"name": form.name or "answer", "schema": form.schema}
        if form.strict is not None:
            inner["strict"] = form.strict
        if form.description is not None:
            inner["description"] = form.description
        out["response_format"] = {"type": "json_schema", "json_schema": inner}
    else:
        out["response_format"] = {"type": form.kind}


def _write_reasoning(
    request: ChatRequest, out: dict[str, Any], traits: Mapping[str, Any], losses: Losses
) -> None:
    wish = request.reasoning
    if wish is None:
        return
    losses.drop_extra(wish.at, wish.extra)
    if traits.get("reasoning_object"):
        given: dict[str, Any] = {"effort": wish.effort, "max_tokens": wish.budget}
        given |= {"enabled": wish.enabled, "summary": wish.summary}
        given["exclude"] = None if wish.shown is None else not wish.shown
        out["reasoning"] = {name: value for name, value in given.items() if value is not None}
        return
    effort = effort_of(wish, losses, request.names)
    if effort is not None:
        out["reasoning_effort"] = effort
    for name in ("summary", "shown"):
        if getattr(wish, name) is not None:
            losses.drop(request.names.get(f"reasoning.{name}", place(wish.at, name)))
