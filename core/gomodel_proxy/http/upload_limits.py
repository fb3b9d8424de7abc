"""What an upload may have: known when its head is judged, before any of it is read."""

from __future__ import annotations

from typing import Final

__all__ = ["FILE_LIMIT", "FORM", "UPLOADS"]

UPLOADS: Final = "/v1/files"
FILE_LIMIT: Final = "batches.file_limit"
FORM: Final = 64 * 1024
"""What a form may have besides its file."""
