"""The parts of the store that batches need, or what to do about their absence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gomodel_proxy.api import Unavailable

if TYPE_CHECKING:
    from gomodel_proxy.api import Batches, Files
    from gomodel_proxy.engine.generation import Generation

__all__ = ["batches_of", "files_of"]


def batches_of(g: Generation) -> Batches:
    """Return where batches are kept; raises `Unavailable` if nothing keeps them."""
    if g.store is None or g.store.batches is None:
        raise _storeless("Batches")
    return g.store.batches


def files_of(g: Generation) -> Files:
    """Return where files are kept; raises `Unavailable` if nothing keeps them."""
    if g.store is None or g.store.files is None:
        raise _storeless("Files")
    return g.store.files


def _storeless(what: str) -> Unavailable:
    return Unavailable(
        f"{what} need a store: install gomodel-proxy-sqlite and configure [store].",
        code="no_store",
        status=501,
    )
