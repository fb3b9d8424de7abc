"""Request bodies of Bedrock: the model stands in the path, so there is nothing to readdress."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["BodyFields"]


class BodyFields:
    """A body that this plugin wrote; a `Fields`."""

    __slots__ = ("_body",)

    model = ""
    stream = False
    provider: str | None = None
    asked_usage = True
    references: Sequence[tuple[str, str]] = ()

    def __init__(self, body: bytes) -> None:
        self._body = body

    def readdress(self, model: str, *, ask_usage: bool) -> bytes:
        """Return the body as it is."""
        return self._body
