"""OpenAI's dialects, which the core itself offers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .openai_chat import OpenAIChat
from .openai_compact import OpenAICompact
from .openai_completions import OpenAICompletions
from .openai_embeddings import OpenAIEmbeddings
from .openai_input_tokens import OpenAIInputTokens
from .openai_moderations import OpenAIModerations
from .openai_responses import OpenAIResponses

if TYPE_CHECKING:
    from gomodel_proxy.api import Dialect

__all__ = ["DIALECTS"]

DIALECTS: Final[tuple[Dialect, ...]] = (
    OpenAIChat(),
    OpenAIResponses(),
    OpenAIEmbeddings(),
    OpenAICompletions(),
    OpenAIModerations(),
    OpenAIInputTokens(),
    OpenAICompact(),
)
"""All of them, each without state."""
