"""The settings of an OpenAI-compatible account, and their checks."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, ClassVar, Final, Literal

from msgspec import field

from gomodel_proxy.api import ConfigError, ProviderConfig, Secret
from gomodel_proxy.wire.openai_account import PATHS, SPEAKS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["OpenAICompatibleConfig", "check_paths", "operations"]

_OPERATIONS: Final = {
    dialect: operation for operation, dialects in SPEAKS.items() for dialect in dialects
}
_RARE: Final = ("openai.compact", "openai.input_tokens")


class OpenAICompatibleConfig(ProviderConfig):
    """Settings of ``type = "openai_compatible"``.

    ``auth_header`` and ``auth_scheme`` say how the key travels; an empty scheme sends it bare.
    ``query`` goes with every request. ``speaks`` lists the dialects taken natively, the preferred
    one first; by default all of OpenAI's but those that few others have. ``paths`` says where one
    is posted if not where OpenAI has it. ``models_path`` is empty where no models are listed.
    ``stream_usage``: "ask" if streams report usage only on demand, "always" if they do so anyway,
    "never" if asking is an error. ``batches`` names whose batch API there is: "openai", "azure",
    "groq", "mistral" or "xai"; lines of batches are executed here if it is empty.
    """

    keyless: ClassVar[bool] = True  # an empty api_key does not leave the provider out

    base_url: str
    api_key: Secret = Secret("")
    auth_header: str = "authorization"
    auth_scheme: str = "Bearer"
    query: dict[str, str] = field(default_factory=dict)
    speaks: list[str] = field(
        default_factory=lambda: [name for name in _OPERATIONS if name not in _RARE]
    )
    paths: dict[str, str] = field(default_factory=dict)
    models_path: str = "/models"
    stream_usage: Literal["ask", "always", "never"] = "ask"
    batches: Literal["", "openai", "azure", "groq", "mistral", "xai"] = ""


def operations(dialects: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """Return the dialects by operation, in the order they are given."""
    spoken: dict[str, tuple[str, ...]] = {}
    for dialect in dialects:
        operation = _OPERATIONS[_known("speaks", dialect)]
        if dialect not in spoken.get(operation, ()):
            spoken[operation] = (*spoken.get(operation, ()), dialect)
    if not spoken:
        raise ConfigError("speaks: must name at least one dialect", param="speaks")
    return spoken


def check_paths(paths: Mapping[str, str]) -> Mapping[str, str]:
    """Return the paths, each of a dialect that there is."""
    for dialect in paths:
        _known("paths", dialect)
    return paths


def _known(setting: str, dialect: str) -> str:
    if dialect in PATHS:
        return dialect
    near = get_close_matches(dialect, PATHS, n=1)
    hint = f'did you mean "{near[0]}"?' if near else f"there are {', '.join(PATHS)}"
    raise ConfigError(f'{setting}: no dialect is called "{dialect}"; {hint}', param=setting)
