"""What generated requests are made of: each text and number is there once.

So `losslessness.check` finds it in the written body, or does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from gomodel_proxy.wire import json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Maker"]

_WORDS = ("plain", 'a "quoted" one', "back\\slash", "zwei\nZeilen", "日本", "🙂", "{not json}")


class Maker:
    """Draws from hypothesis and numbers what it makes."""

    def __init__(self, draw: Callable[[Any], Any]) -> None:
        self.draw = draw
        self._made = 0

    def count(self) -> int:
        """Return the next number."""
        self._made += 1
        return self._made

    def text(self) -> str:
        """Return a text like no other."""
        return f"t{self.count()}. {self.draw(st.sampled_from(_WORDS))}"

    def word(self) -> str:
        """Return a name like no other."""
        return f"w{self.count()}z"

    def whole(self) -> int:
        """Return a whole number like no other."""
        return 1000 + self.count()

    def fraction(self) -> float:
        """Return a number between 0 and 1 like no other."""
        return self.count() / 1024

    def one(self, *made: Callable[[], Any]) -> Any:
        """Return what one of these makes."""
        return self.draw(st.sampled_from(made))()

    def some(self, make: Callable[[], Any], most: int = 2, least: int = 0) -> list[Any]:
        """Return a few of what this makes."""
        return [make() for _ in range(self.draw(st.integers(least, most)))]

    def object(
        self, needed: Mapping[str, Any], optional: Mapping[str, Callable[[], Any]] | None = None
    ) -> dict[str, Any]:
        """Return an object with some of the optional members, and perhaps one nobody knows."""
        made = dict(needed)
        names = sorted(optional or {})
        if optional and names:
            for name in self.draw(st.sets(st.sampled_from(names))):
                made[name] = optional[name]()
        if self.draw(st.integers(0, 5)) == 0:
            made[f"x_{self.count()}"] = self.one(
                self.text, lambda: {"deep": [self.whole(), {"deeper": self.text()}]}
            )
        return made

    def schema(self) -> dict[str, Any]:
        """Return a JSON schema."""
        inner = {"type": "string", "description": self.text(), "maxLength": self.whole()}
        return {"type": "object", "properties": {self.word(): inner}, "required": [self.word()]}

    def arguments(self) -> str:
        """Return a call's arguments, as JSON text."""
        return json.encode({self.word(): self.text(), "n": [self.whole()]}).decode()

    def data_url(self, kind: str) -> str:
        """Return a data URL."""
        return f"data:{kind};base64,QUJD{self.count():04d}"

    def cache(self) -> dict[str, Any]:
        """Return a caching mark."""
        return {"type": "ephemeral", "ttl": f"{self.count()}m"}
