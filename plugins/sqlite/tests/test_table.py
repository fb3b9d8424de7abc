from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest

from gomodel_proxy_sqlite.table import SIZES, Table, pieces


@pytest.mark.parametrize("length", [0, 1, 9, 10, 99, 100, 111, 345])
def test_pieces_are_all_the_rows_in_order(length: int) -> None:
    rows = [(n,) for n in range(length)]
    cut = list(pieces(rows))
    assert [row for _, piece in cut for row in piece] == rows
    assert all(len(piece) == size and size in SIZES for size, piece in cut)


@pytest.mark.parametrize("value", [None, 0, 1, -(2**63) + 1, 2**63 - 1, "", "0.5", "text", "a\0b"])
def test_values_come_back_as_they_went_in(value: Any) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        kind = "INTEGER" if isinstance(value, int) else "TEXT"
        connection.execute(f"CREATE TABLE t (a TEXT NOT NULL, b {kind})")
        Table("t", required=("a",), optional=("b",)).insert(connection, [("x", value)] * 112)
        assert connection.execute("SELECT b FROM t").fetchall() == [(value,)] * 112
