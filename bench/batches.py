"""What batches cost: lines a second taken in, executed and handed out, and the memory for it."""

from __future__ import annotations

import http.client
import json
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bench import traffic
from bench.gateways import PATH
from bench.report import Row

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bench.gateways import Gateway

INTAKE = 1_000_000  # lines
EXECUTED = 10_000
BOUNDARY = "bench-3f1c"
PIECE = 1 << 20
LOOK = 0.2  # seconds between two looks


def measure(gateway: Gateway, folder: Path) -> list[Row]:
    """Take a million lines in, execute ten thousand, and hand their results out."""
    before = gateway.tree.rss()
    peak = 0.0

    def watch() -> None:
        nonlocal peak
        peak = max(peak, gateway.tree.rss() / 1024 / 1024)

    file, _ = upload(gateway, forms(folder / "large.form", INTAKE), watch)
    taken = intake(gateway, file, watch)
    executed, batch = execute(gateway, folder)
    handed = export(gateway, batch["output_file_id"])
    cores = "one processor for the gateway, one for the upstream"
    return [
        Row("batch of 1,000,000 lines, intake", cores, INTAKE / taken, "lines/s"),
        Row("resident memory meanwhile, at most", f"{before >> 20} MiB before", peak, "MiB", 150),
        Row("batch lines executed, instant upstream", cores, EXECUTED / executed, "lines/s"),
        Row("results handed out", "the output file", EXECUTED / handed, "lines/s"),
    ]


def forms(path: Path, lines: int) -> Path:
    """Write the form that uploads so many lines."""
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="in.jsonl"\r\n'
        "Content-Type: application/jsonl\r\n\r\n"
    )
    messages = [{"role": "user", "content": traffic.TEXT}]
    small = json.dumps({"model": traffic.JSON_MODEL, "messages": messages})
    with path.open("w") as out:
        out.write(head)
        for number in range(lines):
            out.write(f'{{"custom_id":"line-{number}","method":"POST","url":"{PATH}",')
            out.write(f'"body":{small}}}\n')
        out.write(f"\r\n--{BOUNDARY}--\r\n")
    return path


def upload(gateway: Gateway, form: Path, watch: Callable[[], None]) -> tuple[str, float]:
    """Upload a form; return the file's id and the seconds it took."""

    def pieces() -> Any:
        with form.open("rb") as source:
            while piece := source.read(PIECE):
                watch()
                yield piece

    began = time.monotonic()
    headers = {
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
        "Content-Length": str(form.stat().st_size),
    }
    file = ask(gateway, "POST", "/v1/files", pieces(), headers)
    return file["id"], time.monotonic() - began


def intake(gateway: Gateway, file: str, watch: Callable[[], None]) -> float:
    """Have a file taken in as a batch; return the seconds until its lines are open.

    Its lines are not executed: it is cancelled then.
    """
    began = time.monotonic()
    batch = create(gateway, file)
    while batch["status"] == "validating":
        time.sleep(LOOK)
        watch()
        batch = look(gateway, batch["id"])
    taken = time.monotonic() - began
    if batch["status"] != "in_progress" or batch["request_counts"]["total"] != INTAKE:
        sys.exit(f"the batch was not taken in: {batch}")
    ask(gateway, "POST", f"/v1/batches/{batch['id']}/cancel")
    wait(gateway, batch["id"], "cancelled")
    watch()
    return taken


def execute(gateway: Gateway, folder: Path) -> tuple[float, dict[str, Any]]:
    """Execute a batch; return the seconds from its acceptance to its end, and the batch."""
    file, _ = upload(gateway, forms(folder / "small.form", EXECUTED), lambda: None)
    began = time.monotonic()
    batch = create(gateway, file)
    batch = wait(gateway, batch["id"], "completed")
    taken = time.monotonic() - began
    if batch["request_counts"]["completed"] != EXECUTED:
        sys.exit(f"the batch was not executed: {batch}")
    return taken, batch


def export(gateway: Gateway, file: str) -> float:
    """Read a file; return the seconds that took."""
    began = time.monotonic()
    body = call(gateway, "GET", f"/v1/files/{file}/content")
    lines = body.count(b"\n")
    if lines != EXECUTED:
        sys.exit(f"{lines} results were handed out")
    return time.monotonic() - began


def create(gateway: Gateway, file: str) -> dict[str, Any]:
    """Make a batch of a file."""
    asked = {"input_file_id": file, "endpoint": PATH, "completion_window": "24h"}
    return ask(gateway, "POST", "/v1/batches", json.dumps(asked))


def look(gateway: Gateway, id_: str) -> dict[str, Any]:
    """Return a batch as it stands."""
    return ask(gateway, "GET", f"/v1/batches/{id_}")


def wait(gateway: Gateway, id_: str, status: str) -> dict[str, Any]:
    """Return a batch when it has that status."""
    while (batch := look(gateway, id_))["status"] != status:
        if batch["status"] in ("failed", "expired"):
            sys.exit(f"the batch has ended as {batch}")
        time.sleep(LOOK)
    return batch


def ask(
    gateway: Gateway,
    method: str,
    path: str,
    body: Any = None,
    headers: dict[str, str] | None = None,
) -> dict[str, Any]:
    """Return an answer's value; leave if it is a refusal."""
    value: dict[str, Any] = json.loads(call(gateway, method, path, body, headers))
    return value


def call(
    gateway: Gateway,
    method: str,
    path: str,
    body: Any = None,
    headers: dict[str, str] | None = None,
) -> bytes:
    """Return an answer's body; leave if it is a refusal."""
    netloc = urlsplit(gateway.json).netloc
    with closing(http.client.HTTPConnection(netloc, timeout=120)) as connection:
        sent = {"Authorization": f"Bearer {traffic.KEY}", "Content-Type": "application/json"}
        connection.request(method, path, body, {**sent, **(headers or {})})
        reply = connection.getresponse()
        text = reply.read()
    if reply.status != 200:
        sys.exit(f"{method} {path} answered {reply.status}: {text[:500]!r}")
    return text
