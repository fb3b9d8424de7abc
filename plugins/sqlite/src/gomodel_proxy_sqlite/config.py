"""What ``[store]`` may say."""

from __future__ import annotations

from typing import Annotated

import msgspec

NotNegative = msgspec.Meta(ge=0)


class SqliteConfig(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """The settings of ``[store]`` with ``type = "sqlite"``.

    ``path`` is relative to the configuration's folder. ``busy_timeout`` is how many seconds a
    write waits for other processes that share the file. ``retention_days`` is how long ledger
    rows are kept; 0 keeps them for ever. ``responses_days`` is that for responses that the gateway
    keeps, and for conversations since they were last written to. ``batches_days`` counts from the
    end of a batch, ``files_days`` from a file's creation. ``files`` is the folder of the bytes of
    files, ``path`` and ``.files`` by default.
    """

    type: str = "sqlite"
    path: str = "gomodel.db"
    busy_timeout: Annotated[float, NotNegative] = 30.0
    retention_days: Annotated[int, NotNegative] = 0
    responses_days: Annotated[int, NotNegative] = 30
    batches_days: Annotated[int, NotNegative] = 30
    files_days: Annotated[int, NotNegative] = 30
    files: str = ""
