"""What ``gomodel-proxy batches`` does."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

from .client import Away, Client, Refused, new_key
from .fetching import errors_beside, fetch
from .progress import progress
from .showing import show_list, show_one, summary
from .waiting import ENDED, patiently, wait

if TYPE_CHECKING:
    import argparse
    from collections.abc import Awaitable, Callable


__all__ = ["command"]

Verb: TypeAlias = "Callable[[argparse.Namespace, Client], Awaitable[int]]"


class Wrong(Exception):
    """A call that cannot be meant."""


def command(arguments: argparse.Namespace) -> int:
    """Do one verb and return the exit code."""
    try:
        return asyncio.run(_do(arguments))
    except Away as error:
        print(f"gomodel-proxy: {arguments.url} does not answer: {error}", file=sys.stderr)
        return 1
    except (Refused, Wrong, OSError) as error:
        print(f"gomodel-proxy: {error}", file=sys.stderr)
        return 2 if isinstance(error, Wrong) else 1
    except KeyboardInterrupt:
        return _interrupted(arguments)


async def _do(arguments: argparse.Namespace) -> int:
    async with Client(arguments.url) as client:
        return await _VERBS[arguments.verb](arguments, client)


def _interrupted(arguments: argparse.Namespace) -> int:
    id_ = getattr(arguments, "id", None)
    if id_ is not None and arguments.verb in ("run", "results"):
        out = f" --out {arguments.out}" if arguments.out else ""
        print(
            f"\n{id_} goes on without you.\n"
            f"  gomodel-proxy batches results {id_}{out}    waits for it\n"
            f"  gomodel-proxy batches cancel {id_}    stops it",
            file=sys.stderr,
        )
    return 130


# ---------------------------------------------------------------- look and stop


async def _list(arguments: argparse.Namespace, client: Client) -> int:
    query = {"limit": str(arguments.limit)}
    if arguments.after:
        query["after"] = arguments.after
    page = await client.get("/batches", **query)
    if arguments.json:
        _print_json(page)
    else:
        show_list(page["data"])
    return 0


async def _show(arguments: argparse.Namespace, client: Client) -> int:
    batch = await client.get(f"/batches/{arguments.id}")
    if arguments.json:
        _print_json(batch)
    else:
        show_one(batch)
    return 0


async def _cancel(arguments: argparse.Namespace, client: Client) -> int:
    batch = await client.post(f"/batches/{arguments.id}/cancel")
    print(f"{batch['id']}: {batch['status']}")
    return 0


async def _resend(arguments: argparse.Namespace, client: Client) -> int:
    batch = await client.post(f"/batches/{arguments.id}/resend")
    print(f"{batch['id']}: {batch['status']}")
    return 0


def _print_json(value: Any) -> None:
    print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


# ---------------------------------------------------------------- run and wait


async def _run(arguments: argparse.Namespace, client: Client) -> int:
    file, out = _files(arguments)
    ask = {
        "endpoint": arguments.endpoint,
        "completion_window": arguments.window,
        "metadata": _metadata(arguments),
    }
    with progress() as shown:
        ask["input_file_id"] = await client.upload(file)
        key = new_key()
        batch = await patiently(lambda: client.post("/batches", ask, key), shown)
        arguments.id = batch["id"]  # for whoever interrupts
        if arguments.no_wait:
            print(batch["id"])
            return 0
        batch = await wait(client, batch["id"], shown)
        written = await fetch(client, batch, out, shown)
    return _ended(batch, written)


async def _results(arguments: argparse.Namespace, client: Client) -> int:
    out = _free(arguments) if arguments.out else None
    batch = await client.get(f"/batches/{arguments.id}")
    if arguments.no_wait and batch["status"] not in ENDED:
        raise Refused(f"{arguments.id} is {batch['status']}: it has not ended.")
    with progress() as shown:
        batch = await wait(client, arguments.id, shown)
        written = await fetch(client, batch, out, shown)
    return _ended(batch, written)


def _ended(batch: dict[str, Any], written: list[str]) -> int:
    summary(batch, written)
    return 0 if batch["status"] == "completed" and not batch["request_counts"]["failed"] else 1


def _files(arguments: argparse.Namespace) -> tuple[Path, Path]:
    file = Path(arguments.file)
    if not file.is_file():
        raise Wrong(f"{file} is no file.")
    if arguments.out is None:
        arguments.out = str(file.with_name(f"{file.stem}.output.jsonl"))
    return file, _free(arguments)


def _free(arguments: argparse.Namespace) -> Path:
    out = Path(arguments.out)
    for file in (out, errors_beside(out)):
        if file.exists() and not arguments.force:
            raise Wrong(f"{file} exists. Name another with --out, or give --force.")
    return out


def _metadata(arguments: argparse.Namespace) -> dict[str, str]:
    metadata = {}
    for given in arguments.metadata:
        key, equals, value = given.partition("=")
        if not key or not equals:
            raise Wrong(f"--metadata takes K=V, not '{given}'.")
        metadata[key] = value
    if arguments.mode:
        metadata["gomodel_mode"] = arguments.mode
    return metadata


_VERBS: Final[dict[str, Verb]] = {
    "list": _list,
    "show": _show,
    "results": _results,
    "cancel": _cancel,
    "resend": _resend,
    "run": _run,
}
