"""The command ``gomodel-proxy``. Only argparse is imported before a command is known."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from .parser import Commands, build, command_in

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0, 1 for a finding, 2 for a wrong call.

    130 and 141 are a shell's own codes for Ctrl-C and for a reader that has seen enough.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    parser, commands = build()
    if _asks_plugins(words, commands):
        from .extensions import extend

        extend(commands)
    arguments = parser.parse_args(words)

    from gomodel_proxy.api import ConfigError

    try:
        code: int = arguments.run(arguments)
        sys.stdout.flush()
    except ConfigError as error:
        print(f"gomodel-proxy: {error.message}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        with open(os.devnull, "wb") as nowhere:  # or the flush at the exit complains again
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
        return 141
    return code


def _asks_plugins(words: Sequence[str], commands: Commands) -> bool:
    """Importing every plugin takes time: only for a foreign command, or the list of all."""
    command = command_in(words)
    if command is None:
        return "-h" in words or "--help" in words
    return command not in commands.names
