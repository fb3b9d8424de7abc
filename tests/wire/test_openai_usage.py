"""Token counts in the forms that vendors send."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gomodel_proxy.api import Usage
from gomodel_proxy.wire.openai_usage import read_usage

# A busy machine is no failure.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def usage(**members: Any) -> Usage | None:
    return read_usage(json.dumps(members).encode())


def test_chat_naming() -> None:
    raw = {
        "prompt_tokens": 100,
        "completion_tokens": 50,
        "total_tokens": 150,
        "prompt_tokens_details": {"cached_tokens": 60, "audio_tokens": 5, "cache_write_tokens": 7},
        "completion_tokens_details": {"reasoning_tokens": 30, "audio_tokens": 4},
        "cost": 0.25,
    }
    assert usage(**raw) == Usage(
        input=100,
        output=50,
        cache_read=60,
        cache_write=7,
        reasoning=30,
        audio_input=5,
        audio_output=4,
        raw=json.dumps(raw).encode(),
    )


def test_responses_naming() -> None:
    found = usage(
        input_tokens=10,
        output_tokens=20,
        total_tokens=30,
        input_tokens_details={"cached_tokens": 3},
        output_tokens_details={"reasoning_tokens": 8},
    )
    assert found is not None
    assert (found.input, found.output, found.cache_read, found.reasoning) == (10, 20, 3, 8)


def test_reasoning_beside_the_completion_is_output_too() -> None:
    details = {"reasoning_tokens": 173}
    found = usage(
        prompt_tokens=19, completion_tokens=6, total_tokens=198, completion_tokens_details=details
    )
    assert found is not None
    assert (found.output, found.reasoning, found.total) == (179, 173, 198)
    inside = usage(
        prompt_tokens=19, completion_tokens=179, total_tokens=198, completion_tokens_details=details
    )
    assert inside is not None
    assert inside.output == 179


def test_what_the_total_alone_counts_is_output_too() -> None:
    found = usage(prompt_tokens=40, completion_tokens=2, total_tokens=100)
    assert found is not None
    assert (found.output, found.reasoning, found.total) == (60, None, 100)


@pytest.mark.parametrize(
    "more",
    [
        {"total_tokens": 30},
        {"total_tokens": None},
        {"total_tokens": 100, "cache_creation_input_tokens": 58},
        {"total_tokens": 100, "prompt_tokens_details": {"cached_tokens": 58}},
        {"total_tokens": 100, "completion_tokens_details": {"reasoning_tokens": 1}},
    ],
)
def test_a_total_of_other_things_adds_nothing_to_the_output(more: Any) -> None:
    found = usage(prompt_tokens=40, completion_tokens=2, **more)
    assert found is not None
    assert (found.input, found.output) == (40, 2)


@pytest.mark.parametrize("name", ["cached_tokens", "prompt_cache_hit_tokens", "num_cached_tokens"])
def test_cached_tokens_beside_the_details(name: str) -> None:
    found = usage(**{"prompt_tokens": 9, "completion_tokens": 1, name: 4})
    assert found is not None
    assert found.cache_read == 4


@pytest.mark.parametrize("name", ["cache_write_tokens", "cache_creation_tokens"])
def test_written_tokens_in_the_details(name: str) -> None:
    found = usage(prompt_tokens=9, prompt_tokens_details={name: 4})
    assert found is not None
    assert (found.cache_write, found.output) == (4, None)


def test_an_embedding_has_no_output() -> None:
    found = usage(prompt_tokens=4, total_tokens=4)
    assert found is not None
    assert (found.input, found.output, found.total) == (4, None, 4)


@pytest.mark.parametrize("raw", [b"null", b"[]", b"7", b'"x"', b"{}", b'{"cost":1}', b"{", b""])
def test_no_counts_are_no_usage(raw: bytes) -> None:
    assert read_usage(raw) is None


@pytest.mark.parametrize("wrong", [-1, 1.5, "3", True, None, [], {}, 2**63])
def test_a_wrong_count_is_not_there(wrong: Any) -> None:
    found = usage(
        prompt_tokens=wrong,
        completion_tokens=5,
        total_tokens=wrong,
        prompt_tokens_details={"cached_tokens": wrong, "audio_tokens": 2},
        completion_tokens_details=wrong,
    )
    assert found is not None
    assert (found.input, found.output, found.cache_read) == (None, 5, None)
    assert (found.audio_input, found.reasoning) == (2, None)


def test_a_whole_number_may_be_written_as_a_float() -> None:
    found = read_usage(b'{"prompt_tokens":7.0,"prompt_tokens_details":{"cached_tokens":2e0}}')
    assert found is not None
    assert (found.input, found.cache_read) == (7, 2)
    assert isinstance(found.input, int)


@unhurried
@given(
    st.dictionaries(
        st.sampled_from(
            ["prompt_tokens", "output_tokens", "total_tokens", "prompt_tokens_details", "x"]
        ),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
            lambda inner: (
                st.lists(inner, max_size=2)
                | st.dictionaries(st.sampled_from(["cached_tokens", "y"]), inner, max_size=2)
            ),
            max_leaves=5,
        ),
    )
)
def test_nothing_a_vendor_sends_breaks_it(members: dict[str, Any]) -> None:
    found = usage(**members)
    assert found is None or all(
        count is None or count >= 0 for count in (found.input, found.output, found.cache_read)
    )
