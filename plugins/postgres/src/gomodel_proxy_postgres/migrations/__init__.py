"""The tables, version by version: one numbered SQL file for each change.

The table ``gomodel_version`` says how many have been applied. A file that was released never
changes; a new one is added.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final
from zlib import crc32

from gomodel_proxy.api import ConfigError

if TYPE_CHECKING:
    from asyncpg import Connection

LOCK: Final = 0x676D7078 << 32
"""``gmpx``: whose advisory lock this is. The schema's name is in its lower half."""


@cache
def scripts() -> tuple[str, ...]:
    """Return the SQL of every version, the first at index 0."""
    found = sorted(
        (file for file in files(__package__).iterdir() if file.name.endswith(".sql")),
        key=lambda file: file.name,
    )
    return tuple(file.read_text(encoding="utf-8") for file in found)


async def migrate(connection: Connection, schema: str) -> None:
    """Bring the tables to the newest version, all or nothing; raises `ConfigError`.

    The lock holds up other processes that start at the same time, and nobody who is at work.
    """
    if await _version(connection, schema) == len(scripts()):
        return
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK | crc32(schema.encode()))
        done = await _version(connection, schema)  # asked again: another may have been quicker
        if done == 0:
            await _create(connection, schema)
        for script in scripts()[done:]:
            await connection.execute(script)
        await connection.execute("UPDATE gomodel_version SET version = $1", len(scripts()))


async def _version(connection: Connection, schema: str) -> int:
    """Return the version of a schema, 0 for one that is empty or not there."""
    tables = await connection.fetch(
        "SELECT relname::text FROM pg_class WHERE relnamespace = to_regnamespace($1)", schema
    )
    if not tables:
        return 0
    if "gomodel_version" not in {name for (name,) in tables}:
        raise ConfigError(
            f'store.schema: "{schema}" has another program\'s tables; set another store.schema'
        )
    current = int(await connection.fetchval("SELECT version FROM gomodel_version"))
    if current > len(scripts()):
        raise ConfigError(
            f"store.url: the tables have version {current}, this gomodel-proxy-postgres knows "
            f"versions up to {len(scripts())}; upgrade it or set another store.schema"
        )
    return current


async def _create(connection: Connection, schema: str) -> None:
    # Making a schema that is there needs a right that using it does not.
    if await connection.fetchval("SELECT to_regnamespace($1) IS NULL", schema):
        await connection.execute(f'CREATE SCHEMA "{schema}"')
    await connection.execute("CREATE TABLE gomodel_version (version integer NOT NULL)")
    await connection.execute("INSERT INTO gomodel_version VALUES (0)")
