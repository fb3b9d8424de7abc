"""What the tests of a store have in common: rows to write, and the store to open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gomodel_proxy.api import Attempt, LedgerRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from gomodel_proxy.api import Ledger, Resources, Store

NOON = 1_790_000_000_000_000 // 86_400_000_000 * 86_400_000_000 + 43_200_000_000
"""A time to count from: 12:00 UTC, epoch microseconds."""

HOUR = 3_600_000_000


def attempt(**members: Any) -> Attempt:
    """Return a finished attempt; name only the members that matter."""
    given: dict[str, Any] = {
        "id": "att_1",
        "provider": "acme",
        "type": "acme",
        "model": "large",
        "started": NOON,
        "status": "ok",
    }
    return Attempt(**{**given, **members})


def row(id_: str, **members: Any) -> LedgerRow:
    """Return a finished row; name only the members that matter."""
    given: dict[str, Any] = {
        "id": id_,
        "request_id": f"client-{id_}",
        "started": NOON,
        "principal": "key_a",
        "user_path": "/",
        "operation": "chat",
        "dialect": "openai.chat",
        "model": "acme/large",
        "provider": "acme",
        "type": "acme",
        "served_model": "large",
        "status": "ok",
    }
    return LedgerRow(**{**given, **members})


def ledger_of(store: Store) -> Ledger:
    """Return the store's ledger; the suite needs one."""
    assert store.ledger is not None
    return store.ledger


def resources_of(store: Store) -> Resources:
    """Return the store's resources; the suite needs them."""
    assert store.resources is not None
    return store.resources


def ids(entries: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the ids of log entries, in order."""
    return [entry["id"] for entry in entries]


def picked(entry: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Return only these members."""
    return {name: entry[name] for name in names}


class StoreCase:
    """The base of the suites: which store is tested."""

    def open_store(self, tmp_path: Path) -> AbstractAsyncContextManager[Store]:
        """Return the store whose data live in ``tmp_path``, to be entered."""
        raise NotImplementedError
