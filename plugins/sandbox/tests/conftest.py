from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from gomodel_proxy.testing.processes import Process
from gomodel_proxy_sandbox.replies import Request
from gomodel_proxy_sandbox.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def process() -> Iterator[Process]:
    with Process(["gomodel_proxy_sandbox"]) as started:
        yield started


@pytest.fixture
def recorded(tmp_path: Path) -> Iterator[tuple[Process, Path]]:
    file = tmp_path / "requests.jsonl"
    with Process(["gomodel_proxy_sandbox", "--record", str(file)]) as started:
        yield started, file


class Asker:
    """Asks a sandbox without any network."""

    def __init__(self, faults: str = "") -> None:
        self.sandbox = Sandbox(faults)

    def reply(self, path: str, members: object, headers: dict[str, str] | None = None):
        body = members if isinstance(members, bytes) else msgspec.json.encode(members)
        return self.sandbox.answer(Request("POST", path, headers or {}, body))

    def whole(self, path: str, **members: object):
        reply = self.reply(path, members)
        return msgspec.json.decode(b"".join(reply.body)), reply.status

    def chat(self, model: str, text: str = "Hello there, world!", **members: object):
        asked = {"model": model, "messages": [{"role": "user", "content": text}], **members}
        return self.whole("/v1/chat/completions", **asked)[0]

    def stream(self, path: str, **members: object) -> list[bytes]:
        reply = self.reply(path, {**members, "stream": True})
        assert reply.streamed
        return list(reply.body)

    def chat_stream(self, model: str, text: str = "Hello there, world!", **members: object):
        messages = [{"role": "user", "content": text}]
        return self.stream("/v1/chat/completions", model=model, messages=messages, **members)


@pytest.fixture
def ask() -> Asker:
    return Asker()
