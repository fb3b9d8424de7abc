"""Items of ``openai.responses``, read into parts and messages of the neutral model.

platform.openai.com/docs/api-reference/responses/create#responses-create-input and …/responses/
object#responses-object-output (2026-11). A run of the model's own items is one turn, so it becomes
one message: its thoughts, its words and its calls, in order. Items of built-in tools stay opaque.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Raw

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.api.chat import (
    Media,
    Message,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Role,
    Text,
    ToolCall,
    ToolResult,
)

from .members import Members, elements, place
from .openai_parts import unknown_role
from .openai_responses_content import DIALECT, read_content
from .openai_responses_proofs import unwrap

if TYPE_CHECKING:
    from gomodel_proxy.api.chat import Extra

__all__ = ["read_call", "read_input", "read_output", "read_reasoning"]

_ROLES: Final = ("user", "assistant", "system", "developer")
_RESULTS: Final = {"function_call_output": "function", "custom_tool_call_output": "custom"}
_FROM_CALLER: Final[dict[str, Role]] = {
    "additional_tools": "developer",
    "apply_patch_call_output": "user",
    "compaction_trigger": "user",
    "computer_call_output": "user",
    "configuration_update": "developer",
    "local_shell_call_output": "user",
    "mcp_approval_response": "user",
    "shell_call_output": "user",
}
_FROM_MODEL: Final = frozenset(
    {
        "apply_patch_call",
        "code_interpreter_call",
        "compaction",
        "computer_call",
        "file_search_call",
        "image_generation_call",
        "item_reference",
        "local_shell_call",
        "mcp_approval_request",
        "mcp_call",
        "mcp_list_tools",
        "program",
        "program_output",
        "shell_call",
        "tool_search_call",
        "tool_search_output",
        "web_search_call",
    }
)


# ---------------------------------------------------------------- input


def read_input(raw: Raw | None) -> list[Message]:
    """Return a request's input as messages; raises `InvalidRequest` naming the item at fault."""
    if raw is None:
        return []
    if memoryview(raw)[0] == ord('"'):
        return [Message("user", [Text(msgspec.json.decode(raw, type=str), at="input")], at="input")]
    messages: list[Message] = []
    for number, element in enumerate(elements(raw, "input")):
        _read_item(element, Members(element, place("input", number)), messages)
    return messages


def _read_item(raw: Raw, item: Members, messages: list[Message]) -> None:
    kind = item.text("type") or _unnamed(item)
    if kind == "message":
        message = _read_message(item)
        if message.role == "assistant":
            _say(messages, message)
        else:
            messages.append(message)
    elif kind in _RESULTS:
        status = item.text("status")
        result = _read_result(item, _RESULTS[kind])
        messages.append(Message("tool", [result], status=status, at=item.at))
    elif kind in _FROM_CALLER:
        opaque = Opaque(DIALECT, kind, raw, _said(kind, item), at=item.at)
        messages.append(Message(_FROM_CALLER[kind], [opaque], at=item.at))
    else:
        part = _read_own(kind, raw, item)
        if part is None:
            raise _unknown(item, kind)
        _turn(messages, item.at).parts.append(part)


def _unnamed(item: Members) -> str:
    return "message" if "role" in item.rest else "item_reference" if "id" in item.rest else ""


def _unknown(item: Members, kind: str) -> InvalidRequest:
    known = sorted({"message", "function_call", "custom_tool_call", "reasoning", *_RESULTS})
    told = f"has the unknown type '{kind}'" if kind else "has no type"
    return InvalidRequest(
        f"'{item.at}' {told}; it takes {', '.join(known)}, or an item of a built-in tool.",
        code="invalid_value",
        param=item.at,
    )


def _read_message(item: Members) -> Message:
    role = item.needed("role")
    if role not in _ROLES:
        raise unknown_role(item, role, _ROLES)
    parts = read_content(item, "content")
    return Message(
        role,  # type: ignore[arg-type]
        parts,
        item=item.text("id"),
        status=item.text("status"),
        at=item.at,
        extra=item.extra,
    )


def _turn(messages: list[Message], at: str) -> Message:
    """Return the model's turn that an item belongs to, beginning one after anybody else's."""
    if not messages or messages[-1].role != "assistant":
        messages.append(Message("assistant", [], at=at))
    return messages[-1]


def _say(messages: list[Message], said: Message) -> None:
    """Add the model's words to its turn.

    A turn has one message item, whose id and place it takes. A second one begins another turn,
    together with the thoughts before it; unless calls wait for their results, which must follow.
    """
    turn = _turn(messages, said.at)
    spoken = any(isinstance(part, (Text, Refusal)) for part in turn.parts)
    if not spoken:
        turn.item, turn.status, turn.at, turn.extra = said.item, said.status, said.at, said.extra
    elif not any(isinstance(part, ToolCall) for part in turn.parts):
        first = len(turn.parts)
        while isinstance(turn.parts[first - 1], Reasoning):
            first -= 1
        said.parts = turn.parts[first:] + said.parts
        del turn.parts[first:]
        messages.append(said)
        return
    elif said.parts and said.extra:
        said.parts[0].at = said.at
        said.parts[0].extra = {**said.extra, **said.parts[0].extra}
    turn.parts.extend(said.parts)


