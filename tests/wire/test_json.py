"""Bodies read one level deep: nothing lost, every doubt refused."""

from __future__ import annotations

import json as stdlib
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Raw

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.wire import json

# A busy machine is no failure.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

NAMES = st.text(max_size=6) | st.sampled_from(["model", "é", 'a"b', "a\\", "\n", "😀"])
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just('[{"\\'),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)
SPACES = st.text(" \t\n\r", max_size=3)


def nested(depth: int) -> Any:
    """Return an object that is ``depth`` levels deep itself."""
    value: Any = {}
    for level in range(depth - 1):
        value = [value] if level % 2 else {"a": value}
    return value if isinstance(value, dict) else {"a": value[0]}


def name_text(name: str, escaped: bool) -> str:
    if escaped:
        return '"' + "".join(f"\\u{ord(c):04x}" if ord(c) < 0xD800 else c for c in name) + '"'
    return stdlib.dumps(name, ensure_ascii=False)


@st.composite
def texts(draw: st.DrawFn) -> tuple[bytes, list[tuple[str, Any]]]:
    """Return an object as anybody might write it, and its members, duplicates included."""
    members: list[tuple[str, Any]] = draw(st.lists(st.tuples(NAMES, VALUES), max_size=5))
    if draw(st.booleans()) and members:
        again = draw(st.sampled_from(members))[0]
        members.insert(draw(st.integers(0, len(members))), (again, draw(VALUES)))
    style = draw(st.sampled_from(["compact", "spaced", "pretty", "any"]))
    comma, colon = (",", ":") if style == "compact" else (", ", ": ")
    parts = []
    for name, value in members:
        text = name_text(name, draw(st.booleans()) and draw(st.booleans()))
        written = stdlib.dumps(
            value,
            ensure_ascii=draw(st.booleans()),
            indent=2 if style == "pretty" else None,
            separators=(comma, colon) if style != "pretty" else None,
        )
        if style == "any":
            text = draw(SPACES) + text + draw(SPACES)
            written = draw(SPACES) + written + draw(SPACES)
        parts.append(text + colon + written)
    body = "{" + comma.join(parts) + "}"
    if style == "any":
        body = draw(SPACES) + body + draw(SPACES)
    return body.encode(), members


@unhurried
@given(texts())
def test_members_survive_in_every_style_and_duplicates_in_none(
    text: tuple[bytes, list[tuple[str, Any]]],
) -> None:
    body, members = text
    if len(dict(members)) < len(members):
        with pytest.raises(InvalidRequest, match="more than one member"):
            json.fields(body)
        return
    read = json.fields(body)
    assert {name: stdlib.loads(bytes(raw)) for name, raw in read.items()} == dict(members)
    assert list(read) == [name for name, _ in members]
    assert stdlib.loads(json.encode(read)) == dict(members)


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":1,"a":1}',
        b'{"a":1,"a":12}',
        b'{"a":12,"a":1}',
        b'{"a": 1, "a": 1}',
        b'{"a": 1, "b": 2, "a": 1}',
        b'{"a":1,"\\u0061":1}',
        b'{"\\u0061":1,"a":1}',
        b'{ "a" : "x" ,\n "a" : "x" }',
        b'{"a":1,"a":1.5}',
        b'{"":1,"":1}',
        b'{"a":12,"a":12,"b":1,"c":1,"d":1}',  # as long as it would be with spaces
    ],
)
def test_duplicates_are_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest) as caught:
        json.fields(body)
    assert caught.value.status == 400
    assert caught.value.code == "duplicate_member"
    assert caught.value.param in ("a", "")


