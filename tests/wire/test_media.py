"""The media of a request, and how large its images may be."""

from __future__ import annotations

import base64

import pytest

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.api.chat import ChatRequest, Media, Message, Text, ToolResult
from gomodel_proxy.wire.hub import Hub
from gomodel_proxy.wire.media import find_media, refuse_large_images
from gomodel_proxy.wire.openai_chat_codec import ChatCodec


def request(*sizes: int) -> ChatRequest:
    """Return a request with an image of each size, the last one from a tool."""
    images = [
        Media("image", data=base64.b64encode(bytes(size)).decode(), at=f"messages[0].content[{n}]")
        for n, size in enumerate(sizes)
    ]
    result = ToolResult("c", [Text("see"), images[-1]])
    return ChatRequest("m", [Message("user", [*images[:-1]]), Message("tool", [result])])


def test_media_are_found_wherever_they_are() -> None:
    found = [media.at for media in find_media(request(1, 2, 3))]
    assert found == [f"messages[0].content[{n}]" for n in range(3)]


@pytest.mark.parametrize("size", [8, 9, 10])
def test_an_image_over_the_limit_is_refused_by_its_place(size: int) -> None:
    refuse_large_images(request(1, size), size)
    with pytest.raises(InvalidRequest) as raised:
        refuse_large_images(request(1, size), size - 1)
    assert raised.value.param == "messages[0].content[1]"
    assert raised.value.code == "image_too_large"
    assert f"{size} bytes" in raised.value.message


def test_other_media_have_no_such_limit() -> None:
    document = Media("document", data="AAAA" * 10)
    addressed = Media("image", url="https://x.example/a.png")
    refuse_large_images(ChatRequest("m", [Message("user", [document, addressed])]), 1)


def test_the_hub_heeds_the_trait() -> None:
    image = base64.b64encode(bytes(10)).decode()
    body = (
        b'{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":'
        b'{"url":"data:image/png;base64,%b"}}]}]}' % image.encode()
    )
    hub = Hub(ChatCodec(), ChatCodec())
    hub.begin(body, "m", {"max_image_bytes": 10})
    with pytest.raises(InvalidRequest, match=r"messages\[0\]\.content\[0\]"):
        hub.begin(body, "m", {"max_image_bytes": 9})
