"""Measure the gateway against nginx and print the table of budgets: ``make bench``.

Processor time is read per process and divided by what was answered, so it depends little on how
fast the load came. Everything compared runs side by side and is measured in turn, in short slices;
a ratio is taken within a round, and the median of the rounds is shown.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from bench import batches, gateways, load, report, start
from bench.dependencies import third_party
from bench.processes import Fleet, tool
from bench.report import Row

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.gateways import Gateway, Upstreams
    from bench.load import Slice

OUT = Path(__file__).parent / "out"
INSTALLED = (
    "gomodel-proxy",
    "gomodel-proxy-openai",
    "gomodel-proxy-anthropic",
    "gomodel-proxy-sqlite",
)


def main() -> None:
    """Run everything and report."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    for needed in ("nginx", "wrk", "taskset"):
        tool(needed)
    allow_many_sockets()
    facts = report.surroundings()
    others = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="bench-") as name, Fleet() as fleet:
        rows, notes = measure(fleet, Path(name), rounds)
    if others > 0.5:
        notes.insert(
            0, f"the machine was busy before the run (load {others:.1f}): repeat it alone."
        )
    page = report.page(rows, notes, facts)
    OUT.mkdir(exist_ok=True)
    (OUT / f"{datetime.now(UTC):%Y-%m-%dT%H%M%S}.md").write_text(page)
    print(page)


