"""Run the sandbox server: ``python -m gomodel_proxy_sandbox --port 8099``."""

import argparse

from . import command

parser = argparse.ArgumentParser(prog="python -m gomodel_proxy_sandbox", description=command.HELP)
command.arguments(parser)
raise SystemExit(command.run(parser.parse_args()))
