"""`Place`: where in the configuration something stands, for error messages."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from gomodel_proxy.api import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

_BARE: Final = re.compile(r"[\w-]+", re.ASCII)


class Place(Struct, frozen=True):
    """A dotted key in a named source: ``config.toml: providers.openai.api_key``."""

    source: str
    key: str = ""

    def __truediv__(self, member: object) -> Place:
        name = str(member)
        written = name if _BARE.fullmatch(name) else f'"{name}"'
        return Place(self.source, f"{self.key}.{written}" if self.key else written)

    def item(self, index: int) -> Place:
        """Return the place of a list's item."""
        return Place(self.source, f"{self.key}[{index}]")

    def __str__(self) -> str:
        return f"{self.source}: {self.key}" if self.key else self.source

    def error(self, message: str) -> ConfigError:
        """Return the error that something here is wrong."""
        return ConfigError(f"{self}: {message}")

    def unknown(self, noun: str, name: str, known: Iterable[str]) -> ConfigError:
        """Return the error that ``name`` is none of ``known``, with the nearest of them."""
        names = sorted(known)
        near = difflib.get_close_matches(name, names, 1)
        if near:
            return self.error(f"unknown {noun}; did you mean {near[0]!r}?")
        return self.error(f"unknown {noun} (known: {', '.join(names) or 'none'})")
