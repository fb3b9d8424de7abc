"""Canned answers for whatever is sent through `aiohttp.ClientSession`."""

from __future__ import annotations

from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from aiohttp import ClientResponse
from aioresponses import aioresponses

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["canned"]


class _Response(ClientResponse):
    """A response that can be made as aioresponses 0.7.9 makes it, with aiohttp 3.14 and later."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("stream_writer", SimpleNamespace(output_size=0))
        super().__init__(*args, **kwargs)


class _Responses(aioresponses):
    def add(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("response_class", _Response)
        super().add(*args, **kwargs)


@contextmanager
def canned() -> Iterator[Any]:
    """Answer for `ClientSession` instead of the network: ``with canned() as web: web.post(...)``.

    A body comes as one piece, so streams need a real server; the gateway's own transport does not
    go through here at all.
    """
    with _Responses() as responses:
        yield responses
