"""Proofs of thought: the vendor's own, and other vendors' on their way through this dialect.

ai.google.dev/gemini-api/docs/thought-signatures (2026-11). ``thoughtSignature`` is bytes, in
base64 of either alphabet. Callers of this dialect hand it back as it came, so a proof of another
vendor travels in it, marked, and is unpacked when it returns.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Final

import msgspec

from gomodel_proxy.api.chat import Reasoning

from .words import DIALECT

if TYPE_CHECKING:
    from gomodel_proxy.api import Losses

__all__ = ["UNPROVEN", "is_base64", "is_proof", "pack", "standard", "thought", "write_thought"]

UNPROVEN: Final = base64.b64encode(b"skip_thought_signature_validator").decode()
"""What the vendor takes in place of a signature for calls that it never made."""

_MARK: Final = b"gomodel-proxy:"
_URL_SAFE: Final = str.maketrans("-_", "+/")


class _Foreign(msgspec.Struct, array_like=True):
    dialect: str
    signature: str | None
    encrypted: str | None
    redacted: bool
    item: str | None


def standard(data: str) -> str:
    """Return base64 in its standard alphabet, padded."""
    data = data.translate(_URL_SAFE).rstrip("=")
    return data + "=" * (-len(data) % 4)


def is_base64(data: str) -> bool:
    """Return whether this is base64 of either alphabet."""
    try:
        return bool(base64.b64decode(standard(data), validate=True))
    except (binascii.Error, ValueError):
        return False


def is_proof(signature: str) -> bool:
    """Return whether this can be a signature: base64 without a bit too many at its end."""
    if not is_base64(signature):
        return False
    last = standard(signature)[-4:]
    return base64.b64encode(base64.b64decode(last)).decode() == last


def pack(part: Reasoning) -> str | None:
    """Return the signature to send with a thought; another vendor's proof is packed."""
    if part.dialect == DIALECT:
        return part.signature
    if part.signature is None and part.encrypted is None:
        return None
    foreign = _Foreign(part.dialect, part.signature, part.encrypted, part.redacted, part.item)
    return base64.b64encode(_MARK + msgspec.json.encode(foreign)).decode()


def thought(text: str, signature: str | None, at: str = "") -> Reasoning:
    """Return a thought with its proof, unpacked if it is another vendor's."""
    foreign = None if signature is None else _unpack(signature)
    if foreign is None:
        return Reasoning(text, signature=signature, dialect=DIALECT, at=at)
    return Reasoning(
        text,
        signature=foreign.signature,
        encrypted=foreign.encrypted,
        redacted=foreign.redacted,
        item=foreign.item,
        dialect=foreign.dialect,
        at=at,
    )


def _unpack(signature: str) -> _Foreign | None:
    try:
        data = base64.b64decode(standard(signature))
        if data.startswith(_MARK):
            return msgspec.json.decode(data[len(_MARK) :], type=_Foreign)
    except (binascii.Error, ValueError):
        pass
    return None


def write_thought(part: Reasoning, at: str, losses: Losses) -> dict[str, object] | None:
    """Return a thought as a part of a request: its words, and its proof if the vendor's own."""
    text = part.text or "\n\n".join(part.summary)
    if part.text and part.summary:
        losses.drop(at, "summary")
    own = part.dialect == DIALECT and part.signature is not None and is_proof(part.signature)
    foreign = part.encrypted is not None or (part.signature is not None and not own)
    if foreign or not (text or own):
        losses.drop(at)  # the proof, of which each dialect has its own name
    if not text and not own:
        return None
    out: dict[str, object] = {"text": text, "thought": True}
    if own:
        out["thoughtSignature"] = part.signature
    return out
