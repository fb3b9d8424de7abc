"""Where a configuration comes from, read into plain tables; nothing in them is checked yet."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from gomodel_proxy.api import ConfigError

from .environment import tables_from
from .expansion import expand
from .places import Place

if TYPE_CHECKING:
    from gomodel_proxy.plugins import Plugins


class Source(Struct, frozen=True):
    """Tables with references expanded, and where they stood."""

    place: Place
    file: Path | None
    base: Path
    tables: dict[str, Any]


def read(
    source: Path | Mapping[str, Any] | None, plugins: Plugins, environ: Mapping[str, str]
) -> Source:
    """Return the tables of a file, of a mapping, or of the environment alone.

    Raises `ConfigError` for a file that cannot be read, with line and column for one that is
    no TOML.
    """
    if source is None:
        return Source(Place("environment"), None, Path.cwd(), tables_from(environ, plugins))
    if isinstance(source, Mapping):
        place = Place("configuration")
        return Source(place, None, Path.cwd(), expand(source, environ, place))
    place = Place(str(source))
    return Source(place, source, source.absolute().parent, expand(_parsed(source), environ, place))


def _parsed(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: not UTF-8 at byte {error.start}") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file}: no valid TOML: {error}") from None
