"""Proofs of other dialects, kept in ``encrypted_content`` so that a client sends them back.

A client of ``openai.responses`` returns a reasoning item as it came, and of it often only the
encrypted content. So that carries what another vendor wants back: its signature or its encrypted
thought, and the text that is signed. It is no secret, only wrapped: a mark, then base64 of JSON.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Final

import msgspec

from .openai_responses_content import DIALECT

if TYPE_CHECKING:
    from gomodel_proxy.api.chat import Reasoning

__all__ = ["unwrap", "wrap"]

_MARK: Final = "gomodel.1."


class _Proof(msgspec.Struct, omit_defaults=True):
    dialect: str
    text: str = ""
    signature: str | None = None
    encrypted: str | None = None
    redacted: bool = False


_decode: Final = msgspec.json.Decoder(_Proof).decode


def wrap(part: Reasoning) -> str | None:
    """Return the encrypted content of a reasoning item, None where there is nothing to prove."""
    if part.dialect == DIALECT and part.signature is None:
        return part.encrypted
    if part.signature is None and part.encrypted is None:
        return None
    proof = _Proof(part.dialect, part.text, part.signature, part.encrypted, part.redacted)
    return _MARK + base64.urlsafe_b64encode(msgspec.json.encode(proof)).decode()


def unwrap(part: Reasoning) -> None:
    """Give a part back what `wrap` made of it; the vendor's own content stays as it is."""
    if part.encrypted is None or not part.encrypted.startswith(_MARK):
        return
    try:
        proof = _decode(base64.urlsafe_b64decode(part.encrypted.removeprefix(_MARK)))
    except (binascii.Error, ValueError):
        return
    part.dialect, part.text = proof.dialect, proof.text
    part.signature, part.encrypted = proof.signature, proof.encrypted
    part.redacted = proof.redacted
