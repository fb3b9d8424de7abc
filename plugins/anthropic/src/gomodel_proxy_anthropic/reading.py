"""Requests of the Messages API, read: platform.claude.com/docs/en/api/messages/create (2026-11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.api.chat import ChatRequest, Format, Message, Part, ReasoningWish, ToolResult
from gomodel_proxy.wire import json
from gomodel_proxy.wire.members import Members

from .content import read_content
from .names import DIALECT
from .tools import read_choice, read_tool

if TYPE_CHECKING:
    from typing import Any

    from gomodel_proxy.api.chat import Extra, Role

__all__ = ["read_request"]

_NAMES: Final = {
    "cache": "cache_control",
    "format": "output_config.format",
    "parallel_tools": "tool_choice.disable_parallel_tool_use",
    "reasoning.budget": "thinking.budget_tokens",
    "reasoning.effort": "output_config.effort",
    "stop": "stop_sequences",
    "user": "metadata.user_id",
}


def read_request(body: bytes) -> ChatRequest:
    """Return a request; raises `InvalidRequest` naming the member at fault."""
    members = Members(body)
    output = members.members("output_config") or Members(b"{}", "output_config")
    about = members.members("metadata") or Members(b"{}", "metadata")
    choice, parallel = read_choice(members.members("tool_choice"))
    request = ChatRequest(
        members.needed("model"),
        [*_read_system(members), *_read_messages(members)],
        tools=[
            read_tool(raw, members.place(f"tools[{number}]"))
            for number, raw in enumerate(members.array("tools") or ())
        ],
        tool_choice=choice,
        parallel_tools=parallel,
        format=_read_format(members, output),
        reasoning=_read_reasoning(members, output),
        max_tokens=members.integer("max_tokens"),
        temperature=members.number("temperature"),
        top_p=members.number("top_p"),
        top_k=members.integer("top_k"),
        stop=members.texts("stop_sequences"),
        user=about.text("user_id"),
        service_tier=members.text("service_tier"),
        cache=members.raw("cache_control"),
        stream=members.boolean("stream") or False,
        names=dict(_NAMES),
    )
    request.extra = {**_given(members), **_beneath(output), **_beneath(about)}
    return request


def _given(members: Members) -> Extra:
    return {name: raw for name, raw in members.rest.items() if raw != json.NULL}


def _beneath(members: Members) -> Extra:
    """Return what an object of members that are read one by one has besides, by its full name."""
    return {members.place(name): raw for name, raw in _given(members).items()}


def _read_system(members: Members) -> list[Message]:
    parts = read_content(members.raw("system"), "system")
    return [Message("system", parts, at="system")] if parts else []


def _read_messages(members: Members) -> list[Message]:
    found: list[Message] = []
    for message in members.objects("messages"):
        role = message.needed("role")
        if role not in ("user", "assistant", "system"):
            at = message.place("role")
            raise InvalidRequest(
                f"'{at}' is '{role}'; it takes user, assistant, system.",
                code="invalid_value",
                param=at,
            )
        content = read_content(message.raw("content"), message.place("content"))
        turns = _turns(role, content, message.at)
        if turns:
            turns[-1].extra = _given(message)
        found += turns
    return found


def _turns(role: Any, parts: list[Part], at: str) -> list[Message]:
    """Return a message as messages: tool results have a role of their own in the model."""
    turns: list[Message] = []
    for part in parts:
        mine: Role = "tool" if isinstance(part, ToolResult) else role
        if not turns or turns[-1].role != mine:
            turns.append(Message(mine, [], at=at))
        turns[-1].parts.append(part)
    return turns or [Message(role, [], at=at)]


def _read_format(members: Members, output: Members) -> Format | None:
    """Return the form of the answer, also under its old name."""
    form = output.members("format") or members.members("output_format")
    if form is None:
        return None
    kind = form.needed("type")
    if kind == "json_schema":
        return Format("json_schema", schema=form.raw("schema"), at=form.at, extra=form.rest)
    raw = msgspec.Raw(json.encode({"type": kind, **form.rest}))
    return Format("raw", raw=raw, dialect=DIALECT, at=form.at)


def _read_reasoning(members: Members, output: Members) -> ReasoningWish | None:
    effort = output.text("effort")
    thinking = members.members("thinking")
    if thinking is None:
        return None if effort is None else ReasoningWish(effort=effort, at="output_config.effort")
    kind = thinking.text("type")  # absent where only how thoughts are kept is told
    display = thinking.text("display")
    wish = ReasoningWish(
        effort=effort,
        budget=thinking.integer("budget_tokens"),
        shown=None if display is None else display != "omitted",
        at="thinking",
        extra=thinking.rest,
    )
    if kind in ("enabled", "adaptive", "disabled"):
        wish.enabled = kind != "disabled"
        wish.adaptive = kind == "adaptive"
    elif kind is not None:
        wish.extra = {**wish.extra, "type": msgspec.Raw(json.encode(kind))}
    return wish
