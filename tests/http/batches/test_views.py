"""The routes of batches, in both views of them: what is shown, and what is refused."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, NamedTuple

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from gomodel_proxy import create_app
from gomodel_proxy.engine.batches import states
from gomodel_proxy.testing.served import Served, completed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path

pytestmark = pytest.mark.asyncio(loop_scope="module")

HANGS = "sandbox-echo+hang"
FAILS = "sandbox-echo+status=400"
LONG = "sandbox-echo+size=300000"
CONFIG = {
    "plugins": {"enabled": ["anthropic"]},
    "providers": {
        "sandbox": {
            "type": "sandbox",
            "models": ["sandbox-echo", HANGS, FAILS, LONG],
            "models_mode": "allowlist",
        }
    },
    "auth": {
        "keys": {
            "ann": {"key": "sk-ann"},
            "bob": {"key": "sk-bob"},
            "root": {"key": "sk-root", "admin": True},
        }
    },
    "batches": {"look": "20ms", "inline_results": 3},
    "server": {"body_limit": 20_000},
}
ENDED = ("completed", "failed", "expired", "cancelled")
RESULT = {"index", "custom_id", "url", "status_code", "model", "provider", "response", "error"}


class Reply(NamedTuple):
    status: int
    value: Any
    headers: Mapping[str, str]

    @property
    def error(self) -> dict[str, Any]:
        """OpenAI's error."""
        assert set(self.value) == {"error"}
        assert set(self.value["error"]) == {"message", "type", "param", "code"}
        found: dict[str, Any] = self.value["error"]
        return found


class House:
    """A gateway, and callers by their keys."""

    def __init__(self, url: str, web: aiohttp.ClientSession) -> None:
        self.url = url
        self.web = web

    async def ask(
        self, method: str, path: str, body: Any = None, key: str = "ann", **headers: str
    ) -> Reply:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        given["Authorization"] = f"Bearer sk-{key}"
        url = f"{self.url}/v1{path}"
        async with self.web.request(method, url, json=body, headers=given) as reply:
            text = await reply.text()
            value = json.loads(text) if reply.content_type == "application/json" else text
            return Reply(reply.status, value, reply.headers)

    async def make(self, *models: str, key: str = "ann", **more: Any) -> dict[str, Any]:
        reply = await self.ask("POST", "/batches", {"requests": lines(*models), **more}, key)
        assert reply.status == 200, reply
        made: dict[str, Any] = reply.value
        return made

    async def until(
        self, id_: str, reached: Callable[[dict[str, Any]], bool], key: str = "ann"
    ) -> dict[str, Any]:
        """Return the batch as soon as it is so."""
        async with asyncio.timeout(20):
            while True:
                found: dict[str, Any] = (await self.ask("GET", f"/batches/{id_}", key=key)).value
                if reached(found):
                    return found
                await asyncio.sleep(0.02)

    async def ended(self, id_: str, key: str = "ann") -> dict[str, Any]:
        """Return the batch as soon as it has ended."""
        return await self.until(id_, lambda batch: batch["status"] in ENDED, key)

    async def done(self, *models: str, **more: Any) -> dict[str, Any]:
        """Return a batch that has ended."""
        return await self.ended((await self.make(*models, **more))["id"], more.get("key", "ann"))


def lines(*models: str) -> list[dict[str, Any]]:
    return [
        {
            "custom_id": f"c{number}",
            "method": "POST",
            "url": "/v1/chat/completions",
            "body": {"model": model, "messages": [{"role": "user", "content": f"Hi {number}"}]},
        }
        for number, model in enumerate(models)
    ]


ECHO = "sandbox-echo"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    folder = tmp_path_factory.mktemp("gateway")
    async with Served(CONFIG, folder) as gateway, aiohttp.ClientSession() as web:
        yield House(gateway.url, web)


# ---------------------------------------------------------------- one batch


async def test_a_batch_has_its_results_when_they_are_few(house: House) -> None:
    batch = await house.done(ECHO, FAILS, ECHO, metadata={"team": "a"})
    assert (batch["status"], batch["metadata"]) == ("completed", {"team": "a"})
    assert batch["request_counts"] == {"total": 3, "completed": 2, "failed": 1, "resent": 0}
    assert batch["usage"]["total_tokens"] > 0
    assert batch["usage"]["total_cost"] > 0
    assert all(set(result) == RESULT for result in batch["results"])
    told = [
        (one["index"], one["custom_id"], one["status_code"], one["error"] is None)
        for one in batch["results"]
    ]
    assert told == [(0, "c0", 200, True), (1, "c1", 400, False), (2, "c2", 200, True)]
    assert batch["results"][2]["response"]["choices"][0]["message"]["content"] == "Hi 2"
    assert set(batch["results"][1]["error"]) == {"type", "message"}
    many = await house.done(*[ECHO] * 4)
    assert "results" not in many


