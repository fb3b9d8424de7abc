"""PostgreSQL's errors in the gateway's terms."""

from __future__ import annotations

from typing import Final

import asyncpg

from gomodel_proxy.api import ConfigError, Unavailable

# What the surroundings do to a database, by its code or the first two letters of it
# (https://www.postgresql.org/docs/current/errcodes-appendix.html, read 2026-11-22). Anything else
# is a fault of the code and stays as it is. Callers see these texts, so they name no machine.
SURROUNDINGS: Final = {
    "08": "its database cannot be reached",
    "25006": "its database can only be read",
    "28": "its database refuses the gateway's user",
    "3D": "its database has gone",
    "3F": "its schema has gone",
    "40": "its database is too busy",
    "42501": "its database refuses the gateway's user",
    "42P01": "its tables have gone",
    "53": "its database has run out of room",
    "55P03": "its database is too busy",
    "57014": "its database took too long",
    "57": "its database is stopping or starting",
    "58": "its database has failed",
    "XX": "its database has failed",
}

# Nothing of a transaction that ends so was kept: it can run again.
CONTENTION: Final = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)

LOST: Final = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the driver's, where the end comes in between
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    ConnectionError,
)
"""How a connection ends under its user."""


class Again(Exception):
    """Another process was quicker: the transaction is to run again."""


def at_start(error: BaseException) -> ConfigError:
    """Return why the database cannot be opened, and where that is said."""
    if isinstance(error, ValueError):  # what it says may be a piece of the password
        return ConfigError("store.url: not of the form postgresql://user:password@host/database")
    if isinstance(error, TimeoutError):
        return ConfigError("store.url: no answer within store.connect_timeout")
    return ConfigError(f"store.url: the database cannot be used: {error}")


def in_service(error: Exception) -> Exception:
    """Return `Unavailable` for what the surroundings did, other errors as they are."""
    why = _why(error)
    return error if why is None else Unavailable(f"the store cannot be used: {why}")


def _why(error: Exception) -> str | None:
    if isinstance(error, asyncpg.PostgresError):
        code = error.sqlstate or ""
        return SURROUNDINGS.get(code) or SURROUNDINGS.get(code[:2])
    if isinstance(error, Again):
        return SURROUNDINGS["40"]
    if isinstance(error, TimeoutError):
        return SURROUNDINGS["57014"]
    if isinstance(error, (asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)):
        return SURROUNDINGS["08"]
    return None
