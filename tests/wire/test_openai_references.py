"""Files that a request names, and those it only talks about."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.wire.openai import DIALECTS

CHAT, RESPONSES = DIALECTS[0], DIALECTS[1]


def files(body: dict[str, Any]) -> list[str]:
    dialect = CHAT if "messages" in body else RESPONSES
    found = dialect.read(json.dumps({"model": "m"} | body).encode(), {}).references
    assert all(kind == "file" for kind, _ in found)
    return [name for _, name in found]


def test_files_of_messages() -> None:
    part = {"type": "file", "file": {"file_id": "file-1"}}
    assert files({"messages": [{"role": "user", "content": [part, part]}]}) == ["file-1"]


def test_files_of_input_prompt_and_tools() -> None:
    content = [
        {"type": "input_file", "file_id": "file-1"},
        {"type": "input_image", "file_id": "file-2", "detail": "low"},
        {"type": "input_file", "file_url": "https://example.com", "file_id": None},
    ]
    shot = {"type": "computer_screenshot", "file_id": "file-3"}
    tools = [
        {"type": "code_interpreter", "container": {"type": "auto", "file_ids": ["file-4", 5]}},
        {"type": "image_generation", "input_image_mask": {"file_id": "file-6"}},
    ]
    body = {
        "input": [{"role": "user", "content": content}, {"type": "x_output", "output": shot}],
        "prompt": {"id": "p", "variables": {"v": {"type": "input_file", "file_id": "file-7"}}},
        "tools": tools,
    }
    assert sorted(files(body)) == ["file-1", "file-2", "file-3", "file-4", "file-6", "file-7"]


@pytest.mark.parametrize(
    "body",
    [
        {"input": 'say "file_id": "file-1"'},
        {"input": "hi", "metadata": {"file_id": "mine"}},
        {"input": [{"content": [{"annotations": [{"type": "file_citation", "file_id": "f"}]}]}]},
        {"input": [{"type": "file_search_call", "results": [{"file_id": "f"}]}]},
        {"input": "", "tools": [{"type": "function", "parameters": {"default": {"file_id": "f"}}}]},
        {"messages": [1], "tools": [{"function": {"parameters": {"file_id": "f"}}}]},
        {"messages": [1], "response_format": {"json_schema": {"file_id": "f"}}},
    ],
)
def test_what_only_tells_about_files_names_none(body: dict[str, Any]) -> None:
    assert files(body) == []


@pytest.mark.parametrize("spelled", ["file_id", "file_ids"])
def test_no_spelling_of_the_name_hides_a_file(spelled: str) -> None:
    value = '"file-1"' if spelled == "file_id" else '["file-1"]'
    for position, letter in enumerate(spelled):
        for escape in (f"\\u{ord(letter):04x}", f"\\u{ord(letter):04X}"):
            name = spelled[:position] + escape + spelled[position + 1 :]
            body = '{"model":"m","input":[{"type":"input_file","%s":%s}]}' % (name, value)  # noqa: UP031
            found = RESPONSES.read(body.encode(), {}).references
            assert tuple(found) == (("file", "file-1"),)


def test_a_member_that_cannot_be_read_is_refused() -> None:
    body = b'{"model":"m","input":[{"file_id":"file-1","size":1e999}]}'
    with pytest.raises(InvalidRequest, match="out of range") as refused:
        _ = RESPONSES.read(body, {}).references
    assert refused.value.param == "input"


def test_deep_nesting_is_walked() -> None:
    value: Any = {"file_id": "file-1"}
    for _ in range(190):
        value = [value]
    assert files({"input": value}) == ["file-1"]
