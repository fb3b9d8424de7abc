"""The load: chat requests by wrk, streams by a process of our own."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench import traffic
from bench.meter import Tree
from bench.processes import LOAD_CPU, ROOT, pinned, python, tool

if TYPE_CHECKING:
    from typing import Self

    from bench.gateways import Gateway

HERE = Path(__file__).parent
CONNECTIONS = 32


def requests(gateway: Gateway, connections: int = CONNECTIONS, seconds: int = 1) -> float:
    """Send chat requests for a while and return the seconds of CPU that each took."""
    before = gateway.tree.cpu()
    options = ["-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(HERE / "post.lua")]
    done = subprocess.run(
        pinned([tool("wrk"), *options, gateway.json], LOAD_CPU),
        env={
            "BENCH_BODY": traffic.request(traffic.JSON_MODEL, stream=False),
            "BENCH_KEY": traffic.KEY,
        },
        capture_output=True,
        text=True,
        check=True,
    )
    gateway.tree.settle()
    counted = re.search(r"answered=(\d+) wrong=(\d+)", done.stdout)
    if not counted or counted[2] != "0" or counted[1] == "0":
        sys.exit(f"{gateway.json} did not answer as it should:\n{done.stdout}{done.stderr}")
    return (gateway.tree.cpu() - before) / int(counted[1])


@dataclass(frozen=True)
class Slice:
    """What a while of streaming cost, and whether the load kept up."""

    cpu: float  # seconds of the gateway's CPU per event
    delivered: float  # of what was due
    busiest: float  # share of its processor that upstream and client together took
    bunched: float  # events per read: more than one saves work that a real stream does not save


class Streams:
    """Open streams through a gateway, in a process of their own."""

    def __init__(
        self, gateway: Gateway, upstream: Tree, count: int, rate: int, family: str = "events"
    ) -> None:
        self.gateway = gateway
        self.upstream = upstream
        self.due = count * rate
        argv = python("streams", gateway.stream, str(count), traffic.stream_model(rate, family))
        self.process = subprocess.Popen(
            pinned(argv, LOAD_CPU),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        self.tree = Tree(self.process.pid)

    def __enter__(self) -> Self:
        if self.answer() != "ready":
            sys.exit(f"{self.gateway.stream} did not stream")
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate()
        self.gateway.tree.settle()

    def answer(self) -> str:
        """Return the next line of the process."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def count(self) -> tuple[int, int]:
        """Return how many events have come so far, in how many reads."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        events, reads = self.answer().split()
        return int(events), int(reads)

    def measure(self, seconds: float) -> Slice:
        """Let the streams run for a while."""
        time.sleep(0.3)
        before, start = self.readings(), self.count()
        time.sleep(seconds)
        after, now = self.readings(), self.count()
        events, reads = now[0] - start[0], now[1] - start[1]
        wall, cpu, load = (b - a for a, b in zip(before, after, strict=True))
        return Slice(cpu / events, events / (self.due * wall), load / wall, events / reads)

    def readings(self) -> tuple[float, float, float]:
        """Return the time, the gateway's CPU, and that of upstream and client."""
        load = self.upstream.cpu() + self.tree.cpu()
        return time.monotonic(), self.gateway.tree.cpu(), load
