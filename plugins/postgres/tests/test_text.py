from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gomodel_proxy_postgres.text import all_escaped, decode, encode, escaped

if TYPE_CHECKING:
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
