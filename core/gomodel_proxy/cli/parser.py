"""What ``gomodel-proxy`` can be told, and the help that teaches it."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, Final

from gomodel_proxy import __version__

from . import batches

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DESCRIPTION: Final = """\
A gateway that gives every application one API for every language model.

Without a command it serves: the providers of the configuration file, or those that the
environment names (OPENAI_API_KEY, OPENAI_BASE_URL, OPENAI_EU_API_KEY, ...); with neither,
made-up answers of the sandbox, which need no key and no network."""

EPILOG: Final = """\
examples:
  gomodel-proxy                              providers from the environment
  gomodel-proxy --config config.toml         providers from a file
  gomodel-proxy config sample > config.toml  a file to start from, every setting explained
  gomodel-proxy check --config config.toml   what this file would serve, and what is wrong in it
  gomodel-proxy plugins                      what is installed, and whether it works
  gomodel-proxy batches run questions.jsonl  ask a running gateway all that a file asks
  pip install gomodel-proxy-<name>           a further plugin; name it in the file to use it

then ask it:
  curl http://127.0.0.1:8080/v1/models
"""


class Commands:
    """The commands there are; plugins add theirs here (`gomodel_proxy.api.Commands`)."""

    def __init__(self, parsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
        self._parsers = parsers
        self.names: set[str] = set()

    def add(
        self,
        name: str,
        help: str,
        arguments: Callable[[Any], None],
        run: Callable[[Any], int],
    ) -> None:
        """Add a command; raises ValueError for a name that is taken."""
        if name in self.names:
            raise ValueError(f"there is a command {name!r} already")
        parser = self._parsers.add_parser(
            name, help=help, description=help, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        arguments(parser)
        parser.set_defaults(run=run)
        self.names.add(name)


def build() -> tuple[argparse.ArgumentParser, Commands]:
    """Return the parser with the built-in commands, and where further ones are added."""
    parser = argparse.ArgumentParser(
        prog="gomodel-proxy",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"gomodel-proxy {__version__}")
    _config(parser)
    parser.set_defaults(run=_run)
    commands = Commands(parser.add_subparsers(title="commands", metavar="<command>"))
    commands.add("run", "serve (what happens without a command)", _config, _run)
    commands.add("check", "check a configuration and say what it would serve", _config, _check)
    commands.add("plugins", "list the installed plugins and try them", _plugins_arguments, _plugins)
    commands.add("batches", batches.HELP, batches.arguments, batches.run)
    commands.add("config", "print a sample configuration", _config_arguments, _sample)
    return parser, commands


def command_in(words: Sequence[str]) -> str | None:
    """Return the command among the words, None if there is none."""
    value_follows = False
    for word in words:
        if not value_follows and not word.startswith("-"):
            return word
        value_follows = word in ("-c", "--config")
    return None


def _config(parser: argparse.ArgumentParser) -> None:
    # Given before or after the command, so the default must not overwrite what is there.
    parser.add_argument(
        "-c", "--config", metavar="FILE", default=argparse.SUPPRESS, help="TOML file to read"
    )


def _plugins_arguments(parser: argparse.ArgumentParser) -> None:
    _config(parser)
    parser.add_argument("-v", "--verbose", action="store_true", help="show tracebacks")
    parser.epilog = (
        "With --config, the plugins that this file names are on and the others off;\n"
        "without it every installed plugin is tried. The exit code is 1 if one failed."
    )


def _config_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=["sample"], help="a file that runs as it stands")


# Each command's module is imported when it is run.


def _run(arguments: argparse.Namespace) -> int:
    from .run import run

    return run(_file(arguments))


def _check(arguments: argparse.Namespace) -> int:
    from .check import check

    return check(_file(arguments))


def _plugins(arguments: argparse.Namespace) -> int:
    from .plugins import show

    return show(_file(arguments), verbose=arguments.verbose)


def _sample(arguments: argparse.Namespace) -> int:
    from .sample import sample

    return sample()


def _file(arguments: argparse.Namespace) -> str | None:
    return getattr(arguments, "config", None)
