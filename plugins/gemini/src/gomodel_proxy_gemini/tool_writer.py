"""Tools and the choice among them, written: ai.google.dev/api/caching#Tool (2026-11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from .words import DIALECT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gomodel_proxy.api import Losses
    from gomodel_proxy.api.chat import ChatRequest, Tool, ToolChoice

__all__ = ["write_choice", "write_tools"]

_DECLARATION_EXTRA: Final = frozenset({"behavior", "response", "responseJsonSchema"})
_CHOICE_EXTRA: Final = frozenset({"mode", "streamFunctionCallArguments"})


def write_tools(request: ChatRequest, losses: Losses) -> list[Any]:
    """Return the tools: functions in one declaration, and the vendor's own beside it."""
    declared: list[dict[str, Any]] = []
    others: list[Any] = []
    for tool in request.tools:
        if tool.cache is not None:
            losses.drop(tool.at, "cache_control")
        if tool.kind == "function":
            declared.append(_declaration(tool, losses))
        elif tool.kind == "builtin" and tool.dialect == DIALECT:
            others.append(tool.raw)
        else:
            losses.drop(tool.at)
    return [{"functionDeclarations": declared}, *others] if declared else others


def _declaration(tool: Tool, losses: Losses) -> dict[str, Any]:
    out: dict[str, Any] = {"name": tool.name}
    if tool.description is not None:
        out["description"] = tool.description
    if tool.schema is not None:
        out["parametersJsonSchema"] = tool.schema
    for name, value in tool.extra.items():
        if name in _DECLARATION_EXTRA:
            out[name] = value
        else:
            losses.drop(tool.at, name)
    return out


def write_choice(
    request: ChatRequest, traits: Mapping[str, Any], losses: Losses
) -> dict[str, Any] | None:
    """Return ``functionCallingConfig``; strict tools hold the model to their schemas."""
    if request.parallel_tools is not None:
        losses.drop(request.names.get("parallel_tools", "parallel_tool_calls"))
    functions = [tool for tool in request.tools if tool.kind == "function"]
    strict = [tool for tool in functions if tool.strict]
    holds = bool(strict) and traits.get("validated", True)
    if not holds:
        for tool in strict:
            losses.drop(tool.at, "strict")
    choice = request.tool_choice
    if choice is None:
        return {"mode": "VALIDATED"} if holds and len(functions) == len(request.tools) else None
    if not functions:
        losses.drop(choice.at)
        return None
    return _written(choice, holds, losses)


def _written(choice: ToolChoice, holds: bool, losses: Losses) -> dict[str, Any] | None:
    for name in choice.extra:
        if name not in _CHOICE_EXTRA:
            losses.drop(choice.at, name)
    if choice.mode == "raw":
        if choice.dialect == DIALECT and choice.raw is not None:
            return msgspec.json.decode(choice.raw, type=dict[str, Any])
        losses.drop(choice.at)
        return None
    if choice.mode == "none":
        return {"mode": "NONE"}
    if choice.mode in ("required", "named"):
        mode = "ANY"
    else:
        mode = "VALIDATED" if holds or choice.names or "mode" in choice.extra else "AUTO"
    return {"mode": mode, "allowedFunctionNames": choice.names} if choice.names else {"mode": mode}