async def test_members_that_mean_nothing_are_told(house: House) -> None:
    body = {"requests": lines(ECHO), "priority": "high", "model": "x"}
    reply = await house.ask("POST", "/batches", body)
    assert (reply.status, reply.headers["X-GoModel-Lossy"]) == (200, "priority,model")
    refused = await house.ask("POST", "/batches", body, X_GoModel_Strict="1")
    assert (refused.status, refused.error["code"]) == (400, "lossy_translation")
    plain = await house.ask("POST", "/batches", {"requests": lines(ECHO)}, X_GoModel_Strict="1")
    assert plain.status == 200
    assert "X-GoModel-Lossy" not in plain.headers


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        ({}, 400, "input_file_id"),
        ({"requests": []}, 400, "requests"),
        ({"requests": lines("no-such-model")}, 404, "requests[0].body.model"),
        ({"requests": [*lines(ECHO), *lines(ECHO)]}, 400, "requests[1].custom_id"),
        ({"input_file_id": "file-none"}, 404, "input_file_id"),
        ({"requests": lines(ECHO), "completion_window": "never"}, 400, "completion_window"),
        ({"requests": lines(ECHO), "metadata": {"a": 1}}, 400, "metadata"),
        ({"requests": lines(ECHO), "endpoint": "http://[v1"}, 400, "endpoint"),
    ],
)
async def test_what_cannot_be_made(house: House, body: Any, status: int, param: str) -> None:
    reply = await house.ask("POST", "/batches", body)
    assert (reply.status, reply.error["param"]) == (status, param)


async def test_inline_lines_obey_the_limit_of_bodies(house: House) -> None:
    reply = await house.ask("POST", "/batches", {"requests": lines(*[ECHO] * 200)})
    assert reply.status == 413
    assert "server.body_limit" in reply.error["message"]
    async with house.web.post(
        f"{house.url}/v1/batches", data=b"{}", headers={"Authorization": "Bearer sk-ann"}
    ) as other:
        assert other.status == 415


async def test_an_idempotency_key_makes_one_batch(house: House) -> None:
    body = {"requests": lines(ECHO)}
    first = await house.ask("POST", "/batches", body, Idempotency_Key="k")
    again = await house.ask("POST", "/batches", body, Idempotency_Key="k")
    assert first.value["id"] == again.value["id"]
    other = await house.ask("POST", "/batches", body, "bob", Idempotency_Key="k")
    assert other.value["id"] != first.value["id"]
    changed = {"requests": lines(ECHO, ECHO)}
    refused = await house.ask("POST", "/batches", changed, Idempotency_Key="k")
    assert (refused.status, refused.error["code"]) == (409, "idempotency_key_reused")


async def test_a_key_still_names_its_batch_when_the_input_is_gone(house: House) -> None:
    input_file = (await house.make(ECHO))["input_file_id"]
    body = {"input_file_id": input_file}
    first = await house.ask("POST", "/batches", body, Idempotency_Key="file")
    assert (await house.ask("DELETE", f"/files/{input_file}")).status == 200
    again = await house.ask("POST", "/batches", body, Idempotency_Key="file")
    assert (again.status, again.value.get("id")) == (200, first.value["id"])


# ---------------------------------------------------------------- lists


