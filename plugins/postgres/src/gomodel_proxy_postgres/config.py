"""What ``[store]`` may say."""

from __future__ import annotations

from typing import Annotated

import msgspec

from gomodel_proxy.api import Secret  # noqa: TC001 (decoding reads it)

NotNegative = msgspec.Meta(ge=0)
Positive = msgspec.Meta(gt=0)
Some = msgspec.Meta(ge=1)

# Folded to lower case by PostgreSQL otherwise, and never in need of quotes.
Name = msgspec.Meta(pattern="^[a-z_][a-z0-9_]{0,47}$")


class PostgresConfig(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """The settings of ``[store]`` with ``type = "postgres"``.

    ``url`` is ``postgresql://user:password@host:port/database``, with libpq's options behind it
    (``?sslmode=verify-full``). All tables are in ``schema``, which is made if need be.
    ``connections`` are those for the gateway's own work, ``report_connections`` those for reports;
    there is one more that listens. ``wait`` is how many seconds work waits for a free one.
    ``statement_timeout`` and ``report_timeout`` end what takes longer, in seconds.
    ``retention_days`` is how long ledger rows are kept; 0 keeps them for ever. ``responses_days``
    is that for responses that the gateway keeps, and for conversations since they were last
    written to. ``batches_days`` counts from the end of a batch, ``files_days`` from a file's
    creation.
    """

    url: Secret
    type: str = "postgres"
    schema: Annotated[str, Name] = "gomodel"
    connections: Annotated[int, Some] = 10
    report_connections: Annotated[int, Some] = 2
    connect_timeout: Annotated[float, Positive] = 10.0
    wait: Annotated[float, Positive] = 30.0
    statement_timeout: Annotated[float, Positive] = 30.0
    report_timeout: Annotated[float, Positive] = 300.0
    retention_days: Annotated[int, NotNegative] = 0
    responses_days: Annotated[int, NotNegative] = 30
    batches_days: Annotated[int, NotNegative] = 30
    files_days: Annotated[int, NotNegative] = 30
