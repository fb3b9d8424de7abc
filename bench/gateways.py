"""What is compared, each started with the same two upstreams behind it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from bench import traffic
from bench.processes import GATEWAY_CPU, LOAD_CPU, Fleet, free_port, python, tool

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.meter import Tree

HERE = Path(__file__).parent
PATH = "/v1/chat/completions"
PLUGIN = "gomodel_proxy_bench"
COMMAND = Path(sys.executable).with_name("gomodel-proxy")

FEATURES = (
    "key authentication (a master key and a configured key; every request carries the latter)",
    "a plugin, found by its entry point, whose observe hook watches every call",
    "one ledger row per request: journal before and after, usage and costs into SQLite",
    "one JSON log line per request, into a file",
)


@dataclass(frozen=True)
class Gateway:
    """Something that listens: where, and as which processes."""

    tree: Tree
    json: str
    stream: str


@dataclass(frozen=True)
class Upstreams:
    """The ports of the two vendors, and the process that streams."""

    json: int
    events: int
    events_tree: Tree


def start_upstreams(fleet: Fleet, folder: Path) -> Upstreams:
    """Start nginx for completions and our own process for streams."""
    json, events = free_port(), free_port()
    settings = {"port": json, "completion": traffic.completion()}
    config = fill("nginx-upstream.conf.in", folder, settings)
    fleet.serve(nginx(config), cpu=LOAD_CPU, log=folder / "upstream.out", port=json)
    streams = python("upstream", str(events))
    tree = fleet.serve(streams, cpu=LOAD_CPU, log=folder / "events.out", port=events)
    return Upstreams(json, events, tree)


def start_nginx(fleet: Fleet, folder: Path, up: Upstreams) -> Gateway:
    """Start the yardstick."""
    port, stream = free_port(), free_port()
    settings = {"port": port, "stream_port": stream, "json": up.json, "events": up.events}
    config = fill("nginx-gateway.conf.in", folder, settings)
    tree = fleet.serve(nginx(config), cpu=GATEWAY_CPU, log=folder / "nginx.out", port=port)
    return Gateway(tree, url(port), url(stream))


def start_baseline(fleet: Fleet, folder: Path, up: Upstreams) -> Gateway:
    """Start the plain aiohttp proxy."""
    port = free_port()
    origins = [f"http://127.0.0.1:{up.json}", f"http://127.0.0.1:{up.events}"]
    argv = python("baseline", str(port), *origins)
    tree = fleet.serve(argv, cpu=GATEWAY_CPU, log=folder / "baseline.out", port=port)
    return Gateway(tree, url(port), url(port))


def start_server(
    fleet: Fleet, folder: Path, up: Upstreams, command: Sequence[str | Path] = (COMMAND,)
) -> Gateway:
    """Start the command's own server, all features on."""
    port = free_port()
    argv = [*command, "--config", configure(folder, up, port)]
    log = folder / "log.jsonl"
    tree = fleet.serve(argv, cpu=GATEWAY_CPU, log=log, port=port, modules=[plugin_path(folder)])
    return Gateway(tree, url(port), url(port))


def start_host(fleet: Fleet, folder: Path, up: Upstreams) -> Gateway:
    """Start an application that has the gateway under a prefix, all features on."""
    port = free_port()
    argv = python("host", str(port), configure(folder, up, port))
    log = folder / "log.jsonl"
    tree = fleet.serve(argv, cpu=GATEWAY_CPU, log=log, port=port, modules=[plugin_path(folder)])
    return Gateway(tree, url(port, "/llm"), url(port, "/llm"))


def configure(folder: Path, up: Upstreams, port: int) -> Path:
    """Write the gateway's configuration into a folder of its own."""
    folder.mkdir()
    settings = {
        "port": port,
        "key": traffic.KEY,
        "json": up.json,
        "json_model": traffic.JSON_MODEL,
        "events": up.events,
        "event_models": traffic.stream_models("events"),
        "message_models": traffic.stream_models("messages"),
    }
    return fill("gateway.toml.in", folder, settings)


def plugin_path(folder: Path) -> Path:
    """Install the bench's plugin into the folder, as an index would; return where it is found."""
    module = folder / f"{PLUGIN}.py"
    module.write_bytes((HERE / "features_plugin.py").read_bytes())
    info = folder / "gomodel_proxy_bench-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: gomodel-proxy-bench\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[gomodel_proxy.plugins]\nbench = {PLUGIN}\n")
    return folder


def fill(template: str, folder: Path, settings: Mapping[str, object]) -> Path:
    """Write a configuration from its template."""
    file = folder / template.removesuffix(".in")
    text = (HERE / template).read_text()
    file.write_text(Template(text).substitute(settings, folder=folder))
    return file


def nginx(config: Path) -> list[str | Path]:
    """Return the command that runs nginx with a configuration."""
    return [tool("nginx"), "-c", config, "-e", config.with_suffix(".err")]


def url(port: int, prefix: str = "") -> str:
    """Return where chat requests go."""
    return f"http://127.0.0.1:{port}{prefix}{PATH}"
