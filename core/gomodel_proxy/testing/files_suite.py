"""What a store must do with files, as tests to inherit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from gomodel_proxy.api import StoredFile

from .batch_case import NOW
from .store_case import StoreCase

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from gomodel_proxy.api import Files, Store

MIB = 1024 * 1024


def file(number: int, **members: Any) -> StoredFile:
    """Return a file; a higher number is a younger one. Name only the members that matter."""
    given: dict[str, Any] = {
        "owner": "key_a",
        "user_path": "/",
        "created": NOW + number,
        "name": "input.jsonl",
        "purpose": "batch",
    }
    return StoredFile(id=f"file-{number:032x}", **{**given, **members})


async def pieces(*content: bytes, error: Exception | None = None) -> AsyncIterator[bytes]:
    """Yield pieces, then raise."""
    for piece in content:
        yield piece
    if error is not None:
        raise error


async def content(files: Files, id_: str, start: int = 0) -> bytes:
    """Return all bytes."""
    return b"".join([piece async for piece in files.read(id_, start)])


def files_of(store: Store) -> Files:
    """Return the store's files; the suite needs them."""
    assert store.files is not None
    return store.files


@pytest.mark.asyncio
class FilesSuite(StoreCase):
    """Keeping, finding, reading and deleting files."""

    async def test_a_file_is_kept_whole(self, tmp_path: Path) -> None:
        """Its size is counted, its bytes come back, also when the store is opened again."""
        given = file(1, name="é \0 \U0001f600.jsonl", expires=NOW + 10**15, user_path="/a")
        kept = replace(given, size=7)
        async with self.open_store(tmp_path) as store:
            files = files_of(store)
            assert await files.save(given, pieces(b"abc", b"", b"\0\xffde")) == kept
            assert await files.find(kept.id, "key_a") == kept
        async with self.open_store(tmp_path) as store:
            files = files_of(store)
            assert await files.find(kept.id, None) == kept
            assert await content(files, kept.id) == b"abc\0\xffde"

    async def test_a_file_is_its_owners(self, tmp_path: Path) -> None:
        """To others it does not exist, nor does what has no form of an id."""
        async with self.open_store(tmp_path) as store:
            files = files_of(store)
            kept = await files.save(file(1), pieces(b"x"))
            assert await files.find(kept.id, "key_b") is None
            assert await files.list("key_b", limit=9) == []
            assert not await files.delete(kept.id, "key_b")
            strange = ["", ".", "..", "file-", "file-../x", "../x", "/etc/hostname"]
            strange += ["file-\0", "file-\ud800", "file-" + "0" * 5000, kept.id.upper()]
            for id_ in strange:
                assert await files.find(id_, None) is None
                assert not await files.delete(id_, None)
                with pytest.raises(LookupError):
                    await content(files, id_)
            assert await content(files, kept.id) == b"x"

    async def test_an_upload_that_fails_leaves_nothing(self, tmp_path: Path) -> None:
        """Its error is the caller's, and the id is free."""
        async with self.open_store(tmp_path) as store:
            files = files_of(store)
            with pytest.raises(ArithmeticError, match="gone"):
                await files.save(file(1), pieces(b"x" * MIB, error=ArithmeticError("gone")))
            assert await files.find(file(1).id, None) is None
            assert await files.list(None, limit=9) == []
            with pytest.raises(LookupError):
                await content(files, file(1).id)
            kept = await files.save(file(1), pieces(b"y"))
            assert (kept.size, await content(files, kept.id)) == (1, b"y")

    async def test_large_files_are_read_in_pieces(self, tmp_path: Path) -> None:
        """From any place; each piece small."""
        whole = bytes(range(256)) * 12_289  # 3 MiB and a bit
        cut = [whole[:1], whole[1:70_000], whole[70_000:MIB], whole[MIB:]]
        async with self.open_store(tmp_path) as store:
            files = files_of(store)
            kept = await files.save(file(1), pieces(*cut))
            assert kept.size == len(whole)
            found = [piece async for piece in files.read(kept.id)]
            assert b"".join(found) == whole
            assert 0 < min(map(len, found)) <= max(map(len, found)) <= MIB
            for start in (1, 65_536, MIB - 1, MIB, len(whole) - 1, len(whole), len(whole) + 9):
                assert await content(files, kept.id, start) == whole[start:]

    async def test_an_empty_file(self, tmp_path: Path) -> None:
        """It is a file, of no bytes."""
        async with self.open_store(tmp_path) as store:
            files = files_of(store)
            assert await files.save(file(1), pieces()) == file(1)
            assert await files.find(file(1).id, None) == file(1)
            assert await content(files, file(1).id) == b""

    async def test_a_deleted_file_has_gone(self, tmp_path: Path) -> None:
        """Who is reading it comes to its end, or is told."""
        whole = b"0123456789abcdef" * 131_072  # 2 MiB
        async with self.open_store(tmp_path) as store:
            files = files_of(store)
            kept = await files.save(file(1), pieces(whole))
            reading = files.read(kept.id)
            read = await anext(reading)
            assert await files.delete(kept.id, "key_a")
            assert not await files.delete(kept.id, "key_a")
            assert await files.find(kept.id, None) is None
            with pytest.raises(LookupError):
                await content(files, kept.id)
            try:
                async for piece in reading:
                    read += piece
            except LookupError:
                assert whole.startswith(read)
            else:
                assert read == whole

    async def test_what_is_known_of_a_file_can_change(self, tmp_path: Path) -> None:
        """Its bytes stay; a file made of a batch has none."""
        made = file(2, purpose="batch_output", size=99, batch="batch_1")
        async with self.open_store(tmp_path) as store:
            files = files_of(store)
            kept = await files.save(file(1), pieces(b"abc"))
            renamed = replace(kept, name="other", purpose="vision", expires=NOW + 10**15)
            await files.enter(renamed)
            assert await files.find(kept.id, "key_a") == renamed
            assert await content(files, kept.id) == b"abc"
            for _ in range(2):
                await files.enter(made)
                assert await files.find(made.id, "key_a") == made
            assert await content(files, made.id) == b""
            assert await files.delete(made.id, None)
            assert await files.find(made.id, None) is None

    async def test_the_list_comes_in_pages(self, tmp_path: Path) -> None:
        """From either end, narrowed to owner and purpose, each page behind the one before."""
        async with self.open_store(tmp_path) as store:
            files = files_of(store)
            for number in range(1, 10):
                await files.enter(
                    file(
                        number,
                        created=NOW + number // 3,  # the order is one and the same all the same
                        owner="key_b" if number == 5 else "key_a",
                        purpose="batch_output" if number % 2 else "batch",
                    )
                )
            listed = list(await files.list("key_a", limit=99))
            assert [int(one.id[5:], 16) for one in listed] == [9, 8, 7, 6, 4, 3, 2, 1]
            for ascending, order in ((False, listed), (True, listed[::-1])):
                for purpose in (None, "batch", "batch_output"):
                    seen: list[StoredFile] = []
                    while page := await files.list(
                        "key_a",
                        limit=2,
                        after=seen[-1].id if seen else None,
                        purpose=purpose,
                        ascending=ascending,
                    ):
                        seen += page
                    assert seen == [one for one in order if purpose in (None, one.purpose)]
            assert len(await files.list(None, limit=99)) == 9
            assert await files.list("key_a", limit=9, purpose="nul \0") == []
            for unknown in (file(5).id, file(99).id, "file-\ud800"):
                with pytest.raises(LookupError):
                    await files.list("key_a", limit=9, after=unknown)

    async def test_an_expired_file_is_unknown(self, tmp_path: Path) -> None:
        """Nobody finds it, lists it, reads it or deletes it."""
        async with self.open_store(tmp_path) as store:
            files = files_of(store)
            kept = await files.save(file(1), pieces(b"abc"))
            await files.save(file(2), pieces(b"abc"))
            await files.enter(replace(kept, expires=NOW - 1))
            assert await files.find(kept.id, None) is None
            assert [one.id for one in await files.list(None, limit=9)] == [file(2).id]
            assert not await files.delete(kept.id, None)
            with pytest.raises(LookupError):
                await content(files, kept.id)
            with pytest.raises(LookupError):
                await files.list(None, limit=9, after=kept.id)

    async def test_two_at_once_have_the_same_files(self, tmp_path: Path) -> None:
        """What one of them keeps the other reads and deletes."""
        async with self.open_store(tmp_path) as one, self.open_store(tmp_path) as two:
            kept = await files_of(one).save(file(1), pieces(b"abc"))
            assert await files_of(two).find(kept.id, "key_a") == kept
            assert await content(files_of(two), kept.id) == b"abc"
            assert await files_of(two).delete(kept.id, "key_a")
            assert await files_of(one).find(kept.id, "key_a") is None
