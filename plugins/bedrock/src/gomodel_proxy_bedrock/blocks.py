"""Content blocks of Converse, written from the neutral model.

docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html (2026-11).

Traits: ``cache`` (where the model takes cache points: "messages", "system", "tools"),
``tool_result_media`` (the kinds of media that may stand inside a tool's result; others follow it),
and those of `media` and `proofs`.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Raw

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.api.chat import (
    Media,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from gomodel_proxy.wire.members import place

from .media import MediaWriter
from .proofs import DIALECT, proofs_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gomodel_proxy.api import Losses
    from gomodel_proxy.wire.turns import Turn

__all__ = ["BlockWriter", "cache_point"]

_UNFIT: Final = re.compile(r"[^a-zA-Z0-9_.:-]")
_LONGEST_ID: Final = 64
_SEE: Final = "See the document."  # one without any text beside it is refused

Block = dict[str, Any] | Raw


class _Mark(msgspec.Struct):
    ttl: str | None = None


def cache_point(mark: Raw) -> dict[str, Any]:
    """Return the cache point that a caching mark asks for after its block."""
    point: dict[str, Any] = {"type": "default"}
    try:
        ttl = msgspec.json.decode(mark, type=_Mark).ttl
    except msgspec.DecodeError:
        ttl = None
    if ttl in ("5m", "1h"):
        point["ttl"] = ttl
    return {"cachePoint": point}


class BlockWriter:
    """Writes the content of one request."""

    def __init__(self, traits: Mapping[str, Any], losses: Losses) -> None:
        self._losses = losses
        self._media = MediaWriter(traits, losses)
        self._cached: Sequence[str] = traits.get("cache", ())
        self._proofs = (DIALECT, proofs_of(traits))
        self._in_results: Sequence[str] | None = traits.get("tool_result_media")

    def turn(self, turn: Turn) -> list[Block]:
        """Return the blocks of a turn; raises `InvalidRequest` for what Bedrock cannot take."""
        blocks: list[Block] = []
        after: list[Block] = []
        for part in turn.parts:
            if isinstance(part, ToolResult):
                blocks.append(self._result(part, after))
            else:
                blocks += after
                after = []
                block = self._block(part)
                if block is None:
                    continue
                blocks.append(block)
            self._finish(part, blocks, "messages")
        blocks += after
        if _has(blocks, "document") and not _has(blocks, "text") and turn.role == "user":
            blocks.append({"text": _SEE})
        return blocks

    def system(self, parts: Sequence[Part]) -> list[Block]:
        """Return the system prompt, which is text alone."""
        blocks: list[Block] = []
        for part in parts:
            said = part.text if isinstance(part, Text | Refusal | Media | Opaque) else None
            if said is None:
                raise InvalidRequest(
                    f"'{part.at}' cannot be sent to this provider: its system prompt is text.",
                    code="unsupported_content",
                    param=part.at,
                )
            block = self._opaque(part) if isinstance(part, Opaque) else self._text(said, part)
            if block is not None:
                blocks.append(block)
                self._finish(part, blocks, "system")
        return blocks

    def _finish(self, part: Part, blocks: list[Block], where: str) -> None:
        """Add what blocks of several kinds have: the cache point after them, unknown members."""
        cache: Raw | None = getattr(part, "cache", None)
        if cache is not None:
            if where in self._cached:
                blocks.append(cache_point(cache))
            else:
                self._losses.drop(part.at, "cache_control")
        if getattr(part, "item", None) is not None:
            self._losses.drop(part.at, "id")
        if not isinstance(part, Media):
            self._losses.drop_extra(part.at, part.extra)

    def _block(self, part: Part) -> Block | None:
        if isinstance(part, Text):
            if part.signature is not None:
                self._losses.drop(part.at, "signature")
            for one in part.citations:
                self._losses.drop(one.at or place(part.at, "citations"))
            return self._text(part.text, part)
        if isinstance(part, Media):
            return self._media.write(part)
        if isinstance(part, ToolCall):
            return self._call(part)
        if isinstance(part, Reasoning):
            return self._thought(part)
        if isinstance(part, Refusal):
            self._losses.change(part.at, "refusal", "text")
            return self._text(part.text, part)
        if isinstance(part, Opaque):
            return self._opaque(part)
        raise TypeError(type(part).__name__)  # results are written by `turn`

    def _text(self, text: str, part: Part) -> Block | None:
        if text.strip():
            return {"text": text}
        if text:
            self._losses.drop(part.at)  # a blank text is refused
        return None

    def _opaque(self, part: Opaque) -> Block | None:
        if part.dialect == DIALECT:
            return part.raw
        self._losses.drop(part.at)
        return {"text": part.text} if part.text.strip() else None

    def _thought(self, part: Reasoning) -> Block | None:
        if part.dialect in self._proofs:
            if part.redacted and part.encrypted:
                return {"reasoningContent": {"redactedContent": part.encrypted}}
            if part.signature:
                text = {"text": part.text, "signature": part.signature}
                return {"reasoningContent": {"reasoningText": text}}
        self._losses.drop(part.at)
        return None

    # ---------------------------------------------------------------- tools

    def _call(self, part: ToolCall) -> Block:
        if part.signature is not None:
            self._losses.drop(part.at, "signature")
        call = {
            "toolUseId": self._id(part.id, part.at),
            "name": part.name,
            "input": _input(part),
        }
        return {"toolUse": call}

    def _result(self, part: ToolResult, after: list[Block]) -> Block:
        content: list[Block] = []
        for inner in part.parts:
            if isinstance(inner, Media) and not self._fits(inner):
                self._losses.change(inner.at, "in the result", "after it")
                after.append(self._media.write(inner))
                continue
            block = self._block(inner)
            if block is not None:
                content.append(block)
            if getattr(inner, "cache", None) is not None:
                self._losses.drop(inner.at, "cache_control")  # points stand between blocks only
            if not isinstance(inner, Media):
                self._losses.drop_extra(inner.at, inner.extra)
        result: dict[str, Any] = {"toolUseId": self._id(part.call, ""), "content": content}
        if part.error is not None:
            result["status"] = "error" if part.error else "success"
        return {"toolResult": result}

    def _fits(self, part: Media) -> bool:
        if part.kind == "audio":
            return False  # no result holds sound
        return self._in_results is None or part.kind in self._in_results

    def _id(self, id_: str, at: str) -> str:
        """Return an id of the form that Bedrock demands, the same for a call and its result."""
        fit = _UNFIT.sub("_", id_) or "_"
        if len(fit) > _LONGEST_ID:
            digest = hashlib.sha256(id_.encode("utf-8", "replace")).hexdigest()
            fit = fit[: _LONGEST_ID - 17] + "_" + digest[:16]
        if fit != id_ and at:
            self._losses.change(place(at, "id"), id_, fit)
        return fit


def _input(part: ToolCall) -> Any:
    """Return a call's arguments as an object; free text is put into one."""
    if part.kind == "custom":
        return {"input": part.arguments}
    text = part.arguments.strip()
    if not text:
        return {}
    raw = text.encode("utf-8", "replace")
    try:
        msgspec.json.decode(raw, type=dict[str, Raw])
    except (ValueError, RecursionError):
        raise InvalidRequest(
            f"The arguments of '{part.at}' are not a JSON object, which this provider demands.",
            code="invalid_arguments",
            param=part.at,
        ) from None
    return Raw(raw)


def _has(blocks: Sequence[Block], kind: str) -> bool:
    return any(isinstance(block, dict) and kind in block for block in blocks)
