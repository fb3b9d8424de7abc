"""What the vendor's dialects share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .errors import envelope, stream_event

if TYPE_CHECKING:
    from gomodel_proxy.api import GatewayError, Meter

__all__ = ["GeminiDialect"]


class GeminiDialect:
    """Headers, credentials and errors; each dialect adds what it reads and what is a reply."""

    name: str
    headers: Final = frozenset({"x-goog-api-client", "traceparent", "tracestate"})
    credential_headers: Final = ("x-goog-api-key",)

    def meter(self, *, hide_usage: bool) -> Meter:
        """Return the watcher of one stream; operations that do not stream have none."""
        raise NotImplementedError(f"{self.name} does not stream")

    def error(self, error: GatewayError) -> bytes:
        """Return an error as a JSON body."""
        return envelope(error)

    def stream_error(self, error: GatewayError) -> bytes:
        """Return an error as the last event of a stream."""
        return stream_event(error)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name})"
