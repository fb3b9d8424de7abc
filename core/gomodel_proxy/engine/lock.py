"""One helper: a lock on a file that ends with its process, however that ends."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["lock"]


def lock(path: Path) -> int | None:
    """Lock a file, made if missing; return the descriptor that holds it, None if it is taken.

    Closing the descriptor frees the lock. A second lock by the same process is refused as well.
    """
    held = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if sys.platform == "win32":
            msvcrt.locking(held, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):  # how Unix and Windows say that it is taken
        os.close(held)
        return None
    except OSError:
        os.close(held)
        raise
    return held
