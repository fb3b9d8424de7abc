"""Files that callers upload and batches produce: a part of the store.

``owner`` is a principal's id. Everywhere it narrows what is found to that principal's own; None,
for admins, finds everybody's.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Sequence
from typing import Protocol

import msgspec

__all__ = ["Files", "StoredFile"]


class StoredFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file without its bytes. Times are epoch microseconds, ``size`` is bytes.

    One with a ``batch`` has no bytes of its own: they are that batch's results.
    """

    id: str
    owner: str
    user_path: str
    created: int
    name: str
    purpose: str
    size: int = 0
    expires: int | None = None
    batch: str | None = None


class Files(Protocol):
    """Where files are kept. One that has expired is unknown."""

    async def save(self, file: StoredFile, content: AsyncIterable[bytes]) -> StoredFile:
        """Keep a file and return it with the size that was counted.

        Nothing is kept if ``content`` raises, or the process dies before it ends.
        """

    async def enter(self, file: StoredFile) -> None:
        """Keep what is known of a file, over what was; its bytes, if it has any, stay."""

    async def find(self, id: str, owner: str | None) -> StoredFile | None:
        """Return a file."""

    async def list(
        self,
        owner: str | None,
        *,
        limit: int,
        after: str | None = None,
        purpose: str | None = None,
        ascending: bool = False,
    ) -> Sequence[StoredFile]:
        """Return files, newest first or last, behind the file ``after``.

        Raises LookupError for an unknown ``after``.
        """

    def read(self, id: str, start: int = 0) -> AsyncIterator[bytes]:
        """Yield the bytes from ``start`` on, in pieces; raises LookupError for an unknown file.

        A file that is deleted meanwhile is read to its end, or LookupError is raised.
        """

    async def delete(self, id: str, owner: str | None) -> bool:
        """Delete a file with its bytes; False if it is unknown."""
