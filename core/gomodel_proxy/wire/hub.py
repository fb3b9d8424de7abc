"""Joins two codecs through the neutral model: the caller's and the provider's."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from gomodel_proxy.api import InvalidRequest, Losses, Translation
from gomodel_proxy.api.chat import Start

from .media import refuse_large_images

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gomodel_proxy.api import Codec, EventReader, EventWriter
    from gomodel_proxy.api.chat import ChatRequest, StreamEvent

__all__ = ["Hub"]


class Hub:
    """A `Translator` between any two dialects that have codecs; `Stepwise`.

    Trait: ``max_image_bytes``, the largest image that the model takes.
    """

    def __init__(self, caller: Codec, provider: Codec) -> None:
        self._caller = caller
        self._provider = provider
        self.remote: frozenset[str] | None = getattr(provider, "remote", None)

    def begin(self, body: bytes, model: str, traits: Mapping[str, Any]) -> HubPassage:
        """Translate a request."""
        return self.write(self.read(body), model, traits)

    def read(self, body: bytes) -> ChatRequest:
        """Read a request."""
        with _wrong_types():
            return self._caller.read_request(body)

    def write(self, request: ChatRequest, model: str, traits: Mapping[str, Any]) -> HubPassage:
        """Write a request that was read."""
        request.model = model
        if not request.messages:
            name = request.names.get("messages", "messages")
            raise InvalidRequest(f"'{name}' is empty.", code="empty_array", param=name)
        limit = traits.get("max_image_bytes")
        if limit is not None:
            refuse_large_images(request, limit)
        losses = Losses()
        with _wrong_types():
            written = self._provider.write_request(request, traits=traits, losses=losses)
        return HubPassage(
            self._caller, self._provider, request, traits, body=written, losses=losses.found
        )


@contextmanager
def _wrong_types() -> Iterator[None]:
    """Make a member that is not what its dialect says the caller's fault, not ours."""
    try:
        yield
    except msgspec.DecodeError as error:
        raise InvalidRequest(
            f"A member of the request has the wrong type: {error}", code="invalid_type"
        ) from error


class HubPassage:
    """One call on its way through the hub."""

    def __init__(
        self,
        caller: Codec,
        provider: Codec,
        request: ChatRequest,
        traits: Mapping[str, Any],
        *,
        body: bytes,
        losses: Sequence[str],
    ) -> None:
        self._caller = caller
        self._provider = provider
        self._request = request
        self._traits = traits
        self.body = body
        self.losses = losses

    def reply(self, body: bytes) -> Translation:
        """Translate a whole reply."""
        losses = Losses()
        reply = self._provider.read_reply(body, traits=self._traits)
        reply.model = reply.model or self._request.model  # some vendors do not name it
        written = self._caller.write_reply(reply, self._request, losses=losses)
        return Translation(written, losses.found)

    def stream(self, losses: Losses) -> HubStage:
        """Return the stage that translates the stream."""
        reader = self._provider.reader(traits=self._traits)
        writer = self._caller.writer(self._request, losses=losses)
        return HubStage(reader, writer, self._request.model)


class HubStage:
    """Reads events in one dialect and writes them in the other."""

    def __init__(self, reader: EventReader, writer: EventWriter, model: str) -> None:
        self._reader = reader
        self._writer = writer
        self._model = model
        self._named = False

    def feed(self, data: bytes) -> bytes:
        """Translate whole events."""
        if data.endswith(b"\r"):
            data += b"\n"  # which the reader would wait for, and none will come
        try:
            events = self._reader.feed(data)
        except InvalidRequest as error:  # how `Members` puts it, of a body that is no request
            raise ValueError(error.message) from error
        if not events:
            return b""
        if not self._named:
            self._name(events)
        return self._writer.write(events)

    def close(self) -> bytes:
        """Write what ends the stream."""
        return self._writer.write(self._reader.close()) + self._writer.close()

    def _name(self, events: Sequence[StreamEvent]) -> None:
        """Say which model answers, where the vendor does not."""
        self._named = True
        for event in events:
            if isinstance(event, Start) and not event.model:
                event.model = self._model
