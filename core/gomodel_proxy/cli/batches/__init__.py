"""``gomodel-proxy batches``: what it can be told. Its modules are imported when it runs."""

from __future__ import annotations

import argparse
import os
from typing import Final

__all__ = ["HELP", "arguments", "run"]

HELP: Final = "run, watch and stop batches of a running gateway"

_EPILOG: Final = """\
The gateway is the one at --url, or GOMODEL_URL, or http://127.0.0.1:8080. The key is read from
GOMODEL_API_KEY, or GOMODEL_MASTER_KEY; it is never given on the command line, where others see it.

examples:
  gomodel-proxy batches run questions.jsonl             questions.output.jsonl, when it is done
  gomodel-proxy batches run questions.jsonl --metadata team=search --window 7d
  gomodel-proxy batches list
  gomodel-proxy batches show batch_01a2...              how far it is, and what it has cost
  gomodel-proxy batches results batch_01a2... --out questions.output.jsonl
  gomodel-proxy batches cancel batch_01a2...

a line of the input:
  {"custom_id": "1", "method": "POST", "url": "/v1/chat/completions",
   "body": {"model": "openai/gpt-4o-mini", "messages": [{"role": "user", "content": "Hello!"}]}}

The exit code is 0 if every line was answered, 1 if one was not, 2 for a wrong call.
"""
_DEFAULT: Final = "http://127.0.0.1:8080"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what can be asked for."""
    parser.epilog = _EPILOG
    url = argparse.ArgumentParser(add_help=False)
    url.add_argument(
        "--url",
        metavar="URL",
        default=os.environ.get("GOMODEL_URL") or _DEFAULT,
        help="the gateway's address (GOMODEL_URL)",
    )
    verbs = parser.add_subparsers(title="verbs", metavar="<verb>", dest="verb", required=True)

    def add(verb: str, help: str, epilog: str = "") -> argparse.ArgumentParser:
        return verbs.add_parser(
            verb,
            help=help,
            description=help,
            epilog=epilog,
            parents=[url],
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )

    _list(add("list", "list batches, the newest first"))
    _one(add("show", "show a batch as it stands"), json=True)
    _results(
        add(
            "results",
            "wait for a batch and get its results",
            "Without --out they are printed: those of lines that were answered, then the others.",
        )
    )
    _one(add("cancel", "stop a batch; what it has is kept"))
    _one(
        add(
            "resend",
            "send again what a vendor may have taken already (admins)",
            "For a batch whose errors tell of an uncertain submission. It may be paid for twice.",
        )
    )
    _run(
        add(
            "run",
            "submit a file, wait, and get the results",
            "Ctrl-C stops waiting, not the batch: `batches results ID` waits on.\n"
            "The gateway may restart meanwhile.",
        )
    )


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked for."""
    from .commands import command

    return command(arguments)


def _list(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--limit", type=int, default=20, metavar="N", help="at most N (1-100)")
    parser.add_argument("--after", metavar="ID", help="only older ones than this")
    parser.add_argument("--json", action="store_true", help="print what the gateway says")


def _one(parser: argparse.ArgumentParser, *, json: bool = False) -> None:
    parser.add_argument("id", metavar="ID", help="the batch's id")
    if json:
        parser.add_argument("--json", action="store_true", help="print what the gateway says")


def _results(parser: argparse.ArgumentParser) -> None:
    _one(parser)
    parser.add_argument("--no-wait", action="store_true", help="fail if it has not ended")
    _out(parser, "write answers to FILE and failures to FILE with '.errors' in its name")


def _run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE.jsonl", help="a request per line")
    parser.add_argument(
        "--endpoint", default="", metavar="PATH", help="the one url that lines may have (any)"
    )
    parser.add_argument("--window", default="24h", metavar="TIME", help="its time: 24h, 90m, 7d")
    parser.add_argument(
        "--metadata", action="append", default=[], metavar="K=V", help="kept with it; repeatable"
    )
    parser.add_argument(
        "--mode",
        choices=["auto", "native", "executed"],
        help="by vendors' own batches where they have any, always, or never",
    )
    parser.add_argument("--no-wait", action="store_true", help="print the id and leave")
    _out(parser, "write answers to FILE (FILE.output.jsonl), failures beside it as '.errors'")


def _out(parser: argparse.ArgumentParser, help: str) -> None:
    parser.add_argument("--out", metavar="FILE", help=help)
    parser.add_argument("--force", action="store_true", help="write over files that exist")
