"""Which rows a question is about, as SQL. ``r`` is the request, ``a`` an attempt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from gomodel_proxy.api import Query

__all__ = ["Condition", "numbered", "of_attempts", "of_last", "of_page", "of_requests"]


class Condition(NamedTuple):
    """SQL that is true for a row, and the values of its question marks."""

    sql: str
    values: tuple[Any, ...]


def numbered(sql: str) -> str:
    """Return SQL whose question marks, which are all placeholders, are ``$1``, ``$2`` and so on."""
    first, *rest = sql.split("?")
    return first + "".join(f"${number}{text}" for number, text in enumerate(rest, 1))


def of_requests(query: Query) -> Condition:
    """Choose requests by what they themselves say; ``model`` is the one asked for or served."""
    return _all(
        *_tenant(query),
        *_period(query),
        _equal("r.provider", query.provider),
        _either("r.model", "r.served_model", query.model),
    )


def of_attempts(query: Query) -> Condition:
    """Choose attempts by the provider and model that were tried."""
    return _all(
        *_tenant(query),
        *_period(query),
        _equal("coalesce(a.provider, r.provider)", query.provider),
        _either("coalesce(a.model, r.served_model)", "r.model", query.model),
    )


def of_page(query: Query, tie: str) -> Condition:
    """Choose requests that come after the page before, by time and then by the column ``tie``."""
    chosen = of_requests(query)
    if query.after is None:
        return chosen
    last = of_last(query)
    older = Condition(
        f"(r.started, r.{tie}) < (SELECT r.started, r.{tie} FROM requests r WHERE {last.sql})",  # noqa: S608 (constants)
        last.values,
    )
    return _all(chosen, older)


def of_last(query: Query) -> Condition:
    """Choose the last row of the page before, if the tenant may see it."""
    return _all(_equal("r.id", query.after), *_tenant(query))


def _tenant(query: Query) -> tuple[Condition | None, ...]:
    return _equal("r.principal", query.principal), _subtree(query.user_path)


def _period(query: Query) -> tuple[Condition | None, ...]:
    return (
        None if query.since is None else Condition("r.started >= ?", (query.since,)),
        None if query.until is None else Condition("r.started < ?", (query.until,)),
        _equal("r.status", query.status),
    )


def _subtree(user_path: str | None) -> Condition | None:
    """``/team`` and all below it: one range of the index, from which strays are picked out.

    Paths below begin with ``/team/``, and ``0`` is the character after ``/``; ``/team-x`` is in
    the range as well. Unlike LIKE, comparing has no wildcards and tells capitals apart.
    """
    root = (user_path or "").rstrip("/")
    if not root:
        return None
    return Condition(
        "(r.user_path >= ? AND r.user_path < ? AND (r.user_path = ? OR r.user_path >= ?))",
        (root, f"{root}0", root, f"{root}/"),
    )


def _equal(column: str, value: str | None) -> Condition | None:
    return None if value is None else Condition(f"{column} = ?", (value,))


def _either(one: str, other: str, value: str | None) -> Condition | None:
    return None if value is None else Condition(f"({one} = ? OR {other} = ?)", (value, value))


def _all(*conditions: Condition | None) -> Condition:
    given = [condition for condition in conditions if condition is not None]
    return Condition(
        " AND ".join(condition.sql for condition in given) or "TRUE",
        tuple(value for condition in given for value in condition.values),
    )
