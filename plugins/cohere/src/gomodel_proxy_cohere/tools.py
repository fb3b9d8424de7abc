"""Tools and the choice of one: docs.cohere.com/docs/tool-use-overview (2026-11).

Traits: ``tool_choice`` (false: the model cannot be told to call), ``strict_tools`` (false: calls
cannot be held to their schemas).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec import Raw

from gomodel_proxy.wire import json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gomodel_proxy.api import Losses
    from gomodel_proxy.api.chat import ChatRequest, Tool, ToolChoice

__all__ = ["write_tools"]

_WORDS: Final = {"auto": "", "none": "NONE"}
_NO_ARGUMENTS: Final = Raw(b'{"type":"object","properties":{}}')
_ANY_TEXT: Final = Raw(
    b'{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}'
)
"""What a custom tool takes, text of any form, as the object that functions take."""


def write_tools(
    request: ChatRequest, out: dict[str, Any], traits: Mapping[str, Any], losses: Losses
) -> None:
    """Write the tools, whether they are strict, and which must be called."""
    functions = [tool for tool in request.tools if tool.kind != "builtin"]
    for tool in request.tools:
        if tool.kind == "builtin":
            losses.drop(tool.at)
    if functions:
        out["tools"] = [_write_tool(tool, losses) for tool in functions]
        _write_strict(functions, out, traits, losses)
    if request.parallel_tools is False:
        losses.drop(request.names.get("parallel_tools", "parallel_tools"))
    if request.tool_choice is not None:
        _write_choice(request.tool_choice, functions, out, traits, losses)


def _write_tool(tool: Tool, losses: Losses) -> dict[str, Any]:
    function: dict[str, Any] = {"name": tool.name}
    if tool.description is not None:
        function["description"] = tool.description
    if tool.kind == "custom":
        losses.change(f"{tool.at}.type", "custom", "function")
        if tool.format is not None:
            losses.drop(tool.at, "format")
        function["parameters"] = _ANY_TEXT
    else:
        known = tool.schema is not None and json.kind(tool.schema) == "object"
        function["parameters"] = tool.schema if known else _NO_ARGUMENTS
    if tool.cache is not None:
        losses.drop(tool.at, "cache_control")
    losses.drop_extra(tool.at, tool.extra)
    return {"type": "function", "function": function}


def _write_strict(
    functions: list[Tool], out: dict[str, Any], traits: Mapping[str, Any], losses: Losses
) -> None:
    """Write ``strict_tools``: all tools are strict, or none is."""
    strict = [tool for tool in functions if tool.strict]
    if len(strict) == len(functions) and traits.get("strict_tools", True):
        out["strict_tools"] = True
        return
    for tool in strict:
        losses.drop(tool.at, "strict")


def _write_choice(
    choice: ToolChoice,
    functions: list[Tool],
    out: dict[str, Any],
    traits: Mapping[str, Any],
    losses: Losses,
) -> None:
    losses.drop_extra(choice.at, choice.extra)
    if choice.mode == "raw":
        losses.drop(choice.at)
        return
    word = _WORDS.get(choice.mode, "REQUIRED")
    if word and not (functions and traits.get("tool_choice", True)):
        if functions or word == "REQUIRED":
            losses.drop(choice.at)
        return
    if word:
        out["tool_choice"] = word
    if choice.names and {tool.name for tool in functions} - set(choice.names):
        # Cohere has no word for a choice among the tools; all of them stay on offer
        losses.change(choice.at, ",".join(choice.names), word or "auto")
