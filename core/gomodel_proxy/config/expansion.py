"""``${NAME}`` and ``${NAME:-default}`` in strings; ``$${`` is a plain ``${``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .places import Place

_REFERENCE: Final = re.compile(r"\$\$\{|\$\{(?:([A-Za-z_]\w*)(?::-([^}]*))?\})?", re.ASCII)


def expand(value: Any, environ: Mapping[str, str], place: Place) -> Any:
    """Return ``value`` with references replaced in every string at any depth.

    The default counts where the variable is unset or empty, as in a shell. Raises `ConfigError`
    naming key and variable if a variable without default is unset.
    """
    if isinstance(value, str):
        return _expanded(value, environ, place)
    if isinstance(value, Mapping):
        return {key: expand(member, environ, place / key) for key, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [expand(member, environ, place.item(i)) for i, member in enumerate(value)]
    return value


def _expanded(text: str, environ: Mapping[str, str], place: Place) -> str:
    def replacement(match: re.Match[str]) -> str:
        name, default = match[1], match[2]
        if match[0] == "$${":
            return "${"
        if name is None:
            raise place.error("write ${NAME} or ${NAME:-default}, and $${ for a plain ${")
        if default is not None:
            return environ.get(name) or default
        if name not in environ:
            raise place.error(
                f"the environment variable {name} is not set (${{{name}:-}} makes it optional)"
            )
        return environ[name]

    return _REFERENCE.sub(replacement, text)
