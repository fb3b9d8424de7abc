from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any

import msgspec
import pytest

import gomodel_proxy_sqlite
from gomodel_proxy.api import ConfigError
from gomodel_proxy.hookspecs import API, GROUP
from gomodel_proxy_sqlite.config import SqliteConfig


def test_offers_one_kind() -> None:
    (kind,) = gomodel_proxy_sqlite.gomodel_stores()
    assert (kind.name, kind.config) == ("sqlite", SqliteConfig)
    assert gomodel_proxy_sqlite.GOMODEL_API == API


def test_is_found_by_its_type() -> None:
    (point,) = entry_points(group=GROUP, name="sqlite")
    assert point.value == "gomodel_proxy_sqlite"


def test_settings_have_defaults() -> None:
    assert msgspec.convert({"type": "sqlite"}, SqliteConfig) == SqliteConfig(
        path="gomodel.db",
        files="",
        busy_timeout=30.0,
        retention_days=0,
        responses_days=30,
        batches_days=30,
        files_days=30,
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"pth": "x"},
        {"busy_timeout": -1},
        {"retention_days": -1},
        {"responses_days": -1},
        {"batches_days": -1},
        {"files_days": -1},
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, SqliteConfig)


async def test_the_folder_of_files_can_be_elsewhere(runtime: Any) -> None:
    (kind,) = gomodel_proxy_sqlite.gomodel_stores()
    async with kind.open(SqliteConfig(files="deep/er"), runtime):
        assert (runtime.base / "deep" / "er").is_dir()
    (runtime.base / "taken").write_text("not a folder")
    with pytest.raises(ConfigError, match=r"store\.files: .*taken"):
        async with kind.open(SqliteConfig(files="taken"), runtime):
            pass


async def test_opens_beside_the_configuration(runtime: Any) -> None:
    (kind,) = gomodel_proxy_sqlite.gomodel_stores()
    async with kind.open(SqliteConfig(path="ledger.db"), runtime) as store:
        assert (runtime.base / "ledger.db").is_file()
        assert store.batches is not None
        assert (runtime.base / "ledger.db.files").is_dir()
