"""Whose proofs of thought a model's are: those of Claude prove the same wherever it runs.

platform.claude.com/docs/en/build-with-claude/extended-thinking (2026-11): signatures are compatible
across the platforms of the vendor.

Trait: ``proofs``, the dialect that the model's proofs belong to; Bedrock's own where it is absent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DIALECT", "proofs_of"]

DIALECT: Final = "bedrock.converse"


def proofs_of(traits: Mapping[str, Any]) -> str:
    """Return the dialect of the thoughts that a model proves and whose proofs it takes."""
    found: str = traits.get("proofs", DIALECT)
    return found
