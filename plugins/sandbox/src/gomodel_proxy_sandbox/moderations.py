"""Moderations: OpenAI's ``/v1/moderations``; a text is flagged for a category it names.

Format: https://platform.openai.com/docs/api-reference/moderations
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from . import replies

if TYPE_CHECKING:
    from .replies import Prompt, Reply

__all__ = ["reply"]

_CATEGORIES: Final = (
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/instructions",
    "self-harm/intent",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
)


class Part(msgspec.Struct):
    """A part of an input; only text is looked at."""

    type: str
    text: str = ""


class ModerationForm(msgspec.Struct):
    """The members of a request that change the answer."""

    input: str | list[str | Part]

    @property
    def texts(self) -> list[str]:
        """Each text to be judged; parts are one text."""
        if isinstance(self.input, str):
            return [self.input]
        texts = [part for part in self.input if isinstance(part, str)]
        return texts or ["".join(part.text for part in self.input if isinstance(part, Part))]


def reply(prompt: Prompt) -> Reply:
    """Return the reply to a moderation request; raises `InvalidRequest`."""
    form = prompt.read(ModerationForm)
    return replies.json(
        {
            "id": prompt.id("modr-"),
            "model": prompt.members["model"],
            "results": [_result(text.lower()) for text in form.texts],
        }
    )


def _result(text: str) -> dict[str, Any]:
    flags = {name: name in text for name in _CATEGORIES}
    return {
        "flagged": any(flags.values()),
        "categories": flags,
        "category_scores": {name: 0.99 if flag else 0.01 for name, flag in flags.items()},
        "category_applied_input_types": {name: ["text"] for name in flags},
    }
