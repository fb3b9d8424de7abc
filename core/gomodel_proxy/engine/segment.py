"""One file of a journal: made in full, mapped, written by copying."""

from __future__ import annotations

import mmap
import os
import sys
from typing import TYPE_CHECKING
from zlib import crc32

from .records import FILE, FILE_MARK, MARK, RECORD, Record, decode

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Segment", "sync_folder"]

_copy_head = RECORD.pack_into
_HEAD_SIZE = RECORD.size


class Segment:
    """Records in a mapped file. What was appended outlives the process, though not the power.

    ``open`` holds the place of each intent without settlement, ``waiting`` counts the records
    that the store has yet to commit; the file may go when both are nothing.
    """

    __slots__ = ("_fd", "_map", "_synced", "open", "path", "size", "used", "waiting")

    def __init__(self, path: Path, size: int) -> None:
        """Make the file, all of its space included: a full disk raises `OSError` here and now."""
        self.path = path
        self.size = size
        self.open: dict[str, int] = {}
        self.waiting = 0
        self._synced = 0
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        self._fd = os.open(path, flags, 0o600)
        try:
            _fill(self._fd, size)
            self._map = mmap.mmap(self._fd, size)
        except BaseException:
            os.close(self._fd)
            path.unlink()
            raise
        FILE.pack_into(self._map, 0, FILE_MARK, size)
        self.used = FILE.size

    def append(self, payload: bytes) -> int:
        """Add a record and return its offset, -1 if it does not fit."""
        offset = self.used
        start = offset + _HEAD_SIZE
        length = len(payload)
        end = start + length
        if end > self.size:
            return -1
        # The head goes last: a process killed in between has not begun a record.
        self._map[start:end] = payload
        _copy_head(self._map, offset, MARK, length, crc32(payload))
        self.used = end
        return offset

    def payload(self, offset: int) -> bytes:
        """Return the payload of the record at an offset."""
        start = offset + RECORD.size
        return self._map[start : start + RECORD.unpack_from(self._map, offset)[1]]

    def record(self, offset: int) -> tuple[Record, int]:
        """Return the record at an offset, and the offset behind it."""
        payload = self.payload(offset)
        return decode(payload), offset + RECORD.size + len(payload)

    @property
    def finished(self) -> bool:
        """Whether nothing in the file is needed any more."""
        return not self.waiting and not self.open

    def sync(self) -> None:
        """Write to the disk what was appended since the last time."""
        used = self.used
        if used == self._synced:
            return
        if sys.platform == "win32":
            self._map.flush()
        elif sys.platform == "darwin":
            os.fsync(self._fd)
        else:  # unlike mmap.flush it lets other threads run, and it writes mapped pages too
            os.fdatasync(self._fd)
        self._synced = used

    def close(self) -> None:
        """Let go of the file and leave it where it is."""
        self._map.close()
        os.close(self._fd)

    def delete(self) -> None:
        """Let go of the file and remove it."""
        self.close()
        self.path.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Write a folder's entries to the disk, so that a new file is found after a power cut."""
    if sys.platform == "win32":
        return  # it has no such call
    held = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(held)
    finally:
        os.close(held)


def _fill(fd: int, size: int) -> None:
    """Write zeros: a mapped page that finds no space on the disk would kill the process.

    posix_fallocate takes the space too, but leaves the pages to be made, at 5 us each, by the
    requests that first touch them; these are there already.
    """
    zeros = bytes(min(size, 1 << 18))
    while size > 0:
        size -= os.write(fd, zeros[:size])
