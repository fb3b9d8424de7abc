"""The event loop that asynchronous tests run on: ``GOMODEL_TEST_LOOP=uvloop pytest``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gomodel_proxy.http.loops import factory

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Mapping

__all__ = ["Loops"]


class Loops:
    """A pytest plugin that gives every asynchronous test a loop of one kind."""

    def __init__(self, kind: Any) -> None:
        self._factories = {kind: factory(kind)}

    @pytest.hookimpl
    def pytest_asyncio_loop_factories(
        self,
    ) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
        """Answer pytest-asyncio's question."""
        return self._factories
