"""Tools and the choice among them, read.

ai.google.dev/api/caching#Tool and #ToolConfig (2026-11).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.api.chat import Tool, ToolChoice

from .nodes import Node, encoded
from .schemas import json_schema
from .words import DIALECT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gomodel_proxy.api.chat import Extra

__all__ = ["read_choice", "read_tools"]

_MODES: Final[dict[str, Literal["auto", "required", "none"]]] = {
    "MODE_UNSPECIFIED": "auto",
    "AUTO": "auto",
    "VALIDATED": "auto",
    "ANY": "required",
    "NONE": "none",
}


def read_tools(members: Node) -> list[Tool]:
    """Take the tools: every function, and every built-in tool as it came."""
    return [found for tool in members.nodes("tools") for found in _read_tool(tool)]


def _read_tool(tool: Node) -> Iterator[Tool]:
    for declared in tool.nodes("functionDeclarations"):
        schema = declared.raw("parametersJsonSchema")
        own = declared.raw("parameters")
        if schema is None and own is not None:
            schema = json_schema(own)
        yield Tool(
            declared.needed("name"),
            description=declared.text("description"),
            schema=schema,
            at=declared.at,
            extra=declared.extra,
        )
    for name in tool.extra:
        at, value = tool.place(name), tool.rest[name]
        yield Tool(name, "builtin", raw=encoded({name: value}), dialect=DIALECT, at=at)


def read_choice(members: Node, extra: Extra) -> ToolChoice | None:
    """Take the choice; what else ``toolConfig`` holds goes into ``extra``."""
    config = members.node("toolConfig")
    if config is None:
        return None
    calling = config.node("functionCallingConfig")
    extra.update({f"toolConfig.{name}": value for name, value in config.extra.items()})
    if calling is None:
        return None
    word = (calling.text("mode") or "AUTO").upper()
    mode = _MODES.get(word)
    if mode is None:
        at = calling.place("mode")
        raise InvalidRequest(
            f"'{at}' is '{word}'; it takes {', '.join(_MODES)}.", code="invalid_value", param=at
        )
    names = calling.texts("allowedFunctionNames") or []
    rest = {"mode": encoded(word), **calling.extra} if word == "VALIDATED" else calling.extra
    if mode == "required" and len(names) == 1:
        return ToolChoice("named", names, at=calling.at, extra=rest)
    return ToolChoice(mode, names, at=calling.at, extra=rest)
