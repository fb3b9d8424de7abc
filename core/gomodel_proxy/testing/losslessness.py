"""Holds codecs to losing nothing in silence: every leaf of a request is written or reported.

A leaf counts as written if its value is a value of the body that goes upstream, or stands in one:
texts may be joined, arguments change between JSON text and an object, a data URL is taken apart.
It counts as reported if a loss names it or anything it is part of. A boolean says nothing by its
value alone, so it must keep its name as well.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from gomodel_proxy.api import Losses
from gomodel_proxy.wire import data_urls

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from gomodel_proxy.api import Codec

__all__ = ["check", "silent_losses"]

Leaf = tuple[str, Any]
_NUMBER = re.compile(r"\[\d+\]")


def check(
    codec_from: Codec,
    codec_to: Codec,
    body: bytes,
    traits: Mapping[str, Any],
    *,
    agreed: Collection[str] = (),
) -> None:
    """Raise AssertionError that names each leaf of ``body`` which is lost without a word.

    ``agreed`` are places that may vanish, without numbers: ``input[].id``.
    """
    request = codec_from.read_request(body)
    losses = Losses()
    written = codec_to.write_request(request, traits=traits, losses=losses)
    lost = silent_losses(body, written, losses.found, agreed=agreed)
    told = f"written: {written.decode()}\nreported: {losses.found}"
    assert not lost, f"lost without a word: {lost}\n{told}"


def silent_losses(
    body: bytes, written: bytes, losses: Sequence[str], *, agreed: Collection[str] = ()
) -> list[str]:
    """Return the places in ``body`` of leaves that are neither in ``written`` nor in ``losses``."""
    there = _Written(json.loads(written))
    reported = [loss.partition("(")[0] for loss in losses]
    return [
        at
        for at, value in _leaves(json.loads(body))
        if not there.has(at, value)
        and not any(_within(at, place) for place in reported)
        and not any(_within(_NUMBER.sub("[]", at), place) for place in agreed)
    ]


def _within(at: str, place: str) -> bool:
    return at == place or at.startswith((f"{place}.", f"{place}["))


def _leaves(value: Any, at: str = "") -> Iterator[Leaf]:
    """Yield what says something; null does not, nor does a type beside other members."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name not in ("type", "role") or len(value) == 1:
                yield from _leaves(inner, f"{at}.{name}" if at else name)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _leaves(inner, f"{at}[{number}]")
    elif value is not None:
        yield at, value


class _Written:
    """What a body says, ready to be asked."""

    def __init__(self, body: Any) -> None:
        self._numbers: set[float] = set()
        self._flags: set[tuple[str, bool]] = set()
        self._texts: list[str] = []
        self._add(body, "")

    def _add(self, value: Any, name: str) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                self._add(inner, key)
        elif isinstance(value, list):
            for inner in value:
                self._add(inner, name)
        elif isinstance(value, bool):
            self._flags.add((name, value))
        elif isinstance(value, str):
            self._texts.append(value)
            inner = _as_json(value)
            if inner is not None:
                self._add(inner, name)
        elif value is not None:
            self._numbers.add(value)

    def has(self, at: str, value: Any) -> bool:
        """Return whether a leaf is there."""
        name = at.rpartition(".")[2]
        if isinstance(value, bool):
            return (name, value) in self._flags
        if not isinstance(value, str):
            return value in self._numbers
        if any(value in text for text in self._texts):
            return True
        inline = data_urls.split(value)
        if inline is not None:
            media_type, data = inline
            return self.has(at, data) and (media_type is None or self.has(at, media_type))
        inner = _as_json(value)
        return inner is not None and all(self.has(*leaf) for leaf in _leaves(inner, at))


def _as_json(text: str) -> Any:
    """Return the object or array that a text is, None if it is neither."""
    if text[:1] not in ("{", "["):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return None
