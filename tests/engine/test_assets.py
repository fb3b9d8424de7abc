"""Which media are fetched, how many and how large, and what is said where that fails."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.api.chat import ChatRequest, Media, Message, Text, ToolResult
from gomodel_proxy.config.settings import Assets
from gomodel_proxy.engine.assets import Asset, AssetRefused, Inliner, TooLarge

PNG = b"\x89PNG\r\n\x1a\n" + bytes(92)
PDF = b"%PDF-1.7" + bytes(92)
NOTHING: frozenset[str] = frozenset()


class Web:
    """A fetcher of pages that are there."""

    def __init__(self, **pages: bytes) -> None:
        self._pages = pages
        self.asked: list[str] = []
        self.running = 0
        self.most = 0

    async def fetch(self, url: str, limit: int) -> Asset:
        self.asked.append(url)
        self.running += 1
        self.most = max(self.most, self.running)
        await asyncio.sleep(0)
        self.running -= 1
        page = self._pages.get(url.rpartition("/")[2].partition("?")[0])
        if page is None:
            raise AssetRefused("its host answered with status 404")
        if len(page) > limit:
            raise TooLarge
        return Asset(page, "")


def image(name: str, place: int = 0, **more: Any) -> Media:
    at = f"messages[3].content[{place}]"
    return Media(more.pop("kind", "image"), url=f"https://x.example/{name}", at=at, **more)


def request(*media: Media) -> ChatRequest:
    return ChatRequest("m", [Message("user", [Text("see"), *media])])


async def inline(
    web: Web, *media: Media, remote: frozenset[str] | None = NOTHING, **settings: Any
) -> None:
    inliner = Inliner(Assets(**settings), web)
    await inliner.inline(request(*media), remote, {})


async def refusal(web: Web, *media: Media, **settings: Any) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as raised:
        await inline(web, *media, **settings)
    assert raised.value.status == 400
    assert raised.value.code == "asset_refused"
    assert str(raised.value.param) in raised.value.message
    assert "x.example" not in raised.value.message
    return raised.value


async def test_an_address_becomes_what_is_there() -> None:
    one = image("a", detail="low")
    await inline(Web(a=PNG), one)
    assert one.data is not None
    assert base64.b64decode(one.data) == PNG
    assert (one.media_type, one.url, one.detail) == ("image/png", None, "low")


async def test_media_in_results_of_tools() -> None:
    one = image("a", kind="document")
    asked = ChatRequest("m", [Message("tool", [ToolResult("c", [one])])])
    await Inliner(Assets(), Web(a=PDF)).inline(asked, NOTHING, {})
    assert one.media_type == "application/pdf"


async def test_what_the_vendor_fetches_is_left_alone() -> None:
    web = Web()
    media = [image("a"), image("b", kind="document")]
    await inline(web, *media, remote=None)
    await inline(web, *media, remote=frozenset({"image", "document"}))
    assert web.asked == []
    assert all(one.url for one in media)


async def test_only_kinds_that_the_vendor_does_not_fetch() -> None:
    web = Web(b=PDF)
    media = [image("a"), image("b", kind="document")]
    await inline(web, *media, remote=frozenset({"image"}))
    assert web.asked == ["https://x.example/b"]
    assert media[0].url is not None


@pytest.mark.parametrize(
    "url", ["s3://bucket/a", "gs://bucket/a", "file:///a", "ftp://a.example/a"]
)
async def test_other_schemes_are_the_vendors_business(url: str) -> None:
    web, one = Web(), Media("image", url=url)
    await inline(web, one)
    assert (web.asked, one.url) == ([], url)


async def test_the_same_address_is_fetched_once() -> None:
    web = Web(a=PNG)
    media = [image("a", n) for n in range(3)]
    inliner, fetched = Inliner(Assets(), web), dict[str, Asset]()
    await inliner.inline(request(*media), NOTHING, fetched)
    again = image("a")
    await inliner.inline(request(again), NOTHING, fetched)  # as the next attempt does
    assert len(web.asked) == 1
    assert {one.data for one in (*media, again)} == {base64.b64encode(PNG).decode()}


async def test_a_few_at_the_same_time() -> None:
    web = Web(**{f"p{n}": PNG for n in range(20)})
    await inline(web, *(image(f"p{n}", n) for n in range(20)))
    assert 1 < web.most <= 4


async def test_what_is_not_there() -> None:
    error = await refusal(Web(a=PNG), image("a"), image("b", 1))
    assert error.param == "messages[3].content[1]"
    assert "status 404" in error.message


async def test_one_that_is_too_long() -> None:
    error = await refusal(Web(a=PNG), image("a"), max_size=99)
    assert "99 bytes (assets.max_size)" in error.message


async def test_all_together_are_too_long() -> None:
    web = Web(a=PNG, b=PNG + b"x", c=PNG + b"y")
    media = [image(name, n) for n, name in enumerate("abc")]
    await inline(web, *media, max_total=302)
    media = [image(name, n) for n, name in enumerate("abc")]
    error = await refusal(web, *media, max_total=301)
    assert "301 bytes (assets.max_total)" in error.message


async def test_too_many() -> None:
    web = Web()
    error = await refusal(web, *(image(f"p{n}", n) for n in range(4)), max_count=3)
    assert error.param == "messages[3].content[3]"
    assert "assets.max_count" in error.message
    assert web.asked == []


@pytest.mark.parametrize(
    ("data", "media", "reason"),
    [
        (PDF, image("a"), "it is application/pdf, which is no image"),
        (PNG, image("a", kind="document"), "it is image/png, which is no document"),
        (PNG, image("a", media_type="application/pdf"), "declared as application/pdf"),
        (b"\0\1\2", image("a"), "of no known type"),
        (b"BM" + bytes(9), image("a"), "image/bmp, which is not among assets.types"),
    ],
)
async def test_what_it_is_not(data: bytes, media: Media, reason: str) -> None:
    assert reason in (await refusal(Web(a=data), media)).message


async def test_types_are_configured() -> None:
    one = image("a")
    await inline(Web(a=b"BM" + bytes(9)), one, types=("image/bmp",))
    assert one.media_type == "image/bmp"


async def test_leaving_ends_all_fetches() -> None:
    started, ended = asyncio.Event(), asyncio.Event()

    class Slow:
        async def fetch(self, url: str, limit: int) -> Asset:
            started.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()
            raise AssertionError

    inliner = Inliner(Assets(), Slow())
    working = asyncio.ensure_future(inliner.inline(request(image("a")), NOTHING, {}))
    await started.wait()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert ended.is_set()