def _read_result(item: Members, kind: str) -> ToolResult:
    return ToolResult(
        item.needed("call_id"),
        read_content(item, "output"),
        name=item.text("name"),
        kind=kind,  # type: ignore[arg-type]
        item=item.text("id"),
        at=item.at,
        extra=item.extra,
    )


# ---------------------------------------------------------------- the model's own


def read_output(raw: Raw) -> list[Part]:
    """Return one item of a reply as parts; a kind nobody knows is opaque."""
    item = Members(raw)
    kind = item.text("type") or "message"
    if kind == "image_generation_call" and "result" in item.extra:
        return [_read_image(item)]
    if kind != "message":
        return [_read_own(kind, raw, item) or Opaque(DIALECT, kind, raw)]
    parts = read_content(item, "content")
    phase = item.raw("phase")
    if phase is not None and parts:
        parts[0].extra = {**parts[0].extra, "phase": phase}
    return parts


def _read_own(kind: str, raw: Raw, item: Members) -> Part | None:
    if kind in ("function_call", "custom_tool_call"):
        return read_call(kind, item)
    if kind == "reasoning":
        part = read_reasoning(item)
        if item.at:
            unwrap(part)
        return part
    if kind in _FROM_MODEL:
        return Opaque(DIALECT, kind, raw, _said(kind, item) if item.at else "", at=item.at)
    return None


def _read_image(item: Members) -> Media:
    form = item.text("output_format") or "png"
    image = Media("image", data=item.text("result"), media_type=f"image/{form}")
    image.extra = item.extra
    return image


def read_call(kind: str, item: Members) -> ToolCall:
    """Return the model's call of a function or a custom tool."""
    custom = kind == "custom_tool_call"
    call = ToolCall(
        item.needed("call_id"),
        item.needed("name"),
        item.text("input" if custom else "arguments") or "",
        "custom" if custom else "function",
        item=item.text("id"),
        signature=item.text("signature"),
        at=item.at,
    )
    call.extra = _without_status(item)
    return call


def read_reasoning(item: Members) -> Reasoning:
    """Return the model's thoughts."""
    extra: Extra = {}
    part = Reasoning(
        "\n\n".join(_texts(item, "content", extra)),
        summary=_texts(item, "summary", extra),
        encrypted=item.text("encrypted_content"),
        item=item.text("id"),
        dialect=DIALECT,
        at=item.at,
    )
    part.extra = {**extra, **_without_status(item)}
    return part


def _texts(item: Members, name: str, extra: Extra) -> list[str]:
    found = []
    for number, element in enumerate(item.objects(name)):
        element.text("type")
        found.append(element.text("text") or "")
        extra.update(element.extra_in(f"{name}[{number}]"))
    return found


def _without_status(item: Members) -> Extra:
    """Return what is left of an item; that it is complete goes without saying."""
    extra = item.extra
    if extra.get("status") == Raw(b'"completed"'):
        del extra["status"]
    return extra


# ---------------------------------------------------------------- in other words


def _said(kind: str, item: Members) -> str:
    """Return what can be said of a built-in tool's item to a model that has no such tool."""
    teller = _TELLERS.get(kind)
    if teller is None:
        return ""
    told = {name: msgspec.json.decode(raw) for name, raw in item.rest.items()}
    text: str = teller(told)
    return text


def _tell_mcp(item: dict[str, Any]) -> str:
    output = item.get("output")
    return f"{item.get('name')}({item.get('arguments')}) returned: {output}" if output else ""


def _tell_code(item: dict[str, Any]) -> str:
    code = item.get("code")
    logs = [one.get("logs") for one in _objects(item.get("outputs"))]
    told = [f"Ran this code:\n{code}"] if code else []
    return "\n".join([*told, *(f"It printed:\n{log}" for log in logs if log)])


def _tell_files(item: dict[str, Any]) -> str:
    found = _objects(item.get("results"))
    texts = [f"{one.get('filename')}: {one['text']}" for one in found if one.get("text")]
    return "\n".join(["Found in files:", *texts]) if texts else ""


def _tell_shell(item: dict[str, Any]) -> str:
    output = item.get("output")
    if isinstance(output, str):
        return output
    texts = [one.get(name) for one in _objects(output) for name in ("stdout", "stderr")]
    return "\n".join(str(text) for text in texts if text)


def _objects(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


_TELLERS: Final = {
    "apply_patch_call_output": _tell_shell,
    "code_interpreter_call": _tell_code,
    "file_search_call": _tell_files,
    "local_shell_call_output": _tell_shell,
    "mcp_call": _tell_mcp,
    "shell_call_output": _tell_shell,
}
