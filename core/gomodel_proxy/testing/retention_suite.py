"""What a store must forget, and what it must keep, as tests to inherit.

    class TestAcmeRetention(RetentionSuite):
        def open_store(self, tmp_path, **days):
            return open_acme(AcmeConfig(path=str(tmp_path / "acme.db"), **days), runtime)

``days`` are the settings ``retention_days`` (of the ledger's rows, for ever by default),
``responses_days``, ``batches_days`` and ``files_days`` (30 by default); 0 is for ever.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from gomodel_proxy.api import Query

from .batch_case import batch, batches_of
from .files_suite import file, files_of, pieces
from .responses_suite import conversation, items, response, responses_of
from .store_case import NOON, ids, ledger_of, row

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from gomodel_proxy.api import Store


@pytest.mark.asyncio
class RetentionSuite:
    """Inherit, and give `open_store` and `expire`."""

    def open_store(self, tmp_path: Path, **days: int) -> AbstractAsyncContextManager[Store]:
        """Return the store whose data live in ``tmp_path``, to be entered."""
        raise NotImplementedError

    async def expire(self, tmp_path: Path, before: int) -> int:
        """Delete responses made, and conversations last written to, before a time; return how many.

        The store does so by itself with those that are older than ``responses_days``.
        """
        raise NotImplementedError

    async def test_rows_stay_unless_it_is_told_to_forget_them(self, tmp_path: Path) -> None:
        """Then old ones go by themselves, and only those."""
        recent = time.time_ns() // 1000
        async with self.open_store(tmp_path) as store:
            await ledger_of(store).write([row("old", started=1), row("new", started=recent)])
        async with self.open_store(tmp_path) as store:
            assert (await ledger_of(store).summary(Query()))["requests"] == 2
        async with self.open_store(tmp_path, retention_days=1) as store:
            async with asyncio.timeout(30):
                while (await ledger_of(store).summary(Query()))["requests"] != 1:
                    pass
            assert ids(await ledger_of(store).log(Query())) == ["new"]

    async def test_batches_and_files_go_by_themselves(self, tmp_path: Path) -> None:
        """A while after the end of the one and the creation of the other, unless told not to."""
        now = time.time_ns() // 1000
        for_ever = {"batches_days": 0, "files_days": 0}
        async with self.open_store(tmp_path, **for_ever) as store:
            for number, ended in ((1, 1), (2, now)):
                made = batch(number, status="completed", completed_at=ended)
                await batches_of(store).create(made)
                await files_of(store).save(file(number, created=ended), pieces(b"abc"))
        async with self.open_store(tmp_path, **for_ever) as store:
            assert await batches_of(store).find(batch(1).id, None) is not None
            assert await files_of(store).find(file(1).id, None) is not None
        async with self.open_store(tmp_path) as store:
            batches, files = batches_of(store), files_of(store)
            async with asyncio.timeout(30):
                while await batches.find(batch(1).id, None) or await files.find(file(1).id, None):
                    pass
            assert await batches.find(batch(2).id, None) is not None
            assert await files.find(file(2).id, None) is not None

    async def test_old_responses_go_but_not_what_younger_ones_need(self, tmp_path: Path) -> None:
        """Those are only hidden, until the last that goes on from them goes too."""
        new = response("new", created=NOON, previous="needed")
        async with self.open_store(tmp_path, responses_days=0) as store:
            responses = responses_of(store)
            await responses.save(response("old", created=NOON - 1))
            await responses.save(response("needed", created=NOON - 1))
            await responses.save(new)
            assert await self.expire(tmp_path, NOON) == 2
            assert await responses.find("needed", None) is None
            assert [one.id for one in await responses.chain("new", None)] == ["needed", "new"]
            assert await self.expire(tmp_path, NOON + 1) == 1
            await responses.save(new)  # its id is free, and nothing is left before it
            assert await responses.chain("new", None) == [new]

    async def test_conversations_go_a_while_after_they_were_last_written_to(
        self, tmp_path: Path
    ) -> None:
        """One that is old but in use stays."""
        async with self.open_store(tmp_path, responses_days=0) as store:
            talks = responses_of(store).conversations
            await talks.create(conversation("old", created=NOON - 1), items(1))
            await talks.create(conversation("used", created=NOON - 1))
            before = time.time_ns() // 1000
            await talks.add("used", None, items(2))
            assert await self.expire(tmp_path, before) == 1
            assert await talks.find("old", None) is None
            assert await talks.find("used", None) is not None
