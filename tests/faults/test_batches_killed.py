"""A batch of 2,000 lines on two processes, of which fifty are killed.

Each line has one result, no line that has one is sent again, the ledger agrees with the upstream
token for token, and nothing was sent more often than the kills explain.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import pytest

from gomodel_proxy.testing.processes import SandboxProcess

from .batch_lives import (
    CONFIG,
    MODEL,
    WIDTH,
    Call,
    Lives,
    calls_of,
    eventually,
    get,
    ledger,
    output,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KILLS = 50
LINES = 2000


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest) -> str:
    if request.param == "sqlite":
        return 'type = "sqlite"\npath = "gomodel.db"'
    settings = request.getfixturevalue("postgres")
    return "\n".join(f'{name} = "{value}"' for name, value in settings.items())


@pytest.fixture
def record(tmp_path: Path) -> Path:
    return tmp_path / "record.jsonl"


@pytest.fixture
def config(tmp_path: Path, record: Path, store: str) -> Iterator[Path]:
    with SandboxProcess("--record", str(record)) as upstream:
        path = tmp_path / "config.toml"
        path.write_text(CONFIG.format(url=upstream.url, model=MODEL, width=WIDTH, store=store))
        yield path


@pytest.fixture
def lives(config: Path, record: Path, tmp_path: Path) -> Iterator[Lives]:
    environ = {"PYTHONPYCACHEPREFIX": str(tmp_path / "cache"), "PYTHONDONTWRITEBYTECODE": ""}
    made = Lives(config, record, environ, seed=11)
    yield made
    made.end()


@pytest.mark.soak
async def test_fifty_kills_lose_and_repeat_nothing(lives: Lives, record: Path) -> None:
    await lives.submit(LINES)
    kills = iter(range(KILLS - 1))  # the one that took the batch was the first
    await asyncio.gather(lives.live(kills), lives.live(kills))

    last = await lives.start()
    batch = (await get(last.port, f"/v1/batches/{lives.batch}")).json()
    assert batch["status"] == "in_progress", "it was over before the last kill"

    async def ended() -> bool:
        nonlocal batch
        batch = (await get(last.port, f"/v1/batches/{lives.batch}")).json()
        return batch["status"] == "completed"

    await eventually(ended, 120)
    counts = batch["request_counts"]
    assert (counts["total"], counts["completed"], counts["failed"]) == (LINES, LINES, 0)

    results = await output(last.port, batch)
    assert results.keys() == {f"line-{n}" for n in range(LINES)}
    assert {len(lines) for lines in results.values()} == {1}

    calls = calls_of(record)
    by_line: dict[str, list[Call]] = defaultdict(list)
    for call in calls:
        by_line[call.line].append(call)
    again = len(calls) - LINES
    assert 0 < again <= KILLS * WIDTH
    assert counts["resent"] >= again
    for name, (result,) in results.items():
        kept = result["response"]["request_id"]
        assert by_line[name][-1].request_id == kept, "sent again after its result was committed"

    accepted = {call.request_id: call for call in calls}

    async def told() -> bool:
        return accepted.keys() <= {row["request_id"] for row in await ledger(last.port)}

    await eventually(told, 10)
    rows = await ledger(last.port)
    assert {row["batch"] for row in rows} == {lives.batch}
    assert set(Counter(row["request_id"] for row in rows).values()) == {1}
    settled = [row for row in rows if row["status"] == "ok"]
    assert {row["status"] for row in rows} <= {"ok", "unknown"}
    assert len(rows) - len(settled) <= KILLS * WIDTH
    for row in settled:
        reported = accepted[row["request_id"]].usage
        assert reported is not None
        (attempt,) = row["attempts"]
        assert attempt["input_tokens"] == reported["prompt_tokens"]
        assert attempt["output_tokens"] == reported["completion_tokens"]
    unknown = {row["request_id"] for row in rows} - {row["request_id"] for row in settled}
    assert sum(row["attempts"][0]["total_tokens"] for row in settled) == sum(
        call.usage["total_tokens"]
        for call in calls
        if call.usage is not None and call.request_id not in unknown
    )
    kept_ids = {lines[0]["response"]["request_id"] for lines in results.values()}
    assert batch["usage"]["total_tokens"] == sum(
        row["attempts"][0]["total_tokens"] for row in settled if row["request_id"] in kept_ids
    )
    assert await asyncio.to_thread(last.stop) == 0
