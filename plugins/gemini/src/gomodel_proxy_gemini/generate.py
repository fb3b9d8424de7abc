"""``gemini.generate``: ai.google.dev/api/generate-content (2026-11).

The model stands in the path, streaming too. A stream without ``alt=sse`` would be one long JSON
array, which is refused: nothing in it tells an error from an answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.wire import json
from gomodel_proxy.wire.openai_reply import holds, name_provider, read_reply, rejection

from .codec import GeminiCodec
from .dialect import GeminiDialect
from .meter import GeminiMeter
from .request import Request, check_address, check_contents, references, served_at
from .usage import read_usage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from msgspec import Raw

    from gomodel_proxy.api import Meter, Usage

__all__ = ["GeminiGenerate"]

_STREAM: Final = "streamGenerateContent"


class GeminiGenerate(GeminiDialect):
    """Contents in, candidates out; a `Dialect`."""

    name = "gemini.generate"
    operation = "chat"
    codec = GeminiCodec()
    paths = served_at(f"generateContent|{_STREAM}")

    def read(self, body: bytes, path: Mapping[str, str]) -> Request:
        """Check and decode a request body; raises `InvalidRequest` naming the member."""
        members = json.fields(body)
        if "model" in path:
            model, stream = path["model"].removeprefix("models/"), path["method"] == _STREAM
            check_address(members, model)
            if stream and path.get("alt") != "sse":
                raise InvalidRequest(
                    "Ask for a stream with '?alt=sse'; one JSON array of all replies is not given.",
                    code="unsupported_alt",
                    param="alt",
                )
        else:  # one that the codec wrote
            model = json.string(members["model"], "model") if "model" in members else ""
            stream = json.boolean(members.get("stream", json.FALSE), "stream")
        check_contents(members)
        return Request(body, members, model, stream, references(body, members))

    def usage(self, body: bytes) -> Usage | None:
        """Return the usage in a whole reply, None where it makes no sense."""
        try:
            return _usage(json.members(body))
        except ValueError:
            return None

    def reply(self, body: bytes, provider: str) -> tuple[bytes, Usage | None, Sequence[str]]:
        """Check a whole reply and name its provider; raises `UpstreamError` if it is none."""
        reply = read_reply(body)
        if not holds(reply, "candidates") and "promptFeedback" not in reply:
            raise rejection(body, reply, "'candidates'")
        return name_provider(body, reply, provider), _usage(reply), ()

    def meter(self, *, hide_usage: bool) -> Meter:
        """Return the watcher of one stream; usage is in every event and never hidden."""
        return GeminiMeter()


def _usage(reply: dict[str, Raw]) -> Usage | None:
    raw = reply.get("usageMetadata", json.NULL)
    return read_usage(raw) if json.kind(raw) == "object" else None
