"""The endpoints over HTTP: selectors, tenants, headers, reports, errors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from gomodel_proxy.api import ConfigError
from gomodel_proxy.testing.served import Served

if TYPE_CHECKING:
    from gomodel_proxy.testing.processes import SandboxProcess

Serve = Callable[..., Awaitable[Served]]

MESSAGES = [{"role": "user", "content": "Hello"}]
KEYS = {
    "master_key": "sk-master-canary",
    "keys": {
        "ann": {"key": "sk-ann", "user_path": "/a/ann"},
        "bob": {"key": "sk-bob", "user_path": "/a/bob"},
        "boss": {"key": "sk-boss", "admin": True},
    },
}


class Caller:
    """A client with one key."""

    def __init__(self, url: str, key: str | None = None, **headers: str) -> None:
        self.url = url
        self.headers = {**headers, **({"Authorization": f"Bearer {key}"} if key else {})}

    async def ask(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, Any, Any]:
        async with (
            aiohttp.ClientSession() as session,
            session.request(
                method, self.url + path, json=body, headers={**self.headers, **headers}
            ) as reply,
        ):
            return reply.status, reply.headers, await reply.json()

    async def get(self, path: str) -> tuple[int, Any]:
        status, _, body = await self.ask("GET", path)
        return status, body

    async def chat(self, model: str = "sandbox-echo", **more: Any) -> tuple[int, Any, Any]:
        body = {"model": model, "messages": MESSAGES, **more}
        return await self.ask("POST", "/v1/chat/completions", body)


def two_accounts(sandbox: SandboxProcess) -> dict[str, Any]:
    one = {
        "type": "openai_compatible",
        "base_url": f"{sandbox.url}/v1",
        "models_mode": "allowlist",
        "api_key": "sk-upstream-canary",
    }
    return {
        "zebra": {**one, "models": ["sandbox-echo", "meta/sandbox-echo", "only-zebra"]},
        "ape": {**one, "models": ["sandbox-echo", "sandbox-text", "zebra/odd"]},
    }


@pytest.mark.parametrize(
    ("model", "hint", "provider"),
    [
        ("sandbox-echo", None, "zebra"),  # the file's order, not the alphabet's
        ("sandbox-text", None, "ape"),
        ("ape/sandbox-echo", None, "ape"),
        ("sandbox-echo", "ape", "ape"),
        ("ape/sandbox-echo", "ape", "ape"),
        ("openai_compatible/sandbox-text", None, "ape"),
        ("sandbox-echo", "openai_compatible", "zebra"),
    ],
)
async def test_selectors_find_their_account(
    served: Serve, sandbox: SandboxProcess, model: str, hint: str | None, provider: str
) -> None:
    server = await served({"providers": two_accounts(sandbox)})
    more = {} if hint is None else {"provider": hint}
    status, headers, reply = await Caller(server.url).chat(model, **more)
    assert status == 200, reply
    assert headers["X-GoModel-Provider"] == provider
    assert reply["provider"] == provider
    assert reply["model"] == model.rpartition("/")[2]


@pytest.mark.parametrize(
    ("model", "hint", "near"),
    [
        ("sandbox-ecco", None, "sandbox-echo"),
        ("ape/sandbox-tex", None, "ape/sandbox-text"),
        ("sandbox-echo", "appe", "ape"),
    ],
)
async def test_unknown_names_get_near_ones(
    served: Serve, sandbox: SandboxProcess, model: str, hint: str | None, near: str
) -> None:
    server = await served({"providers": two_accounts(sandbox)})
    more = {} if hint is None else {"provider": hint}
    status, _, reply = await Caller(server.url).chat(model, **more)
    assert status == 404
    assert f"'{near}'" in reply["error"]["message"]


async def test_an_unknown_inventory_takes_qualified_ids_only(served: Serve) -> None:
    up = {"type": "openai_compatible", "base_url": "http://127.0.0.1:9/v1"}
    server = await served({"providers": {"up": up}, "upstream": {"retries": 0}})
    caller = Caller(server.url)
    status, _, reply = await caller.chat("anything")
    assert (status, reply["error"]["code"]) == (503, "models_unknown")
    status, headers, _ = await caller.chat("up/anything")
    assert status == 502  # it was sent there
    assert headers["X-GoModel-Provider"] == "up"


async def test_models_are_listed_and_shown_by_any_name(
    served: Serve, sandbox: SandboxProcess
) -> None:
    server = await served({"providers": two_accounts(sandbox)})
    caller = Caller(server.url)
    _, listed = await caller.get("/v1/models")
    assert listed["object"] == "list"
    ids = [model["id"] for model in listed["data"]]
    assert ids == [
        "zebra/sandbox-echo",
        "zebra/meta/sandbox-echo",
        "zebra/only-zebra",
        "ape/sandbox-echo",
        "ape/sandbox-text",
        "ape/zebra/odd",
    ]
    for asked, found in [
        ("zebra/meta/sandbox-echo", "zebra/meta/sandbox-echo"),
        ("zebra%2Fmeta%2Fsandbox-echo", "zebra/meta/sandbox-echo"),
        ("meta/sandbox-echo", "zebra/meta/sandbox-echo"),
        ("sandbox-text", "ape/sandbox-text"),
    ]:
        status, shown = await caller.get(f"/v1/models/{asked}")
        assert (status, shown["id"]) == (200, found)
    status, shown = await caller.get("/v1/models/nope")
    assert (status, shown["error"]["code"]) == (404, "model_not_found")


async def test_the_offline_models_go_wrong_by_name(served: Serve) -> None:
    server = await served({"providers": {"sandbox": {"type": "sandbox"}}})
    caller = Caller(server.url)
    status, headers, reply = await caller.chat("sandbox-echo+status=429+retry_after=60")
    assert (status, headers["Retry-After"]) == (429, "60")
    assert reply["error"]["type"] == "rate_limit_error"
    assert "sandbox-echo+" not in str(await caller.get("/v1/models"))


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer nope"}, 401),
        ({"Authorization": "Basic sk-ann"}, 401),
        ({"Authorization": "Bearer"}, 401),
        ({"x-api-key": "nope"}, 401),
        ({"Authorization": "Bearer \udcff"}, 401),
        ({"x-api-key": "sk-ann"}, 200),
        ({"Authorization": "Bearer sk-ann"}, 200),
        ({"Authorization": "bearer   sk-ann"}, 200),
    ],
)
@pytest.mark.parametrize("fast", [True, False])
async def test_callers_need_a_key(
    served: Serve, headers: dict[str, str], status: int, fast: bool
) -> None:
    server = await served(
        {
            "providers": {"sandbox": {"type": "sandbox"}},
            "auth": KEYS,
            "server": {"fast_lane": fast},
        }
    )
    caller = Caller(server.url, **headers)
    for _ in range(2):  # the second time from memory
        got, _, reply = await caller.chat()
        assert got == status, reply
    assert (await caller.get("/v1/models"))[0] == status
    assert (await caller.get("/health"))[0] == 200
    assert (await caller.get("/health/ready"))[0] == 200
    if status == 401:
        assert reply["error"]["type"] == "authentication_error"
        assert (await caller.get("/no/such/path"))[0] == 401  # strangers learn no paths
        assert "nope" not in str(reply)


async def test_a_tenant_sees_its_own_rows_and_admins_all(served: Serve) -> None:
    server = await served({"providers": {"sandbox": {"type": "sandbox"}}, "auth": KEYS})
    ann, bob = Caller(server.url, "sk-ann"), Caller(server.url, "sk-bob")
    master = Caller(server.url, "sk-master-canary")
    for _ in range(2):
        assert (await ann.chat())[0] == 200
    assert (await bob.chat())[0] == 200
    for caller, requests in ((ann, 2), (bob, 1), (master, 3)):
        _, usage = await caller.get("/v1/usage")
        assert usage["usage"]["requests"] == requests
        _, summary = await caller.get("/admin/usage/summary")
        assert summary["requests"] == requests
        _, log = await caller.get("/admin/usage/log")
        assert len(log["data"]) == requests
        for report in ("daily", "models"):
            _, listing = await caller.get(f"/admin/usage/{report}")
            assert sum(row["requests"] for row in listing["data"]) == requests
    _, log = await ann.get("/admin/usage/log")
    assert {row["principal"] for row in log["data"]} == {"ann"}
    assert {row["user_path"] for row in log["data"]} == {"/a/ann"}
    row = log["data"][0]
    assert row["status"] == "ok"
    assert row["attempts"][0]["provenance"] == "reported"
    assert row["attempts"][0]["raw_usage"]["prompt_tokens"] == row["input_tokens"]
    assert row["total_cost"] == pytest.approx(
        (row["input_tokens"] + 2 * row["output_tokens"]) / 1e6
    )
    _, log = await master.get("/admin/usage/log?limit=2")
    _, rest = await master.get(f"/admin/usage/log?after={log['last_id']}")
    assert (log["has_more"], len(rest["data"]), rest["has_more"]) == (True, 1, False)
    assert (await master.get("/admin/usage/summary?user_path=/a/bob"))[1]["requests"] == 1


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=201", "limit=x", "days=0", "days=366", "start_date=yesterday",
     "status=great", "start_date=2026-02-02&end_date=2026-02-01", "end_date=0001-01-01",
     "limit=%D9%A3", "start_date=%D9%A22026-01-01", "modell=x"],
)  # fmt: skip
async def test_reports_refuse_senseless_questions(served: Serve, query: str) -> None:
    server = await served({"providers": {"sandbox": {"type": "sandbox"}}})
    status, reply = await Caller(server.url).get(f"/admin/usage/log?{query}")
    assert status == 400
    assert reply["error"]["param"] in query


async def test_a_report_without_such_a_filter_names_the_nearest(served: Serve) -> None:
    caller = Caller((await served({"providers": {"sandbox": {"type": "sandbox"}}})).url)
    for report in ("admin/usage/summary", "admin/usage/daily", "admin/usage/models", "v1/usage"):
        status, reply = await caller.get(f"/{report}?providr=x")
        assert (status, reply["error"]["code"]) == (400, "unknown_parameter")
        assert "'provider'" in reply["error"]["message"]
    assert (await caller.get("/admin/usage/daily?limit=3"))[0] == 400
    assert (await caller.get("/admin/usage/log?limit=3"))[0] == 200


async def test_a_long_name_is_not_repeated_in_full(served: Serve) -> None:
    caller = Caller((await served({"providers": {"sandbox": {"type": "sandbox"}}})).url)
    for more in ({"model": "sandbox/" + "m" * 100_000}, {"provider": "p" * 100_000}):
        status, _, reply = await caller.chat(**more)
        assert status == 404
        assert len(reply["error"]["message"]) < 300


async def test_settings_that_cannot_be_name_their_provider(served: Serve) -> None:
    account = {"type": "openai_compatible", "base_url": "nowhere"}
    with pytest.raises(ConfigError, match=r"\[providers\.acme\] base_url: must be") as caught:
        await served({"providers": {"acme": account}})
    assert caught.value.param == "base_url"


async def test_user_paths_come_from_keys_and_admins_only(served: Serve) -> None:
    server = await served({"providers": {"sandbox": {"type": "sandbox"}}, "auth": KEYS})
    header = {"X-GoModel-User-Path": "//x/ y /"}
    for key in ("sk-ann", "sk-boss", "sk-master-canary"):
        status, _, _ = await Caller(server.url, key, **header).chat()
        assert status == 200
    _, log = await Caller(server.url, "sk-boss").get("/admin/usage/log")
    paths = {row["principal"]: row["user_path"] for row in log["data"]}
    assert paths == {"ann": "/a/ann", "boss": "/x/y", "master": "/x/y"}
    bad = {"X-GoModel-User-Path": "/a/../b"}
    status, _, reply = await Caller(server.url, "sk-boss", **bad).chat()
    assert (status, reply["error"]["code"]) == (400, "invalid_user_path")


async def test_what_others_made_at_the_vendor_does_not_exist(
    served: Serve, sandbox: SandboxProcess
) -> None:
    server = await served({"providers": two_accounts(sandbox), "auth": KEYS})
    ann, bob = Caller(server.url, "sk-ann"), Caller(server.url, "sk-bob")
    made = {"model": "ape/sandbox-echo", "input": "from ann alone"}
    status, _, reply = await ann.ask("POST", "/v1/responses", made)
    assert status == 200
    follow = {"model": "sandbox-echo", "input": "more", "previous_response_id": reply["id"]}
    status, headers, _ = await ann.ask("POST", "/v1/responses", follow)
    assert status == 200
    assert headers["X-GoModel-Provider"] == "ape"  # where it lives, not who comes first
    for body in (follow, {**follow, "previous_response_id": "resp_unknown"}):
        status, _, error = await bob.ask("POST", "/v1/responses", body)
        assert (status, error["error"]["code"]) == (404, "response_not_found")
    stranger = {**follow, "previous_response_id": "resp_unknown"}
    master = Caller(server.url, "sk-master-canary")
    assert (await master.ask("POST", "/v1/responses", stranger))[0] == 200


async def test_request_ids_and_headers_cross_as_they_should(
    served: Serve, sandbox: SandboxProcess
) -> None:
    server = await served({"providers": two_accounts(sandbox), "auth": KEYS})
    sent = {
        "X-Request-ID": "mine-1",
        "Cookie": "session=canary",
        "OpenAI-Beta": "assistants=v2",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    }
    status, headers, _ = await Caller(server.url, "sk-ann", **sent).chat()
    assert status == 200
    assert headers["X-Request-ID"] == "mine-1"
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{sandbox.url}/_sandbox/log") as reply,
    ):
        seen = (await reply.json())["requests"][-1]
    got = {name.lower(): value for name, value in seen["headers"].items()}
    assert got["x-request-id"] == "mine-1"
    assert got["openai-beta"] == "assistants=v2"
    assert got["traceparent"] == sent["traceparent"]
    assert "cookie" not in got
    assert "sk-ann" not in str(seen)
    status, headers, _ = await Caller(server.url, "sk-ann", **{"X-Request-ID": "x" * 129}).chat()
    assert headers["X-Request-ID"].startswith("req_")


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": []},
        {"type": "image_url", "image_url": 7},
        {"type": "image_url", "image_url": True},
    ],
)
async def test_wrong_types_deep_in_a_translated_request_are_the_callers(
    served: Serve, sandbox: SandboxProcess, part: Any
) -> None:
    one = {**two_accounts(sandbox)["ape"], "speaks": ["openai.responses"]}
    server = await served({"providers": {"up": one}})
    messages = [{"role": "user", "content": [part]}]
    status, _, reply = await Caller(server.url).chat(messages=messages)
    assert (status, reply["error"]["type"]) == (400, "invalid_request_error")


async def test_unknown_paths_and_methods_get_the_envelope(served: Serve) -> None:
    server = await served({"providers": {"sandbox": {"type": "sandbox"}}})
    caller = Caller(server.url)
    status, _, reply = await caller.ask("GET", "/v2/nothing")
    assert (status, reply["error"]["code"]) == (404, "unknown_path")
    status, headers, reply = await caller.ask("GET", "/v1/chat/completions")
    assert (status, reply["error"]["code"]) == (405, "method_not_allowed")
    assert headers["Allow"] == "POST"


async def test_secrets_stay_inside(
    served: Serve, sandbox: SandboxProcess, capfd: pytest.CaptureFixture[str]
) -> None:
    one = two_accounts(sandbox)["ape"]
    up = {**one, "models": ["sandbox-echo+status=401+echo_key", "sandbox-echo+echo_key+cut=40"]}
    server = await served({"providers": {"up": up}, "auth": KEYS})
    ann = Caller(server.url, "sk-ann")
    told = ""
    for model in up["models"]:
        status, headers, reply = await ann.chat(f"up/{model}")
        assert status >= 400
        told += f"{headers}{reply}"
    _, log = await ann.get("/admin/usage/log")
    told += str(log) + repr(server.gateway.configuration) + repr(server.gateway.generation.accounts)
    told += "".join(capfd.readouterr())
    assert "canary" not in told
    assert "sk-ann" not in told
