"""Shipments: lines that a vendor executes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gomodel_proxy.api import Batch
    from gomodel_proxy.engine.generation import Generation

__all__ = ["advance"]


async def advance(g: Generation, batch: Batch, token: int, now: int) -> None:
    """Do what is due of a batch's shipments."""
    raise NotImplementedError
