"""Streams of chunks with choices, as chat and completions have them.

platform.openai.com/docs/api-reference/chat-streaming (2026-11): chunks, each with ``choices``;
the last of a choice has its ``finish_reason``; a chunk with empty ``choices`` and the ``usage``
where asked for; then ``data: [DONE]``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from . import json, sse
from .openai_reply import ERROR, find_usage
from .openai_stream import DONE, STRICT, StreamMeter

if TYPE_CHECKING:
    from gomodel_proxy.api import Usage

__all__ = ["ChunkMeter"]


class _Choice(msgspec.Struct, gc=False):
    index: int = 0
    finish_reason: str | None = None
    delta: dict[str, Any] | None = None
    text: str | None = None
    usage: dict[str, Any] | None = None


class _Extension(msgspec.Struct, gc=False):
    usage: dict[str, Any] | None = None


class _Chunk(msgspec.Struct, gc=False):
    choices: list[_Choice] | None = None
    usage: dict[str, Any] | None = None
    error: Any = None
    x_groq: _Extension | None = None


_decode = msgspec.json.Decoder(_Chunk).decode


class ChunkMeter(StreamMeter):
    """Watches a stream of chunks; ``hide_usage`` drops the usage chunk that only we asked for."""

    __slots__ = ("_done", "_finished", "_hide_usage", "_usage")

    def __init__(self, *, hide_usage: bool) -> None:
        super().__init__()
        self._hide_usage = hide_usage
        self._done = False
        self._finished: dict[int, bool] = {}
        self._usage = b""

    def usage(self) -> Usage | None:
        """Return the usage that the last chunk with one reported."""
        return find_usage(json.members(self._usage)) if self._usage else None

    def _take(self, name: bytes, data: bytes) -> bool:
        if self._done:
            return True  # readers have left at [DONE]
        try:
            chunk = _decode(data)
        except STRICT:
            if data.startswith(DONE):
                return self._end()
            loose = _read_loosely(data)
            if loose is None:
                return self._malformed(data)
            chunk = loose
        if chunk.error or name == b"error":
            self._report(data)
        if chunk.usage or (chunk.x_groq is not None and chunk.x_groq.usage):
            self._usage = data
        if not chunk.choices:
            if chunk.usage and not chunk.error:
                return not self._hide_usage
            return self._odd(chunk, data)
        finished = self._finished
        for choice in chunk.choices:
            if choice.usage:
                self._usage = data
            if choice.finish_reason:
                finished[choice.index] = True
            elif choice.index not in finished:
                finished[choice.index] = False
            delta = choice.delta
            if choice.text or (delta and (delta.get("content") or _says_something(delta))):
                self.events += 1
        return True

    def _odd(self, chunk: _Chunk, data: bytes) -> bool:
        if chunk.choices is None and json.members(data).get("object") == ERROR:
            self._report(data)
        return True

    def _end(self) -> bool:
        if not self._finished and self.error is None:
            return self._break("The provider's stream ended without a single choice")
        self._done = True
        return True

    def _ending(self, framed: bool) -> tuple[bytes, bool]:
        if self._done:
            return b"", True
        if self._finished and (framed or all(self._finished.values())):
            return sse.event(DONE), True
        return b"", False


def _says_something(delta: dict[str, Any]) -> bool:
    return any(value for name, value in delta.items() if name != "role")


def _read_loosely(data: bytes) -> _Chunk | None:
    """Read an object that has members of unusual types, None if it is none."""
    try:
        chunk = json.loads(data)
    except ValueError:
        return None
    if not isinstance(chunk, dict):
        return None
    choices, extension = chunk.get("choices"), chunk.get("x_groq")
    return _Chunk(
        choices=[_choice(choice) for choice in choices if isinstance(choice, dict)]
        if isinstance(choices, list)
        else None,
        usage=_object(chunk.get("usage")),
        error=chunk.get("error"),
        x_groq=_Extension(_object(extension.get("usage"))) if isinstance(extension, dict) else None,
    )


def _choice(choice: dict[str, Any]) -> _Choice:
    index, reason, text = choice.get("index"), choice.get("finish_reason"), choice.get("text")
    return _Choice(
        index=index if isinstance(index, int) else 0,
        finish_reason=str(reason) if reason else None,
        delta=_object(choice.get("delta")),
        text=text if isinstance(text, str) else None,
        usage=_object(choice.get("usage")),
    )


def _object(value: Any) -> dict[str, Any] | None:
    return value if isinstance(value, dict) else None
