"""``/v1/files``: in pieces both ways, and nobody else's."""

from __future__ import annotations

import asyncio
import io
import json
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp.test_utils import TestClient, TestServer
from msgspec.structs import replace

from gomodel_proxy import create_app
from gomodel_proxy.config import load
from gomodel_proxy.http.routes import WATCH
from gomodel_proxy.plugins import Plugins
from gomodel_proxy.testing.served import Served, completed
from gomodel_proxy.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from gomodel_proxy.api import StoredFile

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIMIT = 300_000
DAY = 86_400
CONFIG = {
    "providers": {"sandbox": {"type": "sandbox"}},
    "auth": {
        "keys": {
            "ann": {"key": "sk-ann"},
            "bob": {"key": "sk-bob"},
            "root": {"key": "sk-root", "admin": True},
        }
    },
    "server": {"body_limit": 100_000},
    "batches": {"file_limit": LIMIT},
}


class House:
    """A gateway, and callers by their keys."""

    def __init__(self, gateway: Served, web: aiohttp.ClientSession) -> None:
        self.gateway = gateway
        self.web = web

    async def ask(
        self, method: str, path: str, key: str = "ann", **more: Any
    ) -> tuple[int, Any, aiohttp.typedefs.LooseHeaders]:
        headers = {"Authorization": f"Bearer sk-{key}", **more.pop("headers", {})}
        url = f"{self.gateway.url}/v1{path}"
        async with self.web.request(method, url, headers=headers, **more) as reply:
            body = await reply.read()
            value = json.loads(body) if "json" in reply.content_type else body
            return reply.status, value, reply.headers

    async def upload(
        self, *fields: tuple[str, str | bytes], key: str = "ann", **headers: str
    ) -> tuple[int, Any]:
        """Upload a form with its fields in this order; bytes are the file."""
        form = aiohttp.FormData(quote_fields=False, default_to_multipart=True)
        for name, value in fields:
            if isinstance(value, bytes):
                form.add_field(name, io.BytesIO(value), filename="a b.jsonl")
            else:
                form.add_field(name, value)
        status, value, _ = await self.ask("POST", "/files", key, data=form, headers=headers)
        return status, value

    async def kept(self, content: bytes, key: str = "ann", **more: str) -> dict[str, Any]:
        fields = {"purpose": "batch", **more}
        status, value = await self.upload(*fields.items(), ("file", content), key=key)
        assert status == 200, value
        found: dict[str, Any] = value
        return found

    async def stored(self) -> Sequence[StoredFile]:
        """Return all that the store keeps."""
        store = self.gateway.gateway.generation.store
        assert store is not None
        assert store.files is not None
        return await store.files.list(None, limit=1000)

    async def idle(self) -> None:
        """Wait until no request is under way."""
        lobby = self.gateway._server._lobby
        assert lobby is not None
        await until(lambda: not lobby.busy)


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["fast lane", "slow lane"])
async def house(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    config = {**CONFIG, "server": {"fast_lane": request.param == "fast lane", "body_limit": 10_000}}
    folder = tmp_path_factory.mktemp("gateway")
    async with Served(config, folder) as gateway, aiohttp.ClientSession() as web:
        yield House(gateway, web)


# ---------------------------------------------------------------- in


async def test_a_file_is_kept_and_read(house: House) -> None:
    content = bytes(range(256)) * 1000
    file = await house.kept(content)
    assert file["id"].startswith("file-")
    assert file == {
        "id": file["id"],
        "object": "file",
        "bytes": 256_000,
        "created_at": file["created_at"],
        "expires_at": file["created_at"] + 30 * DAY,
        "filename": "a b.jsonl",
        "purpose": "batch",
        "status": "processed",
        "status_details": None,
    }
    status, shown, _ = await house.ask("GET", f"/files/{file['id']}")
    assert (status, shown) == (200, file)
    status, body, headers = await house.ask("GET", f"/files/{file['id']}/content")
    assert (status, body) == (200, content)
    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["Content-Disposition"] == "attachment; filename*=UTF-8''a%20b.jsonl"


@pytest.mark.parametrize("behind", [False, True])
async def test_fields_may_stand_on_either_side_of_the_file(house: House, behind: bool) -> None:
    fields: list[tuple[str, str | bytes]] = [
        ("purpose", "user_data"),
        ("expires_after[anchor]", "created_at"),
        ("expires_after[seconds]", "3600"),
        ("something", "else"),
    ]
    fields.insert(0 if behind else 4, ("file", b"x"))
    status, file = await house.upload(*fields)
    assert (status, file["purpose"]) == (200, "user_data")
    assert file["expires_at"] == file["created_at"] + 3600
    assert (await house.ask("GET", f"/files/{file['id']}"))[1] == file


async def test_only_batch_input_expires_by_itself(house: House) -> None:
    assert (await house.kept(b"x", purpose="assistants"))["expires_at"] is None


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ([("purpose", "batch")], "file"),
        ([("file", b"x")], "purpose"),
        ([("file", b"x"), ("purpose", "")], "purpose"),
        ([("purpose", "a b"), ("file", b"x")], "purpose"),
        ([("purpose", "batch"), ("file", b"x"), ("file", b"y")], "file"),
        (
            [("purpose", "batch"), ("expires_after[seconds]", "3600"), ("file", b"x")],
            "expires_after[anchor]",
        ),
        *(
            (
                [
                    ("purpose", "batch"),
                    ("file", b"x"),
                    ("expires_after[anchor]", "created_at"),
                    ("expires_after[seconds]", seconds),
                ],
                "expires_after[seconds]",
            )
            for seconds in ("3599", "2592001", "soon", "-1", "9" * 5000)
        ),
    ],
)
async def test_a_form_that_does_not_do_leaves_nothing(
    house: House, fields: list[tuple[str, str | bytes]], param: str
) -> None:
    before = await house.stored()
    status, value = await house.upload(*fields)
    assert (status, value["error"]["param"]) == (400, param)
    assert param in value["error"]["message"] or "more than one file" in value["error"]["message"]
    assert await house.stored() == before


