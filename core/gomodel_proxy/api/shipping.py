"""A vendor's own batch API, as its provider knows it: pure, the core does the sending.

What takes several requests is written as a generator of `Steps`: it yields a request and is sent
the reply; a refusal is thrown into it as the `UpstreamError` that the provider makes of it.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Literal, Protocol, TypeVar

import msgspec

from .batches import Shipment
from .values import Headers, UpstreamRequest

__all__ = [
    "PagedResults",
    "Shipping",
    "ShippingTerms",
    "Steps",
    "VendorBatch",
    "VendorReply",
    "VendorResult",
]

T = TypeVar("T")


class VendorReply(msgspec.Struct, frozen=True):
    """A reply with a status below 400."""

    status: int
    headers: Headers
    body: bytes


Steps = Generator[UpstreamRequest, VendorReply, T]


class ShippingTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What one batch at the vendor can hold.

    ``size`` is bytes of all lines. ``by_model`` says that all lines must name one model.
    """

    lines: int
    size: int
    by_model: bool = False


class VendorBatch(msgspec.Struct, frozen=True, kw_only=True):
    """A batch as the vendor tells it. ``data`` is what its provider wants back in `Shipment`.

    "ended": results can be had, of some lines at least; ``rest`` is what became of the others.
    "failed": there are none and nothing was charged; ``error`` says why, and ``again`` that the
    vendor may take it later, when it has room.
    """

    id: str
    state: Literal["running", "cancelling", "ended", "failed"]
    rest: Literal["missing", "cancelled", "expired"] = "missing"
    error: str | None = None
    again: bool = False
    data: bytes = b""


class VendorResult(msgspec.Struct, frozen=True, kw_only=True):
    """One line's result. ``body`` is the reply, or the vendor's error, in the line's dialect.

    ``kind``: "done" is a reply or a refusal, by ``status``; the others have no body.
    """

    line: str
    kind: Literal["done", "cancelled", "expired"] = "done"
    status: int = 200
    body: bytes = b""


class Shipping(Protocol):
    """What a `Provider` can have besides, as ``shipping``: a vendor's own batches.

    A line's id is ours: at most 64 letters, digits and hyphens.
    """

    def terms(self, dialect: str, model: str) -> ShippingTerms | None:
        """Return what a batch of such lines can hold, None if the vendor takes none."""

    def line(self, id: str, dialect: str, model: str, body: bytes) -> bytes:
        """Return one line as it is sent; ``body`` is what `Provider.request` made of it."""

    def submit(self, shipment: Shipment, lines: Sequence[bytes]) -> Steps[VendorBatch]:
        """Hand the lines over, with the shipment's mark where the vendor has room for it."""

    def find(self, shipment: Shipment, lines: Sequence[str]) -> Steps[VendorBatch | None]:
        """Look for a shipment that may have been submitted: by its mark, or by its lines' ids.

        ``shipment.began`` is when that was tried. None says that the vendor never took it; raises
        LookupError while that cannot be told.
        """

    def poll(self, shipment: Shipment) -> Steps[VendorBatch]:
        """Ask how far it is."""

    def cancel(self, shipment: Shipment) -> Steps[None]:
        """Have it stopped; one that has ended is no error."""

    def results(self, shipment: Shipment) -> Sequence[UpstreamRequest]:
        """Return the requests whose replies hold the results, a line each, in any order."""

    def result(self, line: bytes) -> VendorResult:
        """Read one such line; raises ValueError on one that makes no sense."""

    def leftovers(self, shipment: Shipment) -> Sequence[UpstreamRequest]:
        """Return the requests that clear away what only settling needed; they may fail."""


class PagedResults(Protocol):
    """What a `Shipping` can be besides: one whose results come in pages of JSON, not in lines."""

    def page(
        self, shipment: Shipment, body: bytes
    ) -> tuple[Sequence[bytes], UpstreamRequest | None]:
        """Return the results of one page, and the request for the next one.

        Raises ValueError on a body that is no page.
        """
