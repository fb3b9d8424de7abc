from __future__ import annotations

import sqlite3

import pytest

from gomodel_proxy_sqlite.transaction import patiently


class Attempts:
    """Fails with a code of SQLite's as often as it is told to."""

    def __init__(self, failures: int, code: int) -> None:
        self.left = failures
        self.code = code

    def __call__(self) -> str:
        if self.left:
            self.left -= 1
            error = sqlite3.OperationalError("as told")
            error.sqlite_errorcode = self.code
            raise error
        return "done"


@pytest.mark.parametrize("code", [sqlite3.SQLITE_BUSY, sqlite3.SQLITE_BUSY_RECOVERY])
def test_busy_is_tried_again(code: int) -> None:
    assert patiently(30.0, Attempts(3, code)) == "done"


def test_the_limit_ends_it() -> None:
    with pytest.raises(sqlite3.OperationalError):
        patiently(0.0, Attempts(1, sqlite3.SQLITE_BUSY))


def test_other_errors_are_not_tried_again() -> None:
    attempts = Attempts(1, sqlite3.SQLITE_FULL)
    with pytest.raises(sqlite3.OperationalError):
        patiently(30.0, attempts)
    assert attempts.left == 0
