from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

import gomodel_proxy_postgres
from gomodel_proxy.hookspecs import API, GROUP
from gomodel_proxy_postgres.config import PostgresConfig

from .conftest import configured

if TYPE_CHECKING:
    from gomodel_proxy.api import Store

URL = "postgresql://me:hush@db.example/gomodel"


def test_offers_one_kind() -> None:
    (kind,) = gomodel_proxy_postgres.gomodel_stores()
    assert (kind.name, kind.config) == ("postgres", PostgresConfig)
    assert gomodel_proxy_postgres.GOMODEL_API == API


def test_is_found_by_its_type() -> None:
    (point,) = entry_points(group=GROUP, name="postgres")
    assert point.value == "gomodel_proxy_postgres"


def test_settings_have_defaults_but_for_the_url() -> None:
    config = configured({"url": URL})
    assert (config.schema, config.retention_days, config.responses_days) == ("gomodel", 0, 30)
    with pytest.raises(msgspec.ValidationError, match="url"):
        configured({"type": "postgres"})


def test_the_password_is_not_shown() -> None:
    assert "hush" not in repr(configured({"url": URL}))


@pytest.mark.parametrize(
    "wrong",
    [
        {"uri": "x"},
        {"connections": 0},
        {"retention_days": -1},
        {"batches_days": -1},
        {"wait": 0},
        {"schema": 'a"b'},
        {"schema": "Upper"},
        {"schema": "a" * 60},
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        configured({"url": URL, **wrong})


async def test_opens_what_the_configuration_names(config: PostgresConfig, runtime: Any) -> None:
    (kind,) = gomodel_proxy_postgres.gomodel_stores()
    async with kind.open(config, runtime) as store:
        whole: Store = store
        await whole.check()
        assert None not in (whole.ledger, whole.resources, whole.responses)
        assert None not in (whole.batches, whole.files)