async def test_pages(house: House) -> None:
    ids = [(await house.make(ECHO, key="bob"))["id"] for _ in range(5)][::-1]
    page = (await house.ask("GET", "/batches?limit=2", key="bob")).value
    assert [batch["id"] for batch in page["data"]] == ids[:2]
    assert (page["object"], page["first_id"], page["last_id"], page["has_more"]) == (
        "list",
        *ids[:2],
        True,
    )
    page = (await house.ask("GET", f"/batches?limit=2&after={ids[1]}", key="bob")).value
    assert [batch["id"] for batch in page["data"]] == ids[2:4]
    path = f"/messages/batches?limit=2&after_id=msg{ids[2]}"
    page = (await house.ask("GET", path, key="bob")).value
    assert [batch["id"] for batch in page["data"]] == [f"msg{id_}" for id_ in ids[3:5]]
    assert (page["first_id"], page["last_id"]) == (f"msg{ids[3]}", f"msg{ids[4]}")
    path = f"/messages/batches?limit=2&before_id=msg{ids[3]}"
    page = (await house.ask("GET", path, key="bob")).value
    assert [batch["id"] for batch in page["data"]] == [f"msg{id_}" for id_ in ids[1:3]]
    assert page["has_more"] is True
    foreign = (await house.ask("GET", "/batches?limit=100", key="ann")).value["data"]
    assert not {batch["id"] for batch in foreign} & set(ids)
    everybodys = (await house.ask("GET", "/batches?limit=100", key="root")).value["data"]
    assert {batch["id"] for batch in everybodys} >= set(ids)


async def test_results_in_a_list_share_the_room(house: House) -> None:
    older = await house.done(ECHO, ECHO, key="root")
    middle = await house.done(*[ECHO] * 4, key="root")
    newest = await house.done(ECHO, ECHO, key="root")  # of the three that there is room for
    page = (await house.ask("GET", "/batches?limit=3", key="root")).value["data"]
    assert [batch["id"] for batch in page] == [newest["id"], middle["id"], older["id"]]
    assert [len(batch.get("results", ())) for batch in page] == [2, 0, 0]
    page = (await house.ask("GET", f"/batches?limit=1&after={middle['id']}", key="root")).value[
        "data"
    ]
    assert [len(batch.get("results", ())) for batch in page] == [2]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/batches?limit=0", 400),
        ("/batches?limit=101", 400),
        ("/batches?limit=x", 400),
        ("/batches?after=batch_none", 404),
        ("/batches/batch_none", 404),
        ("/batches/batch_none/results", 404),
        ("/batches/msgbatch_none", 404),
    ],
)
async def test_what_is_not_there(house: House, path: str, status: int) -> None:
    reply = await house.ask("GET", path, anthropic_version="2026-10-21")
    assert reply.status == status
    assert reply.error["message"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/messages/batches?limit=0", 400),
        ("GET", "/messages/batches?limit=1001", 400),
        ("GET", "/messages/batches?after_id=batch_none", 404),
        ("GET", "/messages/batches?after_id=a&before_id=b", 400),
        ("GET", "/messages/batches/msgbatch_none", 404),
        ("DELETE", "/messages/batches/msgbatch_none", 404),
        ("POST", "/messages/batches/msgbatch_none/cancel", 404),
        ("POST", "/messages/batches", 400),
    ],
)
async def test_errors_are_in_the_dialect_of_the_path(
    house: House, method: str, path: str, status: int
) -> None:
    reply = await house.ask(method, path, {} if method == "POST" else None)
    assert reply.status == status
    assert reply.value["type"] == "error"
    assert set(reply.value["error"]) == {"type", "message"}


async def test_batches_are_their_owners(house: House) -> None:
    id_ = (await house.done(ECHO))["id"]
    for method, path in (
        ("GET", f"/batches/{id_}"),
        ("GET", f"/batches/{id_}/results"),
        ("POST", f"/batches/{id_}/cancel"),
        ("GET", f"/messages/batches/msg{id_}"),
        ("GET", f"/messages/batches/msg{id_}/results"),
        ("DELETE", f"/messages/batches/msg{id_}"),
    ):
        assert (await house.ask(method, path, key="bob")).status == 404
    assert (await house.ask("GET", f"/batches?after={id_}", key="bob")).status == 404
    assert (await house.ask("GET", f"/batches/{id_}", key="root")).status == 200
    assert (await house.ask("GET", f"/batches/{id_}", key="nobody")).status == 401


# ---------------------------------------------------------------- results


async def test_results_page_by_page(house: House) -> None:
    id_ = (await house.done(ECHO, FAILS, ECHO, ECHO))["id"]
    path = f"/batches/{id_}/results"
    page = (await house.ask("GET", f"{path}?limit=3")).value
    assert {name: value for name, value in page.items() if name != "data"} == {
        "object": "list",
        "batch_id": id_,
        "has_more": True,
        "first_index": 0,
        "last_index": 2,
        "next": 2,
    }
    assert [one["custom_id"] for one in page["data"]] == ["c0", "c1", "c2"]
    page = (await house.ask("GET", f"{path}?after={page['next']}")).value
    assert [one["index"] for one in page["data"]] == [3]
    assert (page["has_more"], page["next"]) == (False, None)
    page = (await house.ask("GET", f"{path}?after=3")).value
    assert (page["data"], page["first_index"]) == ([], None)
    for asked, indexes in (("true", [1]), ("false", [0, 2, 3])):
        page = (await house.ask("GET", f"{path}?failed={asked}")).value
        assert [one["index"] for one in page["data"]] == indexes