async def test_other_bodies_are_refused(house: House) -> None:
    status, value, _ = await house.ask("POST", "/files", json={"purpose": "batch"})
    assert (status, value["error"]["code"]) == (415, "unsupported_media_type")
    headers = {"Content-Type": "multipart/form-data; boundary=XX"}
    for body in (b"", b"--XX", b"nonsense", b'--XX\r\nContent-Disposition: form-data; name="file"'):
        status, value, _ = await house.ask("POST", "/files", data=body, headers=headers)
        assert (status, value["error"]["code"]) == (400, "bad_body")


@pytest.mark.parametrize("size", [LIMIT, LIMIT + 1, LIMIT + 200_000])
@pytest.mark.parametrize("chunked", [True, False])
async def test_a_file_may_be_longer_than_a_body_but_not_than_its_own_limit(
    house: House, size: int, chunked: bool
) -> None:
    before = await house.stored()
    head = b'--XX\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
    head += b'--XX\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
    body = head + b"x" * size + b"\r\n--XX--\r\n"

    async def pieces() -> AsyncIterator[bytes]:
        yield body

    headers = {"Content-Type": "multipart/form-data; boundary=XX"}
    data = pieces() if chunked else body
    status, value, _ = await house.ask("POST", "/files", data=data, headers=headers)
    if size == LIMIT:
        assert (status, value["bytes"]) == (200, size)
        return
    assert (status, value["error"]["code"]) == (413, "request_too_large")
    assert "batches.file_limit" in value["error"]["message"]
    assert await house.stored() == before


async def test_long_fields_are_refused(house: House) -> None:
    status, value = await house.upload(("purpose", "x" * 70_000), ("file", b"x"))
    assert (status, value["error"]["code"]) == (413, "request_too_large")