def test_inner_duplicates_are_the_vendor_s_business() -> None:
    assert json.fields(b'{"a":{"x":1,"x":2}}') == {"a": Raw(b'{"x":1,"x":2}')}


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        (b"", "empty_body", "is empty"),
        (b" \r\n", "empty_body", "is empty"),
        (b"[1]", "invalid_type", "must be a JSON object, not an array"),
        (b'"x"', "invalid_type", "not a string"),
        (b"null", "invalid_type", "not null"),
        (b" 12", "invalid_type", "not a number"),
        (b"{", "invalid_json", "truncated"),
        (b'{"a":1', "invalid_json", "truncated"),
        (b'{"a":1,}', "invalid_json", "trailing comma"),
        (b'{"a":NaN}', "invalid_json", "byte 5"),
        (b"model=gpt&x=1", "invalid_json", "byte 0"),
        (b'{"a":1} {"a":1}', "invalid_json", "trailing characters"),
        (b'{"a":"x\x00y"}', "invalid_json", "control character 0x00 (byte 7)"),
        (b'{"a":"x\x1fy"}', "invalid_json", "control character 0x1f"),
        (b'{"a":1}\x00', "invalid_json", "trailing characters"),
        (b'{"a\nb":1}', "invalid_json", "byte 3"),
        (b'{"a":{"b":["x\ny"]}}', "invalid_json", "byte"),
        (b'{"a":"\xff"}', "invalid_json", "invalid UTF-8 (byte 6)"),
        (b'{"\xff":1}', "invalid_json", "invalid UTF-8 (byte 2)"),
        (b'{"a":["\xed\xa0\x80"]}', "invalid_json", "invalid UTF-8"),
        (b'{"a":["\xc0\xaf"]}', "invalid_json", "invalid UTF-8"),
    ],
)
def test_what_is_no_json_object_is_refused(body: bytes, code: str, said: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        json.fields(body)
    assert caught.value.status == 400
    assert caught.value.code == code
    assert said in caught.value.message


@unhurried
@given(st.binary(max_size=60))
def test_no_bytes_do_anything_but_pass_or_get_a_400(body: bytes) -> None:
    try:
        members = json.fields(body)
    except InvalidRequest as error:
        assert error.message.isprintable()
        return
    assert stdlib.loads(json.encode(members)) == stdlib.loads(body)


@pytest.mark.parametrize("depth", [1, 2, 199, 200])
def test_nesting_up_to_the_limit_passes(depth: int) -> None:
    value = nested(depth)
    body = stdlib.dumps(value | {"b": "[{" * 300, "c": '\\"[' * 200, "d": "\\"}).encode()
    assert list(json.fields(body))[-1] == "d"


@pytest.mark.parametrize("depth", [201, 202, 900, 5_000, 100_000])
def test_nesting_over_the_limit_is_refused(depth: int) -> None:
    body = b'{"t":"]]]}}}\\"[\\\\","a":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"
    with pytest.raises(InvalidRequest, match="nested more than 200 levels") as caught:
        json.fields(body)
    assert caught.value.code == "nesting_too_deep"


@unhurried
@given(st.integers(190, 210), st.integers(0, 3), st.sampled_from(["[", '"', "\\", '\\"]', '[\\"']))
def test_nesting_is_measured_exactly_whatever_stands_in_strings(
    depth: int, width: int, noise: str
) -> None:
    value: Any = {noise: noise}
    for level in range(depth - 1):
        value = {"a": value, noise + "x": [noise] * width} if level % 3 else {"b": value}
    # The lists at the innermost levels may be one deeper than the chain of objects.
    body = stdlib.dumps(value).encode()
    deepest = stack = 0
    quoted = escaped = False
    for c in body.decode():
        if quoted:
            quoted, escaped = (True, False) if escaped else (c != '"', c == "\\")
        elif c == '"':
            quoted = True
        elif c in "[{":
            stack += 1
            deepest = max(deepest, stack)
        elif c in "]}":
            stack -= 1
    if deepest > json.MAX_DEPTH:
        with pytest.raises(InvalidRequest):
            json.fields(body)
    else:
        json.fields(body)


@unhurried
@given(texts().filter(lambda text: len(dict(text[1])) == len(text[1])))
def test_a_member_is_put_in_without_touching_the_rest(
    text: tuple[bytes, list[tuple[str, Any]]],
) -> None:
    body, members = text
    grown = json.insert_member(body, "provider", b'"p"')
    added = b'"provider":"p"' + (b"," if members else b"")
    assert grown.replace(added, b"", 1) == body
    assert stdlib.loads(grown) == {"provider": "p"} | dict(members)


def test_typed_readers_name_the_member() -> None:
    assert json.string(Raw(b'"a\\u0062"'), "model") == "ab"
    assert json.boolean(Raw(b"true"), "stream") is True
    assert json.boolean(Raw(b"false"), "stream") is False
    assert json.boolean(Raw(b"null"), "stream") is False
    with pytest.raises(InvalidRequest, match="'model' must be a string, not an array") as caught:
        json.string(Raw(b"[]"), "model")
    assert caught.value.param == "model"
    with pytest.raises(InvalidRequest, match="'stream' must be a boolean, not a string"):
        json.boolean(Raw(b'"true"'), "stream")


@pytest.mark.parametrize(
    ("text", "empty"),
    [("[]", True), ("[ \n]", True), ("[" + " " * 99 + "]", True), ("[0]", False), ("[ 0 ]", False)],
)
def test_emptiness(text: str, empty: bool) -> None:
    assert json.is_empty(Raw(text.encode())) is empty


def test_vendors_may_send_what_python_reads() -> None:
    members = json.members(b'\xef\xbb\xbf{"a":NaN,"b":"\\ud83d","c":{"d":1}}')
    assert members["c"] == Raw(b'{"d": 1}')
    with pytest.raises(ValueError, match="not an object"):
        json.members(b"[NaN]")
    with pytest.raises(ValueError, match="deeply"):
        json.members(b"[" * 100_000)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (b'{"a":\n1e400, "a":2}', b'{"a":\n1e400, "a":2}'),
        (b'{"a":"\\ud83d"}', b'{"a": "?"}'),
        ('{"a":"é'.encode() + b'\xff"}', '{"a": "é\ufffd"}'.encode()),
        (b'\xef\xbb\xbf{"a":[NaN,1]}', b'{"a": [null, 1]}'),
        (b'<p>"no"', b'"<p>\\"no\\""'),
        (b"", b'""'),
        (b"[" * 300 + b"]" * 300, b'"' + b"[" * 300 + b"]" * 300 + b'"'),
        (b"[" * 100_000, b'"' + b"[" * 100_000 + b'"'),
    ],
)
def test_what_is_kept_of_vendors_every_reader_takes(sent: bytes, kept: bytes) -> None:
    assert json.portable(sent) == kept
    assert json.portable(kept) == kept
    assert "body" in json.members(b'{"body":%b}' % kept)


def test_an_excerpt_is_one_printable_line() -> None:
    assert json.excerpt(b"<html>\r\n\x00\x1b[31m\xff caf\xc3\xa9") == "<html> [31m\ufffd café"
    long = json.excerpt(b"x" * 5000)
    assert len(long) == 200
    assert long.endswith("…")
