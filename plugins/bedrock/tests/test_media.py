"""Images, documents, sounds and films."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from gomodel_proxy.api import InvalidRequest

from .written import CLAUDE, NOVA, calls, result, tool, user, write

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n and more").decode()
PDF = base64.b64encode(b"%PDF-1.4 and more").decode()


def image(url: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}}


def file(data: str, name: str | None = None) -> dict[str, Any]:
    given = {"file_data": data} if name is None else {"file_data": data, "filename": name}
    return {"type": "file", "file": given}


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said}


@pytest.mark.parametrize(
    ("url", "block"),
    [
        (f"data:image/png;base64,{PNG}", {"format": "png", "source": {"bytes": PNG}}),
        (f"data:image/jpg;base64,{PNG}", {"format": "jpeg", "source": {"bytes": PNG}}),
        (
            f"data:application/octet-stream;base64,{PNG}",
            {"format": "png", "source": {"bytes": PNG}},
        ),
        (
            "s3://a-bucket/kiwi.JPG",
            {"format": "jpeg", "source": {"s3Location": {"uri": "s3://a-bucket/kiwi.JPG"}}},
        ),
    ],
)
def test_images(url: str, block: dict[str, Any]) -> None:
    out, losses = write([user(image(url))])
    assert out["messages"][0]["content"] == [{"image": block}]
    assert losses == []


def test_documents_keep_their_names_as_far_as_they_may() -> None:
    data = f"data:application/pdf;base64,{PDF}"
    out, losses = write(
        [
            user(
                text("Compare."),
                file(data, "report.pdf"),
                file(data, "report.pdf"),
                file(PDF),
                file(data, "a_b..c.pdf"),
            )
        ]
    )
    documents = [block["document"] for block in out["messages"][0]["content"][1:]]
    assert [one["name"] for one in documents] == ["report", "report 2", "Document", "a b c"]
    assert {one["format"] for one in documents} == {"pdf"}
    assert {one["source"]["bytes"] for one in documents} == {PDF}
    assert losses == [
        "messages[0].content[2](report.pdf>report 2)",
        "messages[0].content[4](a_b..c.pdf>a b c)",
    ]


def test_a_document_alone_gets_the_words_it_needs() -> None:
    out, _ = write([user(file(f"data:text/csv;base64,{PDF}", "t.csv"))])
    assert [list(block) for block in out["messages"][0]["content"]] == [["document"], ["text"]]


def test_sounds_and_films() -> None:
    sound = {"type": "input_audio", "input_audio": {"data": PNG, "format": "mp3"}}
    film = {"type": "video_url", "video_url": {"url": f"data:video/3gpp;base64,{PNG}"}}
    out, _ = write([user(text("Hear, see."), sound, film)], NOVA)
    assert out["messages"][0]["content"][1:] == [
        {"audio": {"format": "mp3", "source": {"bytes": PNG}}},
        {"video": {"format": "three_gp", "source": {"bytes": PNG}}},
    ]


@pytest.mark.parametrize(
    "part",
    [
        image("https://example.com/kiwi.png"),
        image(f"data:image/tiff;base64,{PNG}"),
        image(f"data:image/png;base64,{'A' * 6_000_000}"),
        {"type": "file", "file": {"file_id": "file-1"}},
        file(f"data:application/zip;base64,{PNG}", "a.zip"),
    ],
)
def test_what_cannot_be_sent_is_refused_by_place(part: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest) as refused:
        write([user(text("Look."), part)], CLAUDE)
    assert refused.value.param == "messages[0].content[1]"


def test_media_in_results_stay_there_or_follow_by_family() -> None:
    def messages() -> list[dict[str, Any]]:
        content = [text("Here:"), file(f"data:application/pdf;base64,{PDF}", "a.pdf")]
        return [
            {"role": "user", "content": "Hi"},
            calls(("c1", "get", "{}")),
            result("c1", content),
            {"role": "user", "content": "Read it."},
        ]

    document = {"document": {"format": "pdf", "name": "a", "source": {"bytes": PDF}}}
    inside, losses = write(messages(), CLAUDE, tools=[tool("get")])
    (answered, asked) = inside["messages"][2]["content"]
    assert answered["toolResult"]["content"] == [{"text": "Here:"}, document]
    assert losses == []
    outside, losses = write(messages(), NOVA, tools=[tool("get")])
    answered, after, asked = outside["messages"][2]["content"]
    assert answered["toolResult"]["content"] == [{"text": "Here:"}]
    assert (after, asked) == (document, {"text": "Read it."})
    assert losses == ["messages[2].content[1](in the result>after it)"]
