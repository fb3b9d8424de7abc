"""Which event loop the command's own server runs on; an embedding host brings its own."""

from __future__ import annotations

import asyncio
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["factory", "name"]


def factory(
    choice: Literal["auto", "asyncio", "uvloop"],
) -> Callable[[], asyncio.AbstractEventLoop]:
    """Return what makes the loop of choice; "auto" is uvloop where that is installed."""
    if choice == "asyncio" or (choice == "auto" and find_spec("uvloop") is None):
        return asyncio.new_event_loop
    import uvloop

    return uvloop.new_event_loop


def name(loop: asyncio.AbstractEventLoop) -> str:
    """Return the package that a loop comes from."""
    return type(loop).__module__.partition(".")[0]
