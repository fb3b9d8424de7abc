from __future__ import annotations

import json

import pytest

from gomodel_proxy.testing.batch_case import batch
from gomodel_proxy.wire import stored_batches


@pytest.mark.parametrize("header", ["plain", "é \0", "\udce9", "😀 \ud800"])
def test_a_batch_comes_back(header: str) -> None:
    kept = batch(headers=(("x", header),), metadata=b'{"a":1}', due=None, models=("m",))
    text = stored_batches.write(kept)
    assert stored_batches.read(text) == kept
    text.encode()  # it can be kept anywhere
    assert "\0" not in text


def test_it_is_json_without_defaults() -> None:
    members = json.loads(stored_batches.write(batch(taken=7)))
    assert members["taken"] == 7
    assert "status" not in members
