"""Areas: routes that are made when somebody first asks for one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from gomodel_proxy import builtin
from gomodel_proxy.http.areas import Area, areas
from gomodel_proxy.http.routes import Route
from gomodel_proxy.plugins import Plugins

if TYPE_CHECKING:
    from aiohttp.test_utils import TestClient
    from pytest_aiohttp.plugin import AiohttpClient

    Client = TestClient[web.Request, web.Application]


async def show(request: web.Request) -> web.Response:
    return web.Response(text=f"shown {request.match_info.get('id', '')}")


async def make(request: web.Request) -> web.Response:
    return web.Response(text="made")


class House:
    """An application with one area, which counts how often its routes were asked for."""

    def __init__(self) -> None:
        self.asked = 0
        self.app = web.Application()
        self.app.router.add_post("/things", make)
        self.app.router.register_resource(Area("/things", self.routes))

    def routes(self) -> tuple[Route, ...]:
        self.asked += 1
        return (
            Route("GET", "/things", show, "List"),
            Route("GET", "/things/{id}", show, "Show one"),
        )


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture(params=["", "/under/a/host"])
async def client(
    request: pytest.FixtureRequest, house: House, aiohttp_client: AiohttpClient
) -> tuple[Client, str]:
    app = house.app
    if request.param:
        app = web.Application()
        app.add_subapp(request.param, house.app)
    return await aiohttp_client(app), request.param


async def test_routes_are_made_once_and_when_they_are_needed(
    house: House, client: tuple[Client, str]
) -> None:
    asking, prefix = client
    async with asking.get(f"{prefix}/other") as reply:
        assert reply.status == 404
    assert house.asked == 0
    for path, text in (("/things", "shown "), ("/things/a/b", "shown a/b")):
        async with asking.get(f"{prefix}{path}") as reply:
            assert (reply.status, await reply.text()) == (200, text)
    assert house.asked == 1


async def test_what_an_area_does_not_take_is_refused_as_elsewhere(
    client: tuple[Client, str],
) -> None:
    asking, prefix = client
    async with asking.post(f"{prefix}/things") as reply:  # somebody else's route at the same path
        assert await reply.text() == "made"
    async with asking.delete(f"{prefix}/things") as reply:
        assert reply.status == 405
        assert reply.headers["Allow"] == "GET,POST"
    async with asking.get(f"{prefix}/thingsandmore") as reply:
        assert reply.status == 404


def test_every_route_lies_in_its_area() -> None:
    plugins = Plugins()
    plugins.add(builtin, builtin.NAME)
    plugins.load(plugins.installed)
    dialects = plugins.objects("gomodel_dialects")
    for area in areas(dialects):
        paths = [route.path for route in area.routes()]
        assert paths
        for path in paths:
            assert f"{path}/".startswith(f"{area.canonical}/"), f"nobody would find {path}"
