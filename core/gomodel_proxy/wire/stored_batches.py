"""A batch as the JSON text that stores keep of it."""

from __future__ import annotations

import json as stdlib
from typing import Final

import msgspec

from gomodel_proxy.api import Batch

__all__ = ["read", "write"]

_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Batch).decode


def write(batch: Batch) -> str:
    """Return the text of a batch; members that are as by default are left out."""
    try:
        return _encode(batch).decode()
    except UnicodeEncodeError:  # half a surrogate pair: a header of the caller's is any bytes
        return stdlib.dumps(msgspec.to_builtins(batch), separators=(",", ":"))


def read(text: str) -> Batch:
    """Return the batch that `write` made the text of."""
    try:
        return _decode(text)
    except msgspec.DecodeError:  # the same half pair, escaped
        return msgspec.convert(stdlib.loads(text), Batch)
