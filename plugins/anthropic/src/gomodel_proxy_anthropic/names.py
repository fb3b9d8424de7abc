"""The names of Anthropic's two dialects."""

from __future__ import annotations

from typing import Final

__all__ = ["COUNT", "DIALECT"]

DIALECT: Final = "anthropic.messages"
COUNT: Final = "anthropic.count_tokens"
