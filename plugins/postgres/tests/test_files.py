from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gomodel_proxy.api import Unavailable
from gomodel_proxy.testing.files_suite import content, file, pieces
from gomodel_proxy_postgres.bell import Bell
from gomodel_proxy_postgres.files import PIECE, TOGETHER, PostgresFiles
from gomodel_proxy_postgres.retention import clear

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gomodel_proxy_postgres.database import Database

STEP = PIECE * TOGETHER


async def kept(database: Database) -> tuple[int, int]:
    """Return how many pieces there are, and how many uploads and leftovers."""
    row = await database.once(
        lambda c: c.fetchrow(
            "SELECT (SELECT count(*) FROM file_pieces), (SELECT count(*) FROM file_strays)"
        )
    )
    return tuple(row)  # type: ignore[return-value]


async def test_bytes_go_with_their_file(database: Database) -> None:
    files = PostgresFiles(database, Bell())
    await files.save(file(1), pieces(b"x" * (STEP + 1)))
    assert await kept(database) == (TOGETHER + 1, 0)
    await files.delete(file(1).id, None)
    await clear(database)
    assert await kept(database) == (0, 0)


async def test_bytes_of_an_upload_that_failed_are_swept_up(database: Database) -> None:
    discarded = Bell()
    files = PostgresFiles(database, discarded)
    with pytest.raises(ArithmeticError):
        await files.save(file(1), pieces(b"x" * STEP, error=ArithmeticError()))
    assert await kept(database) == (TOGETHER, 1)
    await clear(database)
    assert await kept(database) == (0, 0)


async def test_an_upload_under_way_is_seen_by_nobody_and_left_alone(database: Database) -> None:
    files = PostgresFiles(database, Bell())

    async def slowly() -> AsyncIterator[bytes]:
        yield b"x" * STEP
        await clear(database)
        assert await kept(database) == (TOGETHER, 1)
        assert await files.find(file(1).id, None) is None
        yield b"y"

    await files.save(file(1), slowly())
    assert await content(files, file(1).id) == b"x" * STEP + b"y"


async def test_an_upload_that_was_swept_up_does_not_become_a_file(database: Database) -> None:
    files = PostgresFiles(database, Bell())

    async def too_slowly() -> AsyncIterator[bytes]:
        yield b"x" * STEP
        await database.once(lambda c: c.execute("UPDATE file_strays SET touched = '-infinity'"))
        await clear(database)
        yield b"y"

    with pytest.raises(Unavailable, match="too long"):
        await files.save(file(1), too_slowly())
    assert await files.find(file(1).id, None) is None


async def test_a_file_saved_again_has_the_new_bytes_only(database: Database) -> None:
    files = PostgresFiles(database, Bell())
    for given in (b"old", b"newer"):
        await files.save(file(1), pieces(given))
    assert await content(files, file(1).id) == b"newer"
    await clear(database)
    assert await kept(database) == (1, 0)


async def test_whole_pieces_end_where_they_end(database: Database) -> None:
    files = PostgresFiles(database, Bell())
    whole: Any = bytes(range(256)) * (STEP // 256)
    await files.save(file(1), pieces(whole))
    assert await content(files, file(1).id) == whole
    assert await content(files, file(1).id, STEP) == b""
    assert await content(files, file(1).id, PIECE + 7) == whole[PIECE + 7 :]