async def test_long_results_come_by_the_few_and_never_with_their_batch(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(states, "_PIECE", 700_000)
    batch = await house.done(LONG, ECHO, LONG)
    assert "results" not in batch
    path = f"/batches/{batch['id']}/results"
    pages, after = [], -1
    while after is not None:
        page = (await house.ask("GET", f"{path}?after={after}")).value
        pages.append([one["index"] for one in page["data"]])
        after = page["next"]
    assert pages == [[0, 1, 2]], "by their mean"
    monkeypatch.setattr(states, "_PIECE", 500_000)
    page = (await house.ask("GET", path)).value
    assert ([one["index"] for one in page["data"]], page["next"]) == ([0, 1], 1)
    for query in ("?format=jsonl", "?format=jsonl&failed=false"):
        told = (await house.ask("GET", path + query)).value
        assert [json.loads(line)["index"] for line in told.splitlines()] == [0, 1, 2]


@pytest.mark.parametrize(
    ("query", "accept", "type_"),
    [
        ("?format=jsonl", "*/*", "application/jsonl"),
        ("", "application/jsonl", "application/jsonl"),
        ("", "application/x-ndjson", "application/x-ndjson"),
        ("", "text/html, application/x-jsonl;q=0.9", "application/x-jsonl"),
    ],
)
async def test_results_as_lines(house: House, query: str, accept: str, type_: str) -> None:
    id_ = (await house.done(ECHO, FAILS, ECHO))["id"]
    reply = await house.ask("GET", f"/batches/{id_}/results{query}", Accept=accept)
    assert reply.headers["Content-Type"] == type_
    told = [json.loads(line) for line in reply.value.splitlines()]
    assert [one["index"] for one in told] == [0, 1, 2]
    assert told == (await house.ask("GET", f"/batches/{id_}/results")).value["data"]


async def test_more_lines_than_are_read_at_a_time(house: House) -> None:
    count = 250
    text = "\n".join(
        json.dumps({**line, "custom_id": str(number)})
        for number, line in enumerate(lines(ECHO) * count)
    )
    form = aiohttp.FormData({"purpose": "batch"}, default_to_multipart=True)
    form.add_field("file", text.encode(), filename="in.jsonl")
    key = {"Authorization": "Bearer sk-ann"}
    async with house.web.post(f"{house.url}/v1/files", data=form, headers=key) as reply:
        file = (await reply.json())["id"]
    made = (await house.ask("POST", "/batches", {"input_file_id": file})).value
    batch = await house.ended(made["id"])
    reply_ = await house.ask("GET", f"/batches/{made['id']}/results?format=jsonl&after=9")
    told = [json.loads(line)["custom_id"] for line in reply_.value.splitlines()]
    assert told == [str(number) for number in range(10, count)]
    path = f"/files/{batch['output_file_id']}/content"
    output = (await house.ask("GET", path)).value
    assert len(output.splitlines()) == count
    shown = (await house.ask("GET", f"/files/{batch['output_file_id']}")).value
    assert (shown["bytes"], shown["purpose"]) == (len(output.encode()), "batch_output")
    part = await house.ask("GET", path, Range="bytes=100-119")
    assert (part.status, part.value) == (206, output[100:120])


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=1001", "after=-2", "after=x", "failed=maybe", "format=xml"],
)
async def test_odd_questions_about_results(house: House, query: str) -> None:
    id_ = (await house.done(ECHO))["id"]
    reply = await house.ask("GET", f"/batches/{id_}/results?{query}")
    assert (reply.status, reply.error["param"]) == (400, query.partition("=")[0])


# ---------------------------------------------------------------- its end


