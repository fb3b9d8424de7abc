"""Tools and the choice of one: platform.claude.com/docs/en/agents-and-tools/tool-use (2026-11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Raw

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.api.chat import Tool, ToolChoice
from gomodel_proxy.wire import json
from gomodel_proxy.wire.members import Members

from .names import DIALECT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gomodel_proxy.api import Losses
    from gomodel_proxy.api.chat import ChatRequest

__all__ = ["read_choice", "read_tool", "write_choice", "write_tools"]

_KNOWN_EXTRA: Final = frozenset(
    {"allowed_callers", "defer_loading", "eager_input_streaming", "input_examples"}
)
_ANY_TEXT: Final = Raw(
    b'{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}'
)
"""What a custom tool takes, text of any form, as the object that Anthropic's tools take."""


# ---------------------------------------------------------------- reading


def read_tool(raw: Raw, at: str) -> Tool:
    """Return a tool: the caller's own, or one of Anthropic's, opaque."""
    tool = Members(raw, at)
    kind = tool.text("type")
    if kind not in (None, "custom"):
        name = tool.text("name") or kind or ""
        return Tool(name, "builtin", raw=raw, dialect=DIALECT, at=at)
    schema = tool.raw("input_schema")
    if schema is None:
        place = tool.place("input_schema")
        raise InvalidRequest(f"'{place}' is missing.", code="missing_parameter", param=place)
    return Tool(
        tool.needed("name"),
        description=tool.text("description"),
        schema=schema,
        strict=tool.boolean("strict"),
        cache=tool.raw("cache_control"),
        at=at,
        extra=tool.rest,
    )


def read_choice(choice: Members | None) -> tuple[ToolChoice | None, bool | None]:
    """Return which tool must be called, and whether several may be at once."""
    if choice is None:
        return None, None
    kind = choice.needed("type")
    single = choice.boolean("disable_parallel_tool_use")
    parallel = None if single is None else not single
    if kind == "tool":
        names = [choice.needed("name")]
        return ToolChoice("named", names, at=choice.at, extra=choice.rest), parallel
    mode = _MODES.get(kind)
    if mode is None:
        at = choice.place("type")
        raise InvalidRequest(
            f"'{at}' is '{kind}'; it takes tool, {', '.join(_MODES)}.",
            code="invalid_value",
            param=at,
        )
    return ToolChoice(mode, at=choice.at, extra=choice.rest), parallel


_MODES: Final[dict[str, Any]] = {"auto": "auto", "any": "required", "none": "none"}
_KINDS: Final = {mode: kind for kind, mode in _MODES.items()}


# ---------------------------------------------------------------- writing


def write_tools(request: ChatRequest, losses: Losses) -> list[Any]:
    """Return the tools; another vendor's built-in ones are noted and left out."""
    written = [_write_tool(tool, losses) for tool in request.tools]
    return [tool for tool in written if tool is not None]


def _write_tool(tool: Tool, losses: Losses) -> Any:
    if tool.kind == "builtin":
        if tool.dialect == DIALECT:
            return tool.raw
        losses.drop(tool.at)
        return None
    out: dict[str, Any] = {"name": tool.name}
    if tool.description is not None:
        out["description"] = tool.description
    if tool.kind == "custom":
        losses.change(f"{tool.at}.type", "custom", "function")
        if tool.format is not None:
            losses.drop(tool.at, "format")
        out["input_schema"] = _ANY_TEXT
    else:
        out["input_schema"] = _object_schema(tool.schema)
    if tool.strict is not None:
        out["strict"] = tool.strict
    if tool.cache is not None:
        out["cache_control"] = tool.cache
    for name, raw in tool.extra.items():
        if name in _KNOWN_EXTRA:
            out[name] = raw
        else:
            losses.drop(tool.at, name)
    return out


def _object_schema(schema: Raw | None) -> Any:
    """Return the schema of an object, which Anthropic wants said."""
    if schema is None or json.kind(schema) != "object":
        return {"type": "object", "properties": {}}
    if "type" in msgspec.json.decode(schema, type=dict[str, Raw]):
        return schema
    return Raw(json.insert_member(bytes(schema), "type", b'"object"'))


def write_choice(
    request: ChatRequest, out: dict[str, Any], traits: Mapping[str, Any], losses: Losses
) -> None:
    """Write ``tool_choice``; it has no place in a request without tools."""
    choice, parallel = request.tool_choice, request.parallel_tools
    if choice is not None:
        losses.drop_extra(choice.at, choice.extra)
    if not out.get("tools"):
        if choice is not None and choice.mode not in ("auto", "none"):
            losses.drop(choice.at)
        if parallel is not None:
            losses.drop(request.names.get("parallel_tools", "parallel_tools"))
        return
    written = _write_mode(choice, traits, losses)
    if parallel is not None and (written is None or written["type"] != "none"):
        written = {**(written or {"type": "auto"}), "disable_parallel_tool_use": not parallel}
    elif parallel is not None:
        losses.drop(request.names.get("parallel_tools", "parallel_tools"))
    if written is not None:
        out["tool_choice"] = written


def _write_mode(
    choice: ToolChoice | None, traits: Mapping[str, Any], losses: Losses
) -> dict[str, Any] | None:
    if choice is None:
        return None
    if choice.mode == "raw":
        losses.drop(choice.at)
        return None
    if choice.mode in ("required", "named") and not traits.get("forced_tools", True):
        losses.change(choice.at, choice.mode, "auto")
        return {"type": "auto"}
    if choice.mode == "named":
        return {"type": "tool", "name": choice.names[0]}
    if choice.names:
        losses.change(choice.at, "allowed_tools", choice.mode)
    return {"type": _KINDS[choice.mode]}
