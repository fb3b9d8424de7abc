"""Tools, the choice among them and the form of the answer, as ``openai.responses`` writes them.

platform.openai.com/docs/api-reference/responses/create#responses-create-tools (2026-11). Unlike in
``openai.chat``, the members of a tool stand in the tool itself, and a function that says nothing
of ``strict`` is strict.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec
from msgspec import Raw

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.api.chat import Format, Tool, ToolChoice

from .members import Members
from .openai_responses_content import DIALECT, drop_unknown, keep_known

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gomodel_proxy.api import Losses

__all__ = [
    "read_choice",
    "read_format",
    "read_tools",
    "write_choice",
    "write_format",
    "write_tools",
]

_MODES: Final[dict[str, Literal["auto", "none", "required"]]] = {
    "auto": "auto",
    "none": "none",
    "required": "required",
}
_KNOWN_IN_TOOL: Final = frozenset({"allowed_callers", "async", "defer_loading", "output_schema"})


# ---------------------------------------------------------------- tools


def read_tools(members: Members) -> list[Tool]:
    """Take the tools of a request."""
    return [_read_tool(tool) for tool in members.objects("tools")]


def _read_tool(tool: Members) -> Tool:
    raw = Raw(msgspec.json.encode(tool.rest))
    kind = tool.needed("type")
    if kind not in ("function", "custom"):
        name = tool.text("name") if kind == "namespace" else None
        return Tool(name or kind, "builtin", raw=raw, dialect=DIALECT, at=tool.at)
    form = tool.raw("format") if kind == "custom" else None
    found = Tool(
        tool.needed("name"),
        kind,  # type: ignore[arg-type]
        description=tool.text("description"),
        schema=tool.raw("parameters"),
        strict=tool.boolean("strict"),
        format=None if form is None else _nested(form),
        cache=tool.raw("cache_control"),
        at=tool.at,
    )
    found.extra = tool.extra
    return found


def _nested(form: Raw) -> Raw:
    """Return a custom tool's grammar as the model has it: in a member ``grammar``."""
    grammar = msgspec.json.decode(form)
    if not isinstance(grammar, dict) or grammar.get("type") != "grammar" or "grammar" in grammar:
        return form
    return Raw(msgspec.json.encode({"type": grammar.pop("type"), "grammar": grammar}))


def _flat(form: Raw) -> Raw:
    grammar = msgspec.json.decode(form)
    if not isinstance(grammar, dict) or not isinstance(grammar.get("grammar"), dict):
        return form
    return Raw(msgspec.json.encode(grammar | grammar.pop("grammar")))


def write_tools(tools: Sequence[Tool], losses: Losses, *, strict: bool | None) -> list[Any]:
    """Return tools; ``strict`` is what a function is that says nothing of it."""
    written = [_write_tool(tool, losses, strict) for tool in tools]
    return [tool for tool in written if tool is not None]


def _write_tool(tool: Tool, losses: Losses, strict: bool | None) -> Any:
    if tool.kind == "builtin":
        if tool.dialect == DIALECT:
            return tool.raw
        losses.drop(tool.at)
        return None
    out: dict[str, Any] = {"type": tool.kind, "name": tool.name}
    if tool.description is not None:
        out["description"] = tool.description
    if tool.kind == "function":
        out["parameters"] = tool.schema
        out["strict"] = strict if tool.strict is None else tool.strict
    elif tool.format is not None:
        out["format"] = _flat(tool.format)
    if tool.cache is not None:
        losses.drop(tool.at, "cache_control")
    drop_unknown(tool.at, tool.extra, _KNOWN_IN_TOOL, losses)
    return {**out, **keep_known(tool.extra, _KNOWN_IN_TOOL)}


# ---------------------------------------------------------------- choice


def read_choice(members: Members) -> ToolChoice | None:
    """Take the choice of a tool; raises `InvalidRequest` for a word it does not know."""
    raw = members.raw("tool_choice")
    if raw is None:
        return None
    if memoryview(raw)[0] == ord('"'):
        word = _mode(msgspec.json.decode(raw, type=str), "tool_choice")
        return ToolChoice(word, at="tool_choice")
    choice = Members(raw, "tool_choice")
    kind = choice.needed("type")
    if kind in ("function", "custom"):
        named = ToolChoice("named", [choice.needed("name")], at="tool_choice")
        named.extra = choice.extra
        return named
    if kind == "allowed_tools":
        allowed = _read_allowed(choice)
        if allowed is not None:
            return allowed
    return ToolChoice("raw", raw=raw, dialect=DIALECT, at="tool_choice")


def _mode(word: str, at: str) -> Literal["auto", "none", "required"]:
    found = _MODES.get(word)
    if found is not None:
        return found
    raise InvalidRequest(
        f"'{at}' is '{word}'; it takes auto, none, required, or a tool.",
        code="invalid_value",
        param=at,
    )


def _read_allowed(choice: Members) -> ToolChoice | None:
    """Return a choice among functions and custom tools, None if any built-in one is allowed."""
    mode = _mode(choice.text("mode") or "auto", choice.place("mode"))
    extra = {}
    names = []
    for number, tool in enumerate(choice.objects("tools")):
        if tool.text("type") not in ("function", "custom"):
            return None
        names.append(tool.needed("name"))
        extra.update(tool.extra_in(f"tools[{number}]"))
    return ToolChoice(mode, names, at="tool_choice", extra={**extra, **choice.extra})


def write_choice(choice: ToolChoice, tools: Sequence[Tool], losses: Losses) -> Any:
    """Return the choice of a tool, None if there is no such choice in this dialect."""
    losses.drop_extra(choice.at, choice.extra)
    if choice.mode == "raw":
        if choice.dialect == DIALECT:
            return choice.raw
        losses.drop(choice.at)
        return None
    custom = {tool.name for tool in tools if tool.kind == "custom"}
    named = [
        {"type": "custom" if name in custom else "function", "name": name} for name in choice.names
    ]
    if choice.mode == "named":
        return named[0]
    if named:
        return {"type": "allowed_tools", "mode": choice.mode, "tools": named}
    return choice.mode


# ---------------------------------------------------------------- form


def read_format(text: Members) -> Format | None:
    """Take the form of the answer out of ``text``."""
    form = text.members("format")
    if form is None:
        return None
    kind = form.needed("type")
    if kind not in ("text", "json_object", "json_schema"):
        raise InvalidRequest(
            f"'{form.at}' has the unknown type '{kind}'; it takes text, json_object, json_schema.",
            code="invalid_value",
            param=form.at,
        )
    found = Format(
        kind,  # type: ignore[arg-type]
        name=form.text("name"),
        schema=form.raw("schema"),
        strict=form.boolean("strict"),
        description=form.text("description"),
        at=form.at,
    )
    found.extra = form.extra
    return found


def write_format(form: Format, losses: Losses) -> dict[str, Any] | None:
    """Return the form of the answer, None if there is no such form in this dialect."""
    losses.drop_extra(form.at, form.extra)
    if form.kind == "raw":
        losses.drop(form.at)
        return None
    out: dict[str, Any] = {"type": form.kind}
    if form.kind == "json_schema":
        out.update({"name": form.name or "answer", "schema": form.schema})
        if form.description is not None:
            out["description"] = form.description
        if form.strict is not None:
            out["strict"] = form.strict
    return out
