"""PostgreSQL storage for gomodel-proxy: every part of the store in one schema of a database."""

from __future__ import annotations

from typing import Final

GOMODEL_API: Final = 1
