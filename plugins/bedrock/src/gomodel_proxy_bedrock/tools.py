"""Tools and the choice of one.

docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolConfiguration.html (2026-11). There
is no choice of none, and no calls or results in the messages without tools beside them.

Traits: ``tool_choices`` (what the model takes of "auto", "any", "tool"; all by default),
``formats`` (true: tools may be strict), ``parallel_tools`` ("anthropic": how calls side by side
are switched off), and ``cache``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Raw

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.api.chat import ToolCall
from gomodel_proxy.wire.json import encode
from gomodel_proxy.wire.members import place

from .blocks import cache_point
from .proofs import DIALECT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gomodel_proxy.api import Losses
    from gomodel_proxy.api.chat import ChatRequest, Tool
    from gomodel_proxy.wire.turns import Turn

__all__ = ["write_tools"]

_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_ALL: Final = ("auto", "any", "tool")
_MODES: Final = {"auto": "auto", "required": "any", "named": "tool"}
_FREE_TEXT: Final = {
    "type": "object",
    "properties": {"input": {"type": "string"}},
    "required": ["input"],
}


def write_tools(
    request: ChatRequest,
    out: dict[str, Any],
    turns: Sequence[Turn],
    traits: Mapping[str, Any],
    losses: Losses,
) -> None:
    """Write ``toolConfig`` into ``out``, noting what had to change."""
    called = list(dict.fromkeys(_called(turns)))
    choice = request.tool_choice
    forbidden = choice is not None and choice.mode == "none"
    if forbidden and not called:
        for tool in request.tools:
            losses.drop(tool.at)
        tools: list[dict[str, Any] | Raw] = []
    else:
        allowed = choice.names if choice is not None else ()
        tools = list(_tools(request.tools, allowed, called, traits, losses))
    known = {name for tool in request.tools if (name := tool.name)}
    for name in called:
        if name not in known or not tools:
            tools.append(_spec(name, {"json": {"type": "object"}}))
    if tools:
        out["toolConfig"] = {"tools": tools}
        _write_choice(request, out["toolConfig"], traits, losses)
    elif choice is not None and choice.mode not in ("auto", "none"):
        losses.drop(choice.at)
    _write_parallel(request, out, traits, losses)


def _called(turns: Sequence[Turn]) -> Iterator[str]:
    for turn in turns:
        for part in turn.parts:
            if isinstance(part, ToolCall):
                yield part.name


def _tools(
    tools: Sequence[Tool],
    allowed: Sequence[str],
    called: Sequence[str],
    traits: Mapping[str, Any],
    losses: Losses,
) -> Iterator[dict[str, Any] | Raw]:
    for tool in tools:
        if allowed and tool.name not in allowed and tool.name not in called:
            losses.drop(tool.at)  # only those may be called, and there is no other way to say so
            continue
        if tool.kind == "builtin":
            if tool.dialect == DIALECT and tool.raw is not None:
                yield tool.raw
            else:
                losses.drop(tool.at)
            continue
        yield _tool(tool, traits, losses)
        if tool.cache is not None:
            if "tools" in traits.get("cache", ()):
                yield cache_point(tool.cache)
            else:
                losses.drop(tool.at, "cache_control")


def _tool(tool: Tool, traits: Mapping[str, Any], losses: Losses) -> dict[str, Any]:
    if not _NAME.fullmatch(tool.name):
        raise InvalidRequest(
            f"'{tool.at}' has the name '{tool.name}'; this provider takes letters, digits, _ and "
            "-, 64 at the most.",
            code="invalid_value",
            param=tool.at,
        )
    if tool.kind == "custom":
        losses.change(place(tool.at, "type"), "custom", "function")
        if tool.format is not None:
            losses.drop(tool.at, "format")
        spec = _spec(tool.name, {"json": _FREE_TEXT})
    else:
        spec = _spec(tool.name, {"json": _schema(tool)})
    if tool.description:
        spec["toolSpec"]["description"] = tool.description
    if tool.strict is not None and traits.get("formats"):
        spec["toolSpec"]["strict"] = tool.strict
    elif tool.strict:
        losses.drop(tool.at, "strict")
    losses.drop_extra(tool.at, tool.extra)
    return spec


def _spec(name: str, schema: Any) -> dict[str, Any]:
    return {"toolSpec": {"name": name, "inputSchema": schema}}


def _schema(tool: Tool) -> Raw | dict[str, Any]:
    """Return the schema of a tool's input, which must say that it is an object."""
    if tool.schema is None:
        return {"type": "object", "properties": {}}
    try:
        members = msgspec.json.decode(tool.schema, type=dict[str, Raw])
    except msgspec.DecodeError:
        at = place(tool.at, "parameters")
        raise InvalidRequest(
            f"'{at}' is not a JSON Schema object.", code="invalid_type", param=at
        ) from None
    if "type" in members:
        return tool.schema
    return {"type": "object", **members}


def _write_choice(
    request: ChatRequest, config: dict[str, Any], traits: Mapping[str, Any], losses: Losses
) -> None:
    choice = request.tool_choice
    if choice is None:
        return
    losses.drop_extra(choice.at, choice.extra)
    mode = _MODES.get(choice.mode)
    if mode is None:  # none, or another dialect's own
        losses.change(choice.at, choice.mode, "auto")
        return
    if mode == "any" and len(choice.names) == 1:
        mode = "tool"
    if mode == "tool" and not choice.names:
        raise InvalidRequest(f"'{choice.at}' names no tool.", code="invalid_value", param=choice.at)
    taken = traits.get("tool_choices", _ALL)
    wanted = mode
    if mode == "tool" and mode not in taken:
        mode = "any"
    if mode not in taken:
        mode = "auto"
    if mode != wanted:
        losses.change(choice.at, choice.mode, mode)
    if mode in taken:
        config["toolChoice"] = {mode: {"name": choice.names[0]} if mode == "tool" else {}}


def _write_parallel(
    request: ChatRequest, out: dict[str, Any], traits: Mapping[str, Any], losses: Losses
) -> None:
    if request.parallel_tools is not False:
        return  # calls side by side are what models do by themselves
    forced = out.get("toolConfig", {}).get("toolChoice", {}).keys() - {"auto"}
    if traits.get("parallel_tools") != "anthropic" or "toolConfig" not in out or forced:
        losses.drop(request.names.get("parallel_tools", "parallel_tools"))
        return
    alone = {"type": "auto", "disable_parallel_tool_use": True}
    out.setdefault("additionalModelRequestFields", {})["tool_choice"] = Raw(encode(alone))
