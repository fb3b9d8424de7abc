from __future__ import annotations

import pytest

from gomodel_proxy.api import Losses
from gomodel_proxy.wire.openai_tiers import write_tier


@pytest.mark.parametrize(
    ("tier", "told", "lost"),
    [
        ("flex", {"service_tier": "flex"}, []),
        ("standard", {"service_tier": "default"}, []),
        ("on_demand", {}, ["service_tier"]),
        ("", {}, []),
        (None, {}, []),
    ],
)
def test_a_tier_is_told_in_the_dialects_words(
    tier: str | None, told: dict[str, str], lost: list[str]
) -> None:
    losses = Losses()
    assert write_tier(tier, losses) == told
    assert list(losses.found) == lost
