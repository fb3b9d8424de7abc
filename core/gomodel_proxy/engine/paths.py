"""Paths that dialects are spoken at: exact ones, and patterns with names in braces."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["matcher"]

_NAMED: Final = re.compile(r"\{\w+(?::([^{}]*))?\}")


def matcher(pattern: str) -> re.Pattern[str]:
    """Return what matches a path: ``{name}`` is a segment, ``{name:regex}`` what that matches."""
    found = []
    start = 0
    for named in _NAMED.finditer(pattern):
        found.append(re.escape(pattern[start : named.start()]))
        found.append(f"(?:{named[1] or '[^/]+'})")
        start = named.end()
    found.append(re.escape(pattern[start:]))
    return re.compile("".join(found))
