"""Parts of a content, read: ai.google.dev/api/caching#Part (2026-11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.api.chat import Media, Opaque, Part, Text, ToolCall, ToolResult
from gomodel_proxy.wire.json import wrong_type

from .media import read_file, read_inline
from .nodes import Node, encoded
from .proofs import thought
from .words import DIALECT

if TYPE_CHECKING:
    from msgspec import Raw

    from .call_ids import CallIds

__all__ = ["OPAQUE", "read_part"]

OPAQUE: Final = ("executableCode", "codeExecutionResult", "toolCall", "toolResponse")
"""Parts of the vendor's built-in tools."""

_DATA: Final = ("text", "inlineData", "fileData", "functionCall", "functionResponse", *OPAQUE)
_OUTPUT: Final = frozenset({"output", "result"})
_object: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


def read_part(part: Node, ids: CallIds) -> Part:
    """Return a part; raises `InvalidRequest` for one that the dialect does not define."""
    signature = part.text("thoughtSignature")
    thinking = part.boolean("thought") or False
    kind = next((name for name in _DATA if name in part.rest), None)
    if kind in OPAQUE:
        return _read_opaque(part, kind, signature)
    found: Part
    if kind == "text" or (kind is None and signature is not None):
        text = part.text("text") or ""
        found = (
            thought(text, signature, part.at)
            if thinking
            else Text(text, signature=signature, at=part.at)
        )
    elif kind == "functionCall":
        found = _read_call(part.node(kind) or Node(b"{}", part.place(kind)), signature, ids)
    elif kind is not None:
        found = _read_other(part.node(kind) or Node(b"{}", part.place(kind)), kind, ids)
    else:
        raise InvalidRequest(
            f"'{part.at}' is no part that this dialect knows; it takes {', '.join(_DATA)}.",
            code="invalid_value",
            param=part.at,
        )
    found.extra = {**found.extra, **part.extra}
    if isinstance(found, Media):
        found.at = part.at
    return found


def _read_opaque(part: Node, kind: str, signature: str | None) -> Opaque:
    members = dict(part.rest)
    if signature is not None:
        members["thoughtSignature"] = encoded(signature)
    inner = part.node(kind) or Node(b"{}")
    said = inner.text("code") if kind == "executableCode" else None
    if kind == "codeExecutionResult":
        said = inner.text("output")
    return Opaque(DIALECT, kind, encoded(members), said or "", at=part.at)


def _read_call(call: Node, signature: str | None, ids: CallIds) -> ToolCall:
    name = call.needed("name")
    arguments = call.raw("args")
    if arguments is not None and memoryview(arguments)[0] != ord("{"):
        raise wrong_type(call.place("args"), "an object", arguments)
    return ToolCall(
        ids.call(name, call.text("id"), call.at),
        name,
        "{}" if arguments is None else bytes(arguments).decode(),
        signature=signature,
        at=call.at,
        extra=call.extra,
    )


def _read_other(node: Node, kind: str, ids: CallIds) -> Media | ToolResult:
    if kind == "inlineData":
        return read_inline(node)
    if kind == "fileData":
        return read_file(node)
    return _read_result(node, ids)


def _read_result(result: Node, ids: CallIds) -> ToolResult:
    name = result.needed("name")
    parts: list[Part] = []
    error = None
    response = result.raw("response")
    if response is not None:
        text, error = _said(response, result.place("response"))
        parts.append(Text(text, at=result.place("response")))
    for part in result.nodes("parts"):
        inline, file = part.node("inlineData"), part.node("fileData")
        if inline is not None:
            parts.append(read_inline(inline))
        elif file is not None:
            parts.append(read_file(file))
        else:
            raise InvalidRequest(
                f"'{part.at}' has neither inlineData nor fileData.",
                code="invalid_value",
                param=part.at,
            )
        parts[-1].extra = {**parts[-1].extra, **part.extra}
    return ToolResult(
        ids.result(name, result.text("id"), result.at),
        parts,
        name=name,
        error=error,
        at=result.at,
        extra=result.extra,
    )


def _said(response: Raw, at: str) -> tuple[str, bool | None]:
    """Return a response's text, and whether it is an error: the vendor's ``output``, ``error``."""
    try:
        members: dict[str, Any] = _object.decode(response)
    except msgspec.ValidationError:
        raise wrong_type(at, "an object", response) from None
    if len(members) == 1:
        (name, value), *_ = members.items()
        error = True if name == "error" else None
        if name in _OUTPUT or error:
            if memoryview(value)[0] == ord('"'):
                return msgspec.json.decode(value, type=str), error
            return bytes(value).decode(), error
    return bytes(response).decode(), None
