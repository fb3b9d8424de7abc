"""Prose: sentences that depend on nothing but their seed."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Dice", "paragraph", "repeat"]

T = TypeVar("T")

_SUBJECTS = ("The gateway", "A small model", "The harbour", "One careful reader", "The old map",
             "A quiet stream", "The morning train", "Every lighthouse")  # fmt: skip
_VERBS = ("carries", "remembers", "follows", "measures", "answers", "mends", "crosses", "keeps")
_OBJECTS = ("a letter", "the northern road", "its own echo", "seven lanterns", "the last token",
            "an open window", "the river", "a patient question")  # fmt: skip
_PLACES = ("before dawn", "without a sound", "beyond the hills", "in plain words", "twice a day",
           "under the bridge", "against the wind", "as it was asked to")  # fmt: skip


class Dice:
    """Choices that look random and are the same for the same seed on every machine."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._rolls = 0

    def below(self, limit: int) -> int:
        """Return the next number from 0 to ``limit`` - 1."""
        self._rolls += 1
        digest = blake2b(self._seed, digest_size=8, salt=self._rolls.to_bytes(16, "big"))
        return int.from_bytes(digest.digest(), "big") % limit

    def pick(self, choices: Sequence[T]) -> T:
        """Return one of some choices."""
        return choices[self.below(len(choices))]


def paragraph(dice: Dice, sentences: int) -> str:
    """Return some sentences."""
    return " ".join(_sentence(dice) for _ in range(sentences))


def repeat(text: str, size: int) -> str:
    """Return ``size`` characters of a text said again and again."""
    line = f"{text} "
    return (line * (size // len(line) + 1))[:size]


def _sentence(dice: Dice) -> str:
    words = (dice.pick(words) for words in (_SUBJECTS, _VERBS, _OBJECTS, _PLACES))
    return " ".join(words) + "."
