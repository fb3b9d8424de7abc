from __future__ import annotations

import asyncio
import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from gomodel_proxy.api import Unavailable
from gomodel_proxy.testing.files_suite import content, file, pieces
from gomodel_proxy.testing.waiting import until
from gomodel_proxy_sqlite.files import SqliteFiles
from gomodel_proxy_sqlite.folder import PIECE, Folder
from gomodel_proxy_sqlite.retention import expire_files, tidy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from gomodel_proxy_sqlite.database import Database


@pytest.fixture
async def folder(tmp_path: Path) -> AsyncIterator[Folder]:
    async with Folder(tmp_path / "gomodel.db.files") as opened:
        yield opened


@pytest.fixture
def files(database: Database, folder: Folder) -> SqliteFiles:
    return SqliteFiles(database, folder)


def names(folder: Folder) -> list[str]:
    return sorted(os.listdir(folder.path))


async def test_bytes_are_under_their_id(files: SqliteFiles, folder: Folder) -> None:
    await files.save(file(1), pieces(b"abc"))
    assert names(folder) == [file(1).id]
    assert (folder.path / file(1).id).read_bytes() == b"abc"
    await files.delete(file(1).id, None)
    assert names(folder) == []


@pytest.mark.parametrize("id_", ["../x", "file-/x", "file-..", "file-", "x", "file-a.part"])
async def test_an_id_that_could_lead_elsewhere_is_no_file(folder: Folder, id_: str) -> None:
    with pytest.raises(LookupError):
        await folder.receive(id_, pieces(b"abc"))
    with pytest.raises(LookupError):
        await anext(folder.read(id_))
    assert names(folder) == []
    assert not (folder.path.parent / "x").exists()


async def test_an_upload_that_is_given_up_leaves_nothing(
    files: SqliteFiles, folder: Folder
) -> None:
    async def forever() -> AsyncIterator[bytes]:
        yield b"x" * 2 * PIECE
        await asyncio.Event().wait()

    saving = asyncio.create_task(files.save(file(1), forever()))
    await until(lambda: any(path.stat().st_size for path in folder.path.iterdir()))
    saving.cancel()
    await asyncio.wait([saving])
    assert names(folder) == []
    assert await files.find(file(1).id, None) is None


async def test_a_folder_that_has_gone_is_an_unusable_store(
    files: SqliteFiles, folder: Folder
) -> None:
    shutil.rmtree(folder.path)
    with pytest.raises(Unavailable, match="No such file"):
        await files.save(file(1), pieces(b"abc"))
    assert await files.find(file(1).id, None) is None


async def test_bytes_that_have_gone_are_no_file(files: SqliteFiles, folder: Folder) -> None:
    await files.save(file(1), pieces(b"abc"))
    (folder.path / file(1).id).unlink()
    with pytest.raises(LookupError):
        await content(files, file(1).id)
    assert await files.delete(file(1).id, None)


async def test_a_deleted_file_is_read_to_its_end(files: SqliteFiles) -> None:
    await files.save(file(1), pieces(b"x" * 3 * PIECE))
    reading = files.read(file(1).id)
    first = await anext(reading)
    await files.delete(file(1).id, None)
    assert len(first) + len(b"".join([piece async for piece in reading])) == 3 * PIECE


async def test_what_no_row_names_is_swept_when_it_is_old(
    database: Database, files: SqliteFiles, folder: Folder
) -> None:
    await files.save(file(1), pieces(b"abc"))
    old, new = ["file-old", "file-x.0.part"], ["file-new", "file-y.0.part", "notes.txt"]
    for name in (*old, *new):
        (folder.path / name).write_bytes(b"abc")
    for name in (*old, file(1).id, "notes.txt"):
        os.utime(folder.path / name, (1000, 1000))
    assert await tidy(database, folder, 2000.0) == 2
    assert names(folder) == sorted([file(1).id, *new])


async def test_expired_files_go_with_their_bytes(
    database: Database, files: SqliteFiles, folder: Folder
) -> None:
    for number, expires in enumerate((file(0).created - 1, file(0).created + 10**15, None), 1):
        await files.save(file(number, expires=expires), pieces(b"abc"))
    assert await expire_files(database, folder, file(0).created, None) == 1
    assert names(folder) == [file(2).id, file(3).id]
    rows: Any = await database.find(lambda c: c.execute("SELECT id FROM files").fetchall())
    assert {id_ for (id_,) in rows} == {file(2).id, file(3).id}
