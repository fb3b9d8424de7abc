"""Which paths a pattern matches."""

from __future__ import annotations

import pytest

from gomodel_proxy.engine.paths import matcher


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("/v1/chat", "/v1/chat", True),
        ("/v1/chat", "/v1/chats", False),
        ("/v1.0/{id}", "/v1.0/a", True),
        ("/v1.0/{id}", "/v1x0/a", False),
        ("/v1/{id}", "/v1/a/b", False),
        ("/v1/{id:.+}", "/v1/a/b", True),
        ("/m/{model:.+}:{method:make|tell}", "/m/a/b:c:tell", True),
        ("/m/{model:.+}:{method:make|tell}", "/m/a:other", False),
    ],
)
def test_a_pattern_matches_whole_paths(pattern: str, path: str, matches: bool) -> None:
    assert bool(matcher(pattern).fullmatch(path)) is matches
