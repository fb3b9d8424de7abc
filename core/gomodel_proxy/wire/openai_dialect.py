"""What OpenAI's dialects share; each adds what it reads and what its replies must hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from . import json, openai_errors
from .openai_reply import find_usage, holds, name_provider, read_reply, rejection

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from msgspec import Raw

    from gomodel_proxy.api import Codec, Fields, GatewayError, Meter, Usage

__all__ = ["OpenAIDialect"]


class OpenAIDialect:
    """A way to write one of OpenAI's operations; a `Dialect`. ``answer`` is the reply's array."""

    name: str
    operation: str
    paths: tuple[str, ...]
    answer: str
    codec: Codec | None = None
    headers: Final = frozenset(
        {
            "idempotency-key",
            "openai-beta",
            "openai-organization",
            "openai-project",
            "traceparent",
            "tracestate",
            "x-client-request-id",
        }
    )

    def read(self, body: bytes, path: Mapping[str, str]) -> Fields:
        """Check and decode a request body; raises `InvalidRequest` naming the member."""
        return self._read(body, json.fields(body))

    def usage(self, body: bytes) -> Usage | None:
        """Return the usage in a whole reply, None where it makes no sense."""
        try:
            return find_usage(json.members(body))
        except ValueError:
            return None

    def reply(self, body: bytes, provider: str) -> tuple[bytes, Usage | None, Sequence[str]]:
        """Check a whole reply and name its provider; raises `UpstreamError` if it is none."""
        reply = read_reply(body)
        if not self._answers(reply):
            raise rejection(body, reply, f"'{self.answer}'")
        return name_provider(body, reply, provider), find_usage(reply), self._created(reply)

    def meter(self, *, hide_usage: bool) -> Meter:
        """Return the watcher of one stream; operations that do not stream have none."""
        raise NotImplementedError(f"{self.name} does not stream")

    def error(self, error: GatewayError) -> bytes:
        """Return an error as a JSON body."""
        return openai_errors.envelope(error)

    def stream_error(self, error: GatewayError) -> bytes:
        """Return an error as the last event of a stream."""
        return openai_errors.stream_event(error)

    def _read(self, body: bytes, members: dict[str, Raw]) -> Fields:
        raise NotImplementedError

    def _answers(self, reply: dict[str, Raw]) -> bool:
        return holds(reply, self.answer)

    def _created(self, reply: dict[str, Raw]) -> Sequence[str]:
        return ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name})"
