"""How a dialect's callers see batches: the same ones, whatever dialect made them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from .batches import Batch, LineResult

__all__ = ["BatchAsk", "BatchView", "LineAsk"]


class LineAsk(msgspec.Struct, frozen=True):
    """A line that was written into the request itself. Members that are absent are None."""

    custom_id: str | None
    method: str | None
    url: str | None
    body: msgspec.Raw | None


class BatchAsk(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller asks for: a file of lines, or the lines themselves. ``window`` is text.

    ``output_lifetime`` is seconds that the files of results are kept. ``ignored`` are members that
    mean nothing here; the caller is told so.
    """

    endpoint: str = ""
    window: str = "24h"
    input_file: str | None = None
    lines: Sequence[LineAsk] | None = None
    metadata: dict[str, str] = {}
    output_lifetime: int | None = None
    ignored: tuple[str, ...] = ()


class BatchView(Protocol):
    """What a `Dialect` can have besides, as ``batches``: its own batch API.

    It is served below ``path``: POST and GET on it, GET on ``/{id}`` and ``/{id}/results``, POST on
    ``/{id}/cancel``, DELETE on ``/{id}`` if ``deletes``.
    """

    @property
    def path(self) -> str:
        """Such as ``/v1/batches``."""

    @property
    def deletes(self) -> bool:
        """Whether its callers may delete batches that have ended."""

    @property
    def jsonl(self) -> bool:
        """Whether results are always a stream of lines; else they are JSON pages by default."""

    @property
    def cursors(self) -> tuple[str, str | None]:
        """The query keys for "behind this one" and, if there is one, "before this one"."""

    @property
    def default_limit(self) -> int:
        """How long a page is if the caller does not say."""

    @property
    def max_limit(self) -> int:
        """How long a page may be."""

    def name(self, id: str) -> str:
        """Return the id that its callers see."""

    def id(self, name: str) -> str:
        """Return the batch's id; any other text for what cannot be one."""

    def read(self, body: bytes) -> BatchAsk:
        """Read a request for a batch; raises `InvalidRequest`."""

    def write(self, batch: Batch, results: Sequence[LineResult] | None, base_url: str) -> bytes:
        """Write a batch. ``results`` are given where they are to stand in it."""

    def page(self, batches: Sequence[bytes], names: Sequence[str], more: bool) -> bytes:
        """Write a page of batches that are written already."""

    def deleted(self, name: str) -> bytes:
        """Write that a batch is deleted."""

    def result(self, batch: Batch, result: LineResult) -> bytes:
        """Write one result as its callers read it, without a newline."""
