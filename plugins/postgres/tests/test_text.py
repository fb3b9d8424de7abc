from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gomodel_proxy.api import Page, Resource, StoredItem
from gomodel_proxy.testing.batch_case import batch
from gomodel_proxy.testing.responses_suite import conversation
from gomodel_proxy_postgres.store import open_store
from gomodel_proxy_postgres.text import all_escaped, decode, encode, escaped

if TYPE_CHECKING:
    from gomodel_proxy_postgres.config import PostgresConfig
    from gomodel_proxy_postgres.database import Database

ANY = st.text(st.characters(codec=None, exclude_categories=()))


@given(ANY)
def test_every_text_comes_back(text: str) -> None:
    assert decode(encode(text)) == text
    assert b"\0" not in encode(text)
    assert encode(text) == escaped(text).encode()


@given(ANY, ANY)
def test_different_texts_stay_different_and_beginnings_beginnings(one: str, other: str) -> None:
    assert (encode(one) == encode(other)) == (one == other)
    assert encode(one + other).startswith(encode(one))


@pytest.mark.parametrize("text", ["", "é \U0001f600", "a\0b", "\x10", "\x100000", "half \ud800"])
async def test_the_database_keeps_it(database: Database, text: str) -> None:
    assert await database.once(lambda c: c.fetchval("SELECT $1::text", text)) == text
    found = await database.once(
        lambda c: c.fetchval("SELECT $1 = ANY($2::text[])", text, all_escaped(["x", text]))
    )
    assert found


async def test_ids_may_be_longer_than_an_index_takes(config: PostgresConfig, runtime: Any) -> None:
    one, other = (secrets.token_hex(5_000) for _ in range(2))
    owned = Resource(kind="file", id=one, owner="a", provider="acme", created=1)
    items = [StoredItem(one, b"{}"), StoredItem(other, b"{}")]
    async with open_store(config, runtime) as store:
        await store.resources.add([owned])
        assert await store.resources.find("file", one) == owned
        assert await store.resources.find("file", other) is None
        assert await store.batches.create(batch(1), one) == batch(1)
        assert await store.batches.create(batch(2), one) == batch(1)
        assert await store.batches.create(batch(2), other) == batch(2)
        talks = store.responses.conversations
        await talks.create(conversation("conv_1"), items)
        assert await talks.add("conv_1", None, items) == items
        assert await talks.item("conv_1", None, other) == items[1]
        page = await talks.items("conv_1", None, Page(after=one, ascending=True))
        assert page is not None
        assert page.items == items[1:]
