"""Inserting many rows with few steps."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

# Every step of a statement gives up the interpreter's lock and takes it back, and while the event
# loop is busy that costs far more than the insert: rows therefore go in by the hundred, the rest
# by ten, the last ones singly.
SIZES: Final = (100, 10, 1)

# The driver takes ints, floats and strings as they are, but looks for an adapter for each None,
# which takes longer than all else about the value. So a number stands for NULL that neither an
# integer nor a text column can hold.
NULL: Final = 0.5

LARGEST: Final = 2**63 - 1


class Table:
    """A table's columns in the order of its values: the required ones, then the others.

    With ``ignore`` rows that are there already stay as they are.
    """

    def __init__(
        self,
        name: str,
        required: Sequence[str],
        optional: Sequence[str] = (),
        *,
        ignore: bool = False,
    ) -> None:
        self.name = name
        self._verb = "INSERT OR IGNORE" if ignore else "INSERT"
        self.columns = (*required, *optional)
        self._row = ", ".join(["?"] * len(required) + [f"nullif(?, {NULL})"] * len(optional))

    @cached_property
    def select(self) -> str:
        """The columns as a list for SELECT."""
        return ", ".join(self.columns)

    @cached_property
    def _statements(self) -> dict[int, str]:
        head = f"{self._verb} INTO {self.name} ({self.select}) VALUES "
        return {size: head + ", ".join([f"({self._row})"] * size) for size in SIZES}

    def insert(self, connection: sqlite3.Connection, rows: Sequence[Sequence[Any]]) -> None:
        """Insert rows that are not there yet, within the caller's transaction."""
        for size, piece in pieces(rows):
            values = [NULL if value is None else value for row in piece for value in row]
            try:
                connection.execute(self._statements[size], values)
            except (OverflowError, UnicodeEncodeError):  # before the first row went in
                connection.execute(self._statements[size], [storable(value) for value in values])


def pieces(rows: Sequence[Sequence[Any]]) -> Iterator[tuple[int, Sequence[Sequence[Any]]]]:
    """Cut rows into runs of the sizes there are statements for."""
    start = 0
    for size in SIZES:
        while len(rows) - start >= size:
            yield size, rows[start : start + size]
            start += size


def storable(value: Any) -> Any:
    """Return a value SQLite can hold: one bad value must not keep its whole batch out.

    An integer beyond 64 bits becomes NULL (a vendor's nonsense; its raw object is kept), half a
    surrogate pair becomes its escape.
    """
    if isinstance(value, int) and not -LARGEST <= value <= LARGEST:
        return NULL
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    return value
