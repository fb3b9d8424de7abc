"""A property-based fuzzer reads ``/openapi.json`` and asks all it can think of: never a 500."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from gomodel_proxy.testing.processes import GatewayProcess

MODELS = ["sandbox-echo", "sandbox-tools", "sandbox/sandbox-embedding", "sandbox-reasoning"]
CONFIG = """
[server]
port = 0
[logs]
format = "json"
[auth.keys.fuzzer]
key = "sk-fuzzer"
admin = true
[providers.sandbox]
type = "sandbox"
[store]
type = "sqlite"
path = "{folder}/gomodel.db"
[accounting]
journal = "{folder}/journal"
"""


def described(url: str, folder: Path) -> Path:
    """Return the description with real models in it, so that questions get further than a 404."""
    request = Request(f"{url}/openapi.json", headers={"x-api-key": "sk-fuzzer"})
    with urlopen(request) as reply:
        description = json.load(reply)
    for name, schema in description["components"]["schemas"].items():
        if name.endswith("Body") and "model" in schema.get("properties", {}):
            schema["properties"]["model"] = {"enum": MODELS}
    file = folder / "openapi.json"
    file.write_text(json.dumps(description))
    return file


@pytest.mark.soak
@pytest.mark.parametrize(
    ("fast", "phases"), [("true", "examples,coverage,fuzzing"), ("false", "fuzzing")]
)
def test_no_question_makes_it_fail(tmp_path: Path, fast: str, phases: str) -> None:
    config = tmp_path / "config.toml"
    text = CONFIG.format(folder=tmp_path).replace("port = 0", f"port = 0\nfast_lane = {fast}")
    config.write_text(text)
    with GatewayProcess(config) as gateway:
        done = subprocess.run(
            [
                *(str(Path(sys.executable).with_name("schemathesis")), "run"),
                *(str(described(gateway.url, tmp_path)), "--url", gateway.url),
                *("--header", "Authorization: Bearer sk-fuzzer"),
                *("--checks", "not_a_server_error"),
                *("--mode", "all"),
                *("--phases", phases),
                *("--max-examples", "5", "--seed", "7"),
                *("--suppress-health-check", "all"),
                "--no-color",
            ],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            check=False,
        )
        assert gateway.stop() == 0
    assert done.returncode == 0, done.stdout[-6000:]
    assert "Traceback" not in gateway.output
    assert "request.failed" not in gateway.output
