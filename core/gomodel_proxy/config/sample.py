"""``sample_config.toml``, printed from the structs: what it says is what the code does."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, get_args

import msgspec
from msgspec import NODEFAULT
from msgspec.structs import FieldInfo, fields

from gomodel_proxy.api import ProviderConfig, Secret

from .loading import CORE
from .scalars import shown
from .settings import Key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gomodel_proxy.plugins import Plugins

WIDTH: Final = 100
COLUMN: Final = 40
"""Where the comment of a line begins."""

HEAD: Final = """\
# gomodel-proxy: every setting, with its default. Printed by `gomodel-proxy config sample`.
#
# It runs as it stands, without a key and without a network:
#     gomodel-proxy --config sample_config.toml
#
# "${NAME}" and "${NAME:-default}" read the environment. Sizes are written "32MiB", "10MB" or in
# bytes, durations "250ms", "10s", "10m", "1h" or in seconds. Paths are relative to this file.
"""

TAIL: Final = """\
# Further plugins bring further tables: [transports.<name>], [routers.<name>],
# [authenticators.<name>], [limits.<name>], [guardrails.<name>], [price_books.<name>] and [cache].
# Their `type` is the plugin's name and may be left out where <name> is the same.
"""

# What is not commented out, and what it says where that is not the default.
ACTIVE: Final[dict[str, dict[str, Any]]] = {
    "server": {"host": None, "port": None, "workers": None, "body_limit": None},
    "auth": {"master_key": "${GOMODEL_MASTER_KEY:-}"},
    "plugins": {"enabled": None},
}
CALLER: Final = {"key": "${ALICE_KEY}", "user_path": "/research/alice"}

# What providers of each type are given; those in EXAMPLES are commented out, under that name.
PROVIDERS: Final[dict[str, dict[str, Any]]] = {
    "sandbox": {"type": "sandbox"},
    "openai": {"type": "openai", "api_key": "${OPENAI_API_KEY:-}", "base_url": None},
    "openai_compatible": {
        "type": "openai_compatible",
        "base_url": "http://127.0.0.1:8000/v1",
        "api_key": "${LOCAL_API_KEY:-}",
    },
}
EXAMPLES: Final = {"openai_compatible": "local"}
STORE: Final = {"type": "sqlite", "path": "gomodel.db"}


def render(plugins: Plugins) -> str:
    """Return the sample; tables of plugins that are not installed are missing from it."""
    blocks = [HEAD, *(_core(name) for name in ("server", "auth", "plugins")), *_providers(plugins)]
    blocks += _store(plugins)
    blocks += [_core(name) for name in CORE if name not in ACTIVE]
    return "\n".join([*blocks, TAIL])


def _core(name: str) -> str:
    struct = CORE[name]
    lines = [*_comment(struct.__doc__), f"[{name}]"]
    lines += _fields(fields(struct), ACTIVE.get(name, {}))
    if name == "auth":
        lines += ["", *_comment(Key.__doc__)]
        lines += ["# [auth.keys.alice]", *_fields(fields(Key), CALLER, example=True)]
    return _block(lines)


def _providers(plugins: Plugins) -> Iterator[str]:
    """Give a block per provider; what all of them have stands in the first only."""
    common = {field.name for field in fields(ProviderConfig)} - {"type"}
    for type_, values in PROVIDERS.items():
        struct = _struct(plugins, "gomodel_providers", type_)
        if struct is None:
            continue
        known = fields(struct)
        own = [field for field in known if field.name not in common]
        example = type_ in EXAMPLES
        header = f"# [providers.{EXAMPLES[type_]}]" if example else f"[providers.{type_}]"
        lines = [header, *_fields(own, values, example=example)]
        yield _block([*_comment(struct.__doc__), *lines])
        if type_ == "openai":
            shared = [field for field in known if field.name in common]
            yield _block([*_comment(ProviderConfig.__doc__), *_fields(shared, {})])


def _store(plugins: Plugins) -> Iterator[str]:
    struct = _struct(plugins, "gomodel_stores", STORE["type"])
    if struct is not None:
        lines = [*_comment(struct.__doc__), "[store]"]
        if "type" not in struct.__struct_fields__:
            lines.append(f'type = "{STORE["type"]}"')
        yield _block([*lines, *_fields(fields(struct), STORE)])


def _struct(plugins: Plugins, hook: str, type_: str) -> type[msgspec.Struct] | None:
    return plugins.kind(hook, type_).config if type_ in plugins.installed else None


# ---------------------------------------------------------------- lines


def _fields(
    known: Iterable[FieldInfo], values: Mapping[str, Any], *, example: bool = False
) -> Iterator[str]:
    """Give a line per field: as it is where ``values`` has it, else its default commented out.

    Of an ``example`` every line is commented out.
    """
    for field in sorted(known, key=lambda field: field.name != "type"):
        value = values.get(field.name)
        default = _default(field)
        if _is_table(field) or (value is None and default is NODEFAULT):
            continue
        text = f"{field.encode_name} = {_toml(default if value is None else value, field.type)}"
        text = text if field.name in values and not example else f"# {text}"
        note = _description(field.type)
        if note and len(note) + COLUMN + 2 > WIDTH:
            yield f"# {note}:"
            note = ""
        yield f"{text:<{COLUMN - 1}} # {note}" if note else text


def _default(field: FieldInfo) -> Any:
    if field.default is not NODEFAULT:
        return field.default
    return field.default_factory() if field.default_factory is not NODEFAULT else NODEFAULT


def _is_table(field: FieldInfo) -> bool:
    """Return whether a field has a table of its own in the sample."""
    return dict[str, Key] in get_args(field.type)


def _description(type_: Any) -> str:
    for note in get_args(type_)[1:]:
        if isinstance(note, msgspec.Meta) and note.description:
            return note.description
    return ""


def _toml(value: Any, type_: Any = None) -> str:
    if not isinstance(value, str) and (written := shown(value, type_)) is not None:
        return f'"{written}"'
    if isinstance(value, Secret):
        return '""'
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {_toml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_toml(one) for one in value) + "]"
    return msgspec.json.encode(value).decode()


def _comment(docstring: str | None) -> list[str]:
    text = inspect.cleandoc(docstring or "").replace("``", "`")
    paragraphs = [textwrap.fill(one, WIDTH - 2) for one in text.split("\n\n") if one]
    return [f"# {text}".rstrip() for text in "\n\n".join(paragraphs).split("\n")]


def _block(lines: list[str]) -> str:
    return "".join(f"{text}\n" for text in lines)
