"""A process that refuses, stalls and breaks off: what the caller hears, and what the books say.

Answers that are none, byte by byte, are in `test_upstreams`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from .conftest import over, rows

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gomodel_proxy.testing.processes import SandboxProcess
    from gomodel_proxy.testing.served import Served

TIMES = {"first_byte_timeout": "500ms", "idle_timeout": "500ms", "retries": 0}
CASES = [
    # fault, streamed, status, tries at the upstream
    ("refuse", False, 502, 1),
    ("hang", False, 504, 1),
    ("hang", True, 504, 1),
    ("cut=40", False, 502, 1),
    ("cut=10", True, 502, 1),
    ("malformed+cut=20", True, 502, 1),
    ("status=500", False, 500, 1),
    ("status=503", False, 503, 1),
    ("status=401", False, 401, 1),
]
FINE = ["1xx", "continue=50", "gzip", "chunk=1", "first=100ms"]


def config(sandbox: SandboxProcess, *faults: str, **upstream: Any) -> dict[str, Any]:
    models = [f"sandbox-echo+{fault}" for fault in faults]
    return over(sandbox.url, models=models, upstream={**TIMES, **upstream})


async def ask(url: str, fault: str, **more: Any) -> tuple[int, Any, str]:
    body = {"model": f"sandbox-echo+{fault}", "messages": [{"role": "user", "content": "Hi you"}]}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}/v1/chat/completions", json={**body, **more}) as reply,
    ):
        return reply.status, reply.headers, await reply.text()


async def tries(sandbox: SandboxProcess, request_id: str) -> int:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{sandbox.url}/_sandbox/log") as reply,
    ):
        seen = (await reply.json())["requests"]
    return sum(entry["request_id"] == request_id for entry in seen)


@pytest.mark.parametrize(("fault", "stream", "status", "sent"), CASES)
async def test_the_caller_hears_what_happened_and_the_books_say_so(
    served: Callable[..., Awaitable[Served]],
    sandbox: SandboxProcess,
    fault: str,
    stream: bool,
    status: int,
    sent: int,
) -> None:
    server = await served(config(sandbox, fault))
    got, headers, text = await ask(server.url, fault, stream=stream)
    assert got == status, text
    assert headers["Content-Type"].startswith("application/json")
    assert '"error"' in text
    assert headers["X-GoModel-Provider"] == "up"
    ((row,),) = (await rows(server.gateway)).values()
    assert row["status"] == "error"
    assert row["http_status"] == status
    assert row["error"]
    assert len(row["attempts"]) == 1
    assert await tries(sandbox, headers["X-Request-ID"]) == sent


@pytest.mark.parametrize("fault", FINE)
@pytest.mark.parametrize("stream", [False, True])
async def test_oddities_that_lose_nothing_pass(
    served: Callable[..., Awaitable[Served]], sandbox: SandboxProcess, fault: str, stream: bool
) -> None:
    server = await served(config(sandbox, fault))
    status, headers, text = await ask(server.url, fault, stream=stream)
    assert status == 200, text
    assert "Content-Encoding" not in headers
    assert ("[DONE]" if stream else "Hi you") in text
    ((row,),) = (await rows(server.gateway)).values()
    assert row["status"] == "ok"
    assert row["input_tokens"] == 2


@pytest.mark.parametrize(
    ("fault", "status", "sent"),
    [
        ("status=429+retry_after=0+times=2", 200, 3),
        ("status=503+retry_after=0+times=1", 200, 2),
        ("status=503+times=1", 503, 1),  # without Retry-After nobody says it is safe
        ("status=500+times=1", 500, 1),
        ("cut=30+times=1", 502, 1),
        ("status=429+retry_after=60", 429, 1),  # longer than anybody should wait
    ],
)
async def test_only_what_cannot_be_paid_twice_is_sent_again(
    served: Callable[..., Awaitable[Served]],
    sandbox: SandboxProcess,
    fault: str,
    status: int,
    sent: int,
) -> None:
    async with aiohttp.ClientSession() as session:
        await session.post(f"{sandbox.url}/_sandbox/reset")
    server = await served(config(sandbox, fault, retries=2))
    got, headers, text = await ask(server.url, fault)
    assert got == status, text
    assert await tries(sandbox, headers["X-Request-ID"]) == sent
    ((row,),) = (await rows(server.gateway)).values()
    assert len(row["attempts"]) == sent
    assert [attempt["status"] for attempt in row["attempts"][:-1]] == ["error"] * (sent - 1)
    if status == 429:
        assert headers["Retry-After"] == "60"
