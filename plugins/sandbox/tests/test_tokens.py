from hypothesis import given
from hypothesis import strategies as st

from gomodel_proxy_sandbox.tokens import count, split


@given(st.text())
def test_tokens_are_the_text(text):
    assert "".join(split(text)) == text
    assert count(text) == len(split(text))


def test_a_token_is_a_word_or_a_mark():
    assert split("Hello,  world! ") == ["Hello", ",", "  world", "!", " "]
    assert split("abcdefghijk") == ["abcdefgh", "ijk"]


def test_a_long_run_of_blanks_is_one_token():
    assert count(" " * 1_000_000) == 1
    assert count(" " * 1_000_000 + "x") == 1