async def test_a_client_that_vanishes_leaves_nothing(house: House) -> None:
    before = await house.stored()
    _, writer = await asyncio.open_connection("127.0.0.1", house.gateway.port)
    writer.write(
        b"POST /v1/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sk-ann\r\n"
        b"Content-Type: multipart/form-data; boundary=XX\r\nContent-Length: 200000\r\n\r\n"
        b'--XX\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
        b'--XX\r\nContent-Disposition: form-data; name="file"\r\n\r\n' + b"x" * 100_000
    )
    await writer.drain()
    writer.transport.abort()
    status, _, _ = await house.ask("GET", "/files")
    assert status == 200
    await house.idle()
    assert await house.stored() == before


async def test_an_idempotency_key_makes_one_file(house: House) -> None:
    fields: list[tuple[str, str | bytes]] = [("purpose", "batch"), ("file", b"once")]
    key = {"Idempotency-Key": "k1"}
    _, first = await house.upload(*fields, **key)
    _, again = await house.upload(*fields, **key)
    _, other = await house.upload(*fields, key="bob", **key)
    assert first == again
    assert other["id"] != first["id"], "keys of others are others' keys"
    status, refused = await house.upload(("purpose", "batch"), ("file", b"twice"), **key)
    assert (status, refused["error"]["code"]) == (409, "idempotency_key_reused")


# ---------------------------------------------------------------- out


@pytest.mark.parametrize(
    ("asked", "status", "body", "told"),
    [
        ("bytes=0-2", 206, b"abc", "bytes 0-2/10"),
        ("bytes=7-", 206, b"hij", "bytes 7-9/10"),
        ("bytes=-4", 206, b"ghij", "bytes 6-9/10"),
        ("bytes=8-99", 206, b"ij", "bytes 8-9/10"),
        ("bytes=0-", 200, b"abcdefghij", None),
        ("bytes=0-1,3-4", 200, b"abcdefghij", None),
        ("lines=1-2", 200, b"abcdefghij", None),
        ("bytes=-", 200, b"abcdefghij", None),
        ("bytes=10-", 416, None, "bytes */10"),
        ("bytes=5-4", 416, None, "bytes */10"),
        ("bytes=-0", 416, None, "bytes */10"),
    ],
)
async def test_ranges(
    house: House, asked: str, status: int, body: bytes | None, told: str | None
) -> None:
    file = await house.kept(b"abcdefghij")
    path = f"/files/{file['id']}/content"
    got, value, headers = await house.ask("GET", path, headers={"Range": asked})
    assert (got, headers.get("Content-Range")) == (status, told)
    if body is not None:
        assert value == body


async def test_a_list(house: House) -> None:
    mine = [
        (await house.kept(b"x", "bob", purpose=purpose))["id"] for purpose in ("p1", "p2", "p1")
    ]
    _, page, _ = await house.ask("GET", "/files", "bob")
    ids = [file["id"] for file in page["data"]]
    assert ids[:3] == mine[::-1]
    assert (page["object"], page["has_more"]) == ("list", False)
    assert (page["first_id"], page["last_id"]) == (ids[0], ids[-1])
    _, page, _ = await house.ask("GET", "/files?purpose=p1&limit=1", "bob")
    assert ([file["id"] for file in page["data"]], page["has_more"]) == ([mine[2]], True)
    _, page, _ = await house.ask("GET", f"/files?purpose=p1&after={mine[2]}", "bob")
    assert ([file["id"] for file in page["data"]], page["has_more"]) == ([mine[0]], False)
    _, page, _ = await house.ask("GET", f"/files?order=asc&after={mine[0]}", "bob")
    assert [file["id"] for file in page["data"]] == mine[1:]


@pytest.mark.parametrize(
    ("query", "status", "param"),
    [
        ("limit=0", 400, "limit"),
        ("limit=10001", 400, "limit"),
        ("limit=x", 400, "limit"),
        ("order=up", 400, "order"),
        ("after=file-none", 404, "after"),
    ],
)
async def test_odd_lists_are_refused(house: House, query: str, status: int, param: str) -> None:
    got, value, _ = await house.ask("GET", f"/files?{query}")
    assert (got, value["error"]["param"]) == (status, param)


