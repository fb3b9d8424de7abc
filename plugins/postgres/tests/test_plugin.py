from __future__ import annotations

from importlib.metadata import entry_points

import gomodel_proxy_postgres
from gomodel_proxy.hookspecs import API, GROUP


def test_is_found_by_its_type() -> None:
    assert gomodel_proxy_postgres.GOMODEL_API == API
    (point,) = entry_points(group=GROUP, name="postgres")
    assert point.value == "gomodel_proxy_postgres"