def allow_many_sockets() -> None:
    """Raise the limit of open files for all that is started: a gateway has two per stream."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < 5000:
        sys.exit(f"2,000 streams need 5000 open files, only {most} are allowed (ulimit -Hn)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def measure(fleet: Fleet, folder: Path, rounds: int) -> tuple[list[Row], list[str]]:
    """Return the rows of the table, and what was odd about the run."""
    up = gateways.start_upstreams(fleet, folder)
    nginx = gateways.start_nginx(fleet, folder, up)
    baseline = gateways.start_baseline(fleet, folder, up)
    server = gateways.start_server(fleet, folder / "server", up)
    host = gateways.start_host(fleet, folder / "host", up)
    notes: list[str] = []
    rows = requests({"nginx": nginx, "server": server, "host": host, "plain": baseline}, rounds)
    rows += streams({"nginx": nginx, "server": server, "plain": baseline}, up, rounds, notes)
    rows += translated({"nginx": nginx, "server": server}, up, rounds, notes)
    rows += [resident(server)]
    with Fleet() as fresh:  # memory per stream is only seen in a process that had none before
        crowded = gateways.start_server(fresh, folder / "crowded", up)
        rows += crowd(nginx, crowded, up, notes)
    say("batches")
    with Fleet() as fresh:
        rows += batches.measure(gateways.start_server(fresh, folder / "batches", up), folder)
    return [*rows, *starting(folder, up), distributions()], notes


def requests(compared: Mapping[str, Gateway], rounds: int) -> list[Row]:
    """Measure chat requests without streaming."""
    say("chat requests")
    for gateway in compared.values():
        load.requests(gateway)
    costs = alternated(compared, rounds, load.CONNECTIONS)
    alone = alternated(compared, rounds, 1)
    title = "chat request, one at a time, the command's server"
    return [
        compare("chat request, the command's server", costs["server"], costs["nginx"], 4.0),
        compare("chat request, inside a host application", costs["host"], costs["nginx"], 7.0),
        compare("chat request, plain aiohttp proxy", costs["plain"], costs["nginx"], None),
        compare(title, alone["server"], alone["nginx"]),
    ]


def alternated(
    compared: Mapping[str, Gateway], rounds: int, connections: int
) -> dict[str, list[float]]:
    """Return what a chat request costs each, round by round."""
    costs: dict[str, list[float]] = {name: [] for name in compared}
    for _ in range(rounds):
        for name, gateway in compared.items():
            costs[name].append(load.requests(gateway, connections))
    return costs


def streams(
    compared: Mapping[str, Gateway], up: Upstreams, rounds: int, notes: list[str]
) -> list[Row]:
    """Measure events of 100 streams that pass as they come."""
    say("100 streams, 40 events/s each")
    costs = hundred(compared, up, rounds, notes, "events")
    return [
        compare("streamed event, 100 streams", costs["server"], costs["nginx"], 2.0),
        compare("streamed event, 100 streams, plain aiohttp proxy", costs["plain"], costs["nginx"]),
    ]


def translated(
    compared: Mapping[str, Gateway], up: Upstreams, rounds: int, notes: list[str]
) -> list[Row]:
    """Measure events of 100 streams that Anthropic sends and an OpenAI caller reads.

    The yardstick passes Anthropic's events as they come.
    """
    say("100 translated streams, 40 events/s each")
    costs = hundred(compared, up, rounds, notes, "messages")
    title = "streamed event, 100 streams, Anthropic to OpenAI"
    return [compare(title, costs["server"], costs["nginx"], 2.2)]


def hundred(
    compared: Mapping[str, Gateway], up: Upstreams, rounds: int, notes: list[str], family: str
) -> dict[str, list[float]]:
    """Return what an event of 100 streams of one family costs each, round by round."""
    slices: dict[str, list[Slice]] = {name: [] for name in compared}
    for _ in range(rounds):
        for name, gateway in compared.items():
            with load.Streams(gateway, up.events_tree, 100, 40, family) as running:
                slices[name].append(running.measure(1.5))
    for name, taken in slices.items():
        notes += doubts(f"100 streams of {family}, {name}", taken)
    return {name: [one.cpu for one in taken] for name, taken in slices.items()}


def crowd(nginx: Gateway, server: Gateway, up: Upstreams, notes: list[str]) -> list[Row]:
    """Measure events and memory of 2,000 streams."""
    say("2,000 streams, 4 events/s each")
    start.ask(server)
    slices: dict[str, list[Slice]] = {"nginx": [], "server": []}
    memory = 0.0
    for name, gateway in (("nginx", nginx), ("server", server)):
        before = gateway.tree.rss()
        with load.Streams(gateway, up.events_tree, 2000, 4) as running:
            slices[name] = [running.measure(1.5) for _ in range(3)]
            memory = (gateway.tree.rss() - before) / 2000 / 1024
        notes += doubts(f"2,000 streams, {name}", slices[name])
    costs = {name: [one.cpu for one in taken] for name, taken in slices.items()}
    title = "memory per open stream, 2,000 streams"
    return [
        compare("streamed event, 2,000 streams", costs["server"], costs["nginx"]),
        Row(title, "", memory, "KiB", 40),
    ]


def resident(server: Gateway) -> Row:
    """Read the memory of the server that has carried all the load so far."""
    size = server.tree.rss() / 1024 / 1024
    return Row("resident memory after load, one worker", "", size, "MiB", 60)


def starting(folder: Path, up: Upstreams) -> list[Row]:
    """Measure start and import."""
    say("start")
    answer, busy = start.first_answer(folder, up)
    modules = start.our_modules(folder, up)
    ours = start.import_cpu(start.THIRD_PARTY, modules)
    everything = start.import_cpu("import aiohttp.web", modules)
    measured = f"{len(modules)} modules; {everything:.3f} s with msgspec, pluggy and structlog"
    return [
        Row("start to first answer", f"{busy:.2f} s of CPU", answer, "s", 1.0),
        Row("CPU of importing our own modules", measured, ours, "s", 0.15),
    ]


def distributions() -> Row:
    """Count what an installation brings along."""
    names = third_party(INSTALLED)
    title = "third-party distributions with openai, anthropic and sqlite"
    return Row(title, "", len(names), "", 16)


def compare(
    title: str, costs: Sequence[float], yard: Sequence[float], budget: float | None = None
) -> Row:
    """Return the row of something whose cost is compared with nginx's of the same round."""
    ratio = median(cost / one for cost, one in zip(costs, yard, strict=True))
    measured = f"{median(costs) * 1e6:.1f} us, nginx {median(yard) * 1e6:.1f}"
    return Row(title, measured, ratio, budget=budget)


def doubts(what: str, slices: Sequence[Slice]) -> list[str]:
    """Return a note if load or neighbours took so much that the figures mean little."""
    delivered = min(one.delivered for one in slices)
    busiest = max(one.busiest for one in slices)
    bunched = max(one.bunched for one in slices)
    if delivered > 0.97 and busiest < 0.9 and bunched < 1.2:
        return []
    return [
        f"{what}: {delivered:.0%} of the events came, {bunched:.1f} per read, "
        f"the load side was {busiest:.0%} busy."
    ]


def say(what: str) -> None:
    """Tell what is going on."""
    print(f"... {what}", flush=True)


if __name__ == "__main__":
    main()