async def test_a_file_is_deleted(house: House) -> None:
    file = await house.kept(b"x")
    path = f"/files/{file['id']}"
    _, value, _ = await house.ask("DELETE", path)
    assert value == {"id": file["id"], "object": "file", "deleted": True}
    for method, one in (("GET", path), ("GET", f"{path}/content"), ("DELETE", path)):
        status, value, _ = await house.ask(method, one)
        assert (status, value["error"]["code"]) == (404, "file_not_found")


async def test_files_are_their_owners(house: House) -> None:
    file = await house.kept(b"secret", "ann")
    path = f"/files/{file['id']}"
    for method, one in (("GET", path), ("GET", f"{path}/content"), ("DELETE", path)):
        status, value, _ = await house.ask(method, one, "bob")
        assert (status, value["error"]["code"]) == (404, "file_not_found")
    _, page, _ = await house.ask("GET", "/files", "bob")
    assert file["id"] not in [one["id"] for one in page["data"]]
    _, page, _ = await house.ask("GET", f"/files?after={file['id']}", "bob")
    assert page["error"]["param"] == "after"
    assert (await house.ask("GET", f"{path}/content", "root"))[1] == b"secret"
    status, value, _ = await house.ask("GET", path, "nobody")
    assert (status, value["error"]["code"]) == (401, "invalid_api_key")


async def test_a_reader_that_stops_holds_nothing_in_memory(tmp_path: Path) -> None:
    config = {**CONFIG, "server": {"idle_timeout": "1s"}, "batches": {"file_limit": "64MiB"}}
    async with Served(config, tmp_path) as gateway, aiohttp.ClientSession() as web:
        house = House(gateway, web)
        file = await house.kept(b"x" * (32 << 20))
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port, limit=1024)
        path = f"/v1/files/{file['id']}/content"
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sk-ann\r\n\r\n".encode()
        )
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        # nothing is read any more: the gateway gives the connection up, and what it held with it
        await house.idle()
        writer.close()


async def test_a_reader_that_stops_inside_a_host_application_is_given_up_too(
    tmp_path: Path,
) -> None:
    config = {**CONFIG, "server": {"idle_timeout": "1s"}, "batches": {"file_limit": "64MiB"}}
    app = create_app(completed(config, tmp_path))
    async with TestClient(TestServer(app)) as client:
        form = aiohttp.FormData({"purpose": "batch"}, default_to_multipart=True)
        form.add_field("file", io.BytesIO(b"x" * (32 << 20)), filename="f")
        key = {"Authorization": "Bearer sk-ann"}
        async with client.post("/v1/files", data=form, headers=key) as reply:
            id_ = (await reply.json())["id"]
        reader, writer = await asyncio.open_connection("127.0.0.1", client.port, limit=1024)
        writer.write(
            f"GET /v1/files/{id_}/content HTTP/1.1\r\nHost: x\r\n"
            "Authorization: Bearer sk-ann\r\n\r\n".encode()
        )
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        watched = app[WATCH]._open
        assert len(watched) == 1
        await until(lambda: not watched)
        writer.close()


async def test_without_a_store_it_says_what_is_missing(tmp_path: Path) -> None:
    plugins = Plugins()
    config = completed({"providers": {"sandbox": {"type": "sandbox"}}}, tmp_path)
    app = create_app(replace(load(config, plugins, {}), store=None), plugins=plugins)
    async with TestClient(TestServer(app)) as client:
        for method, path in (
            ("GET", "/v1/files"),
            ("GET", "/v1/files/x/content"),
            ("GET", "/v1/batches"),
            ("POST", "/v1/batches/x/cancel"),
        ):
            async with client.request(method, path) as reply:
                error = (await reply.json())["error"]
            assert (reply.status, error["code"]) == (501, "no_store")
            assert "gomodel-proxy-sqlite" in error["message"]
