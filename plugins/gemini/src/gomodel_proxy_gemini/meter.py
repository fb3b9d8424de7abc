"""Watches one stream: usage, errors, and whether every candidate came to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Raw

from gomodel_proxy.wire.openai_stream import STRICT, StreamMeter

from .failure import told
from .usage import read_usage

if TYPE_CHECKING:
    from gomodel_proxy.api import Usage

__all__ = ["GeminiMeter"]

_NONE: Final = Raw(b"")


class _Candidate(msgspec.Struct, rename="camel", gc=False):
    index: int = 0
    finish_reason: str | None = None
    content: Raw = _NONE


class _Chunk(msgspec.Struct, rename="camel", gc=False):
    candidates: list[_Candidate] = []
    usage_metadata: Raw = _NONE
    prompt_feedback: Raw = _NONE
    error: Raw = _NONE


_decode: Final = msgspec.json.Decoder(_Chunk).decode


class GeminiMeter(StreamMeter):
    """Passes whole events; a stream is complete once every candidate has its reason.

    A reason that comes with code to be run is the reason of one step: more is to come. If the
    vendor then says, by the framing, that nothing does, it is the end after all.
    """

    __slots__ = ("_blocked", "_open", "_running", "_seen", "_usage")

    def __init__(self) -> None:
        super().__init__()
        self._usage = _NONE
        self._seen = False
        self._blocked = False
        self._open: set[int] = set()
        self._running: set[int] = set()

    def usage(self) -> Usage | None:
        """Return the usage that the stream reported last, if it did."""
        return read_usage(self._usage) if self._usage else None

    def _take(self, name: bytes, data: bytes) -> bool:
        try:
            chunk = _decode(data)
        except STRICT:
            return self._malformed(data)
        if chunk.error:
            if self.error is None:
                self.error, self.reported = told(chunk.error)[0], True
            return True
        if chunk.usage_metadata:
            self._usage = chunk.usage_metadata
        if chunk.prompt_feedback:
            self._blocked = b'"blockReason"' in bytes(chunk.prompt_feedback)
        for candidate in chunk.candidates:
            self._seen = True
            self.events += bool(candidate.content)
            if candidate.finish_reason is not None:
                self._open.discard(candidate.index)
                if _ends_in_code(candidate.content):
                    self._running.add(candidate.index)
                else:
                    self._running.discard(candidate.index)
            elif candidate.content:
                self._open.add(candidate.index)
        return True

    def _ending(self, framed: bool) -> tuple[bytes, bool]:
        """Return nothing to add; the reasons say that it is whole, however it was framed."""
        finished = self._seen and not self._open and (framed or not self._running)
        return b"", finished or self._blocked


def _ends_in_code(content: Raw) -> bool:
    said = bytes(content)
    return said.rfind(b'"executableCode"') > said.rfind(b'"codeExecutionResult"')
