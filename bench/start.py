"""What a start costs: import, and the time to the first answer."""

from __future__ import annotations

import http.client
import subprocess
import sys
import time
from contextlib import closing
from statistics import median
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bench import traffic
from bench.gateways import PLUGIN, start_server
from bench.processes import GATEWAY_CPU, Fleet, pinned, surroundings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.gateways import Gateway, Upstreams

THIRD_PARTY = "import aiohttp.web, msgspec, pluggy, structlog"

# The command, which leaves a list of the modules that it has loaded, in their order.
LISTING = """
import atexit, pathlib, sys
atexit.register(lambda: pathlib.Path({file!r}).write_text(chr(10).join(sys.modules)))
from gomodel_proxy.cli import main
main()
"""
IMPORT = """
import importlib, time
{first}
began = time.process_time()
for name in {modules}:
    importlib.import_module(name)
print(time.process_time() - began)
"""


def our_modules(folder: Path, up: Upstreams) -> list[str]:
    """Return the modules of ours that a start loads, up to its first answer and its end."""
    file = folder / "modules"
    with Fleet() as fleet:
        command = [sys.executable, "-c", LISTING.format(file=str(file))]
        ask(start_server(fleet, folder / "modules-of", up, command))
    names = file.read_text().splitlines()
    return [name for name in names if name.startswith("gomodel_proxy") and name != PLUGIN]


def import_cpu(first: str, modules: Sequence[str], times: int = 5) -> float:
    """Return the seconds of CPU that importing modules takes after ``first``.

    What they alone need of the standard library is in it.
    """
    code = IMPORT.format(first=first, modules=list(modules))
    argv = pinned([sys.executable, "-c", code], GATEWAY_CPU)
    taken = [float(subprocess.check_output(argv, env=surroundings())) for _ in range(times + 1)]
    return median(taken[1:])  # the first may have had to compile


def first_answer(folder: Path, up: Upstreams, times: int = 5) -> tuple[float, float]:
    """Return the seconds from starting the command to its first answered chat request.

    The second figure is how many of them it had a processor for.
    """
    starts = [one_start(folder / f"start-{number}", up) for number in range(times)]
    walls, cpus = zip(*starts, strict=True)
    return median(walls), median(cpus)


def one_start(folder: Path, up: Upstreams) -> tuple[float, float]:
    """Start the command once, from an empty folder, and ask."""
    with Fleet() as fleet:
        began = time.monotonic()
        gateway = start_server(fleet, folder, up)
        ask(gateway)
        return time.monotonic() - began, gateway.tree.cpu()


def ask(gateway: Gateway) -> None:
    """Send one chat request; leave if it is not answered."""
    parts = urlsplit(gateway.json)
    with closing(http.client.HTTPConnection(parts.netloc, timeout=10)) as connection:
        body = traffic.request(traffic.JSON_MODEL, stream=False)
        headers = {"Authorization": f"Bearer {traffic.KEY}", "Content-Type": "application/json"}
        connection.request("POST", parts.path, body, headers)
        reply = connection.getresponse()
        text = reply.read()
    if reply.status != 200:
        sys.exit(f"{gateway.json} answered {reply.status}: {text!r}")