async def test_a_batch_that_runs_is_stopped_and_keeps_what_it_has(house: House) -> None:
    id_ = (await house.make(ECHO, HANGS))["id"]
    results = await house.ask("GET", f"/batches/{id_}/results")
    assert (results.status, results.error["code"]) == (409, "batch_not_ended")
    assert results.error["message"].split(":")[0] in (
        "This batch is validating",
        "This batch is in_progress",
    )
    message = await house.ask("GET", f"/messages/batches/msg{id_}/results")
    assert (message.status, message.value["error"]["type"]) == (409, "conflict_error")
    early = await house.ask("DELETE", f"/messages/batches/msg{id_}")
    assert (early.status, early.value["error"]["type"]) == (400, "invalid_request_error")
    await house.until(id_, lambda batch: batch["request_counts"]["completed"] == 1)
    stopped = await house.ask("POST", f"/batches/{id_}/cancel")
    assert stopped.value["status"] in ("cancelling", "cancelled")
    batch = await house.ended(id_)
    assert batch["status"] == "cancelled"
    assert [one["status_code"] for one in batch["results"]] == [200, 0]
    assert batch["results"][1]["error"]["type"] == "batch_cancelled"
    again = await house.ask("POST", f"/batches/{id_}/cancel")
    assert (again.status, again.error["code"]) == (409, "batch_ended")


async def test_only_admins_have_lines_sent_again(house: House) -> None:
    id_ = (await house.done(ECHO))["id"]
    refused = await house.ask("POST", f"/batches/{id_}/resend")
    assert (refused.status, refused.error["code"]) == (403, "admin_only")
    nothing = await house.ask("POST", f"/batches/{id_}/resend", key="root")
    assert (nothing.status, nothing.error["code"]) == (400, "nothing_uncertain")


async def test_openais_callers_cannot_delete(house: House) -> None:
    id_ = (await house.done(ECHO))["id"]
    assert (await house.ask("DELETE", f"/batches/{id_}")).status == 405
    deleted = await house.ask("DELETE", f"/messages/batches/msg{id_}")
    assert deleted.value == {"id": f"msg{id_}", "type": "message_batch_deleted"}
    assert (await house.ask("GET", f"/batches/{id_}")).status == 404


# ---------------------------------------------------------------- the other view


async def test_one_batch_in_both_views(house: House) -> None:
    params = {
        "model": ECHO,
        "max_tokens": 50,
        "messages": [{"role": "user", "content": "Hello there"}],
    }
    body = {"requests": [{"custom_id": "m", "params": params}]}
    made = (await house.ask("POST", "/messages/batches", body)).value
    assert made["id"].startswith("msgbatch_")
    id_ = made["id"].removeprefix("msg")
    batch = await house.ended(id_)
    assert (batch["status"], batch["endpoint"]) == ("completed", "/v1/messages")
    (result,) = batch["results"]
    assert (result["url"], result["response"]["type"]) == ("/v1/messages", "message")
    shown = (await house.ask("GET", f"/messages/batches/{made['id']}")).value
    assert shown["results_url"] == f"{house.url}/v1/messages/batches/{made['id']}/results"
    lines_ = await house.ask("GET", f"/messages/batches/{made['id']}/results")
    assert lines_.headers["Content-Type"] == "application/x-jsonl"
    assert json.loads(lines_.value) == {
        "custom_id": "m",
        "result": {"type": "succeeded", "message": result["response"]},
    }
    chat = await house.done(ECHO)
    told = await house.ask("GET", f"/messages/batches/msg{chat['id']}/results")
    assert json.loads(told.value)["result"]["type"] == "errored"
    assert f"/v1/batches/{chat['id']}/results" in told.value


async def test_addresses_under_a_hosts_prefix_and_behind_tls(tmp_path: Path) -> None:
    app = web.Application()
    app.add_subapp("/llm", create_app(completed(CONFIG, tmp_path)))
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    root = f"http://127.0.0.1:{runner.addresses[0][1]}/llm"
    async with aiohttp.ClientSession() as session:
        house = House(root, session)
        id_ = (await house.done(ECHO))["id"]
        path = f"/messages/batches/msg{id_}"
        shown = (await house.ask("GET", path)).value
        assert shown["results_url"] == f"{root}/v1{path}/results"
        shown = (await house.ask("GET", path, X_Forwarded_Proto="https", Host="llm.example")).value
        assert shown["results_url"] == f"https://llm.example/llm/v1{path}/results"
        refused = await house.ask("GET", "/messages/batches/msgbatch_none")
        assert refused.value["type"] == "error"
    await runner.cleanup()
