"""``metadata``: what callers pin to an object, with the limits that OpenAI has.

https://platform.openai.com/docs/api-reference/batch/create#batch-create-metadata
(22 November 2026)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from gomodel_proxy.api import InvalidRequest

from . import json

if TYPE_CHECKING:
    from msgspec import Raw

__all__ = ["read_metadata"]

_MOST_KEYS: Final = 16
_LONGEST_KEY: Final = 64
_LONGEST_VALUE: Final = 512
_texts = msgspec.json.Decoder(dict[str, str]).decode


def read_metadata(raw: Raw) -> dict[str, str]:
    """Return metadata, null as none; raises `InvalidRequest` naming what is wrong with it."""
    if raw == json.NULL:
        return {}
    try:
        given = _texts(raw)
    except msgspec.ValidationError:
        raise InvalidRequest(
            "'metadata' must be an object of strings.", code="invalid_type", param="metadata"
        ) from None
    if len(given) > _MOST_KEYS:
        raise InvalidRequest(
            f"'metadata' takes at most {_MOST_KEYS} members.",
            code="invalid_value",
            param="metadata",
        )
    for key, value in given.items():
        if len(key) > _LONGEST_KEY or len(value) > _LONGEST_VALUE:
            raise InvalidRequest(
                f"'metadata' takes names of {_LONGEST_KEY} and values of {_LONGEST_VALUE} "
                "characters at most.",
                code="string_above_max_length",
                param=f"metadata.{key[:_LONGEST_KEY]}",
            )
    return given
