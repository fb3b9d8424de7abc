"""``gomodel-proxy batches``, as a process of its own against a gateway that runs, or dies."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from rich.console import Console

from gomodel_proxy.cli import main
from gomodel_proxy.cli.batches.bar import Bar
from gomodel_proxy.cli.batches.client import Client, new_key
from gomodel_proxy.cli.batches.waiting import patiently
from gomodel_proxy.testing.lines import Asked, Line, LineServer
from gomodel_proxy.testing.processes import GatewayProcess

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = "sk-cli-canary-0123"
CONFIG = """
[server]
port = {port}
[auth.keys.app]
key = "{key}"
[providers.sandbox]
type = "sandbox"
models = ["sandbox-echo", "sandbox-echo+status=400", "sandbox-echo+hang"]
models_mode = "allowlist"
[store]
type = "sqlite"
path = "{folder}/gomodel.db"
[batches]
lease = {lease}
[accounting]
journal = "{folder}/journal"
"""


def config(folder: Path, port: int = 0, lease: int = 60) -> Path:
    file = folder / "config.toml"
    file.write_text(CONFIG.format(folder=folder, key=KEY, port=port, lease=lease))
    return file


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    with GatewayProcess(config(tmp_path_factory.mktemp("gateway"))) as started:
        yield started


def environment(url: str, key: str = KEY) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GOMODEL_")}
    return {**clean, "GOMODEL_URL": url, "GOMODEL_API_KEY": key}


def words(*words: str) -> list[str]:
    return [sys.executable, "-m", "gomodel_proxy", "batches", *words]


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


Batches = Callable[..., Done]


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Batches:
    """Return what runs the command in this process, which is quicker, and what it prints."""

    def run(url: str, *given: str, key: str = KEY) -> Done:
        for name, value in environment(url, key).items():
            if name.startswith("GOMODEL_"):
                monkeypatch.setenv(name, value)
        try:
            code = main(["batches", *given])
        except SystemExit as left:
            code = int(left.code or 0)
        out, err = capfd.readouterr()
        assert KEY not in out + err
        assert "Traceback" not in err
        return Done(code, out, err)

    return run


def line(id_: str, model: str = "sandbox-echo") -> str:
    body = {"model": model, "messages": [{"role": "user", "content": f"Hello {id_}"}]}
    return json.dumps({"custom_id": id_, "url": "/v1/chat/completions", "body": body})


def questions(folder: Path, *lines: str) -> Path:
    file = folder / "questions.jsonl"
    file.write_text("".join(f"{text}\n" for text in lines))
    return file


def answers(file: Path) -> dict[str, Any]:
    return {one["custom_id"]: one for one in map(json.loads, file.read_text().splitlines())}


# ---------------------------------------------------------------- run


def test_a_file_is_run(gateway: GatewayProcess, batches: Batches, tmp_path: Path) -> None:
    file = questions(tmp_path, *(line(f"q{number}") for number in range(5)))
    done = batches(gateway.url, "run", str(file), "--metadata", "team=search", "--mode", "auto")
    assert (done.returncode, done.stdout) == (0, "")
    written = answers(tmp_path / "questions.output.jsonl")
    assert list(written) == ["q0", "q1", "q2", "q3", "q4"]
    message = written["q3"]["response"]["body"]["choices"][0]["message"]
    assert message["content"] == "Hello q3"
    assert "completed, 5 of 5 answered, 0 failed" in done.stderr
    assert f"answers: {tmp_path / 'questions.output.jsonl'}" in done.stderr
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        "questions.jsonl",
        "questions.output.jsonl",
    ]
    shown = batches(gateway.url, "list", "--limit", "1", "--json")
    (batch,) = json.loads(shown.stdout)["data"]
    assert batch["metadata"] == {"team": "search", "gomodel_mode": "auto"}


def test_failures_go_beside_the_answers(
    gateway: GatewayProcess, batches: Batches, tmp_path: Path
) -> None:
    file = questions(tmp_path, line("good"), line("bad", "sandbox-echo+status=400"))
    out = tmp_path / "answers.jsonl"
    done = batches(gateway.url, "run", str(file), "--out", str(out))
    assert done.returncode == 1
    assert list(answers(out)) == ["good"]
    assert list(answers(tmp_path / "answers.errors.jsonl")) == ["bad"]
    assert f"failures: {tmp_path / 'answers.errors.jsonl'}" in done.stderr


def test_a_file_with_faults_says_which_lines(
    gateway: GatewayProcess, batches: Batches, tmp_path: Path
) -> None:
    done = batches(
        gateway.url, "run", str(questions(tmp_path, line("a"), "{", line("a", "no-such")))
    )
    assert done.returncode == 1
    assert "failed" in done.stderr
    assert "line 2: This line is no JSON object" in done.stderr
    assert "line 3: " in done.stderr
    assert not (tmp_path / "questions.output.jsonl").exists()


def test_nothing_is_written_over_unasked(
    gateway: GatewayProcess, batches: Batches, tmp_path: Path
) -> None:
    file = questions(tmp_path, line("a"))
    out = tmp_path / "questions.output.jsonl"
    out.write_text("mine")
    done = batches(gateway.url, "run", str(file))
    assert done.returncode == 2
    assert f"{out} exists" in done.stderr
    assert out.read_text() == "mine"
    assert batches(gateway.url, "run", str(file), "--force").returncode == 0
    assert list(answers(out)) == ["a"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["run", "no-such.jsonl"], "no-such.jsonl is no file"),
        (["run", __file__, "--metadata", "team"], "--metadata takes K=V, not 'team'"),
        (["run"], "the following arguments are required: FILE.jsonl"),
        ([], "the following arguments are required: <verb>"),
    ],
)
def test_wrong_calls(batches: Batches, given: list[str], told: str) -> None:
    done = batches("http://127.0.0.1:1", *given)
    assert done.returncode == 2
    assert told in done.stderr


# ---------------------------------------------------------------- look and stop


def test_a_batch_that_is_not_waited_for(
    gateway: GatewayProcess, batches: Batches, tmp_path: Path
) -> None:
    file = questions(tmp_path, line("a"), line("b"))
    done = batches(gateway.url, "run", str(file), "--no-wait")
    assert done.returncode == 0
    id_ = done.stdout.strip()
    assert id_.startswith("batch_")
    printed = batches(gateway.url, "results", id_)
    assert printed.returncode == 0
    assert [json.loads(text)["custom_id"] for text in printed.stdout.splitlines()] == ["a", "b"]
    shown = batches(gateway.url, "show", id_).stdout
    assert "status      completed\n" in shown
    assert "lines       2 of 2 answered, 0 failed\n" in shown
    assert "provider    sandbox\n" in shown
    table = batches(gateway.url, "list").stdout.splitlines()
    assert table[0].split() == ["id", "status", "created", "done", "failed", "total"]
    assert any(id_ in row and "completed" in row for row in table)


def test_a_batch_is_stopped(gateway: GatewayProcess, batches: Batches, tmp_path: Path) -> None:
    file = questions(tmp_path, line("quick"), line("never", "sandbox-echo+hang"))
    id_ = batches(gateway.url, "run", str(file), "--no-wait").stdout.strip()
    early = batches(gateway.url, "results", id_, "--no-wait")
    assert early.returncode == 1
    assert f"{id_} is " in early.stderr
    assert "has not ended" in early.stderr
    assert batches(gateway.url, "cancel", id_).stdout.startswith(f"{id_}: cancel")
    began = time.monotonic()
    done = batches(gateway.url, "results", id_)
    assert time.monotonic() - began < 30, "it waited for a lease to run out"
    assert done.returncode == 1
    assert json.loads(done.stdout.splitlines()[-1])["error"]["code"] == "batch_cancelled"
    again = batches(gateway.url, "cancel", id_)
    assert again.returncode == 1
    assert "cannot be cancelled any more" in again.stderr


def test_what_the_gateway_refuses_is_told(gateway: GatewayProcess, batches: Batches) -> None:
    unknown = batches(gateway.url, "show", "batch_none")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "No batch with id 'batch_none' was found." in unknown.stderr
    wrong = batches(gateway.url, "list", key="sk-wrong")
    assert wrong.returncode == 1
    assert "Put the key into GOMODEL_API_KEY" in wrong.stderr
    assert "sk-wrong" not in wrong.stderr
    resend = batches(gateway.url, "resend", "batch_none")
    assert resend.returncode == 1
    nobody = batches("http://127.0.0.1:1", "list")
    assert nobody.returncode == 1
    assert "http://127.0.0.1:1 does not answer" in nobody.stderr


# ---------------------------------------------------------------- waiting


def started(url: str, *given: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        words(*given),
        env=environment(url),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # a shell's job in the background ignores SIGINT, and so would all that it starts
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def until(process: subprocess.Popen[str], text: str) -> None:
    assert process.stderr is not None
    for told in process.stderr:
        if text in told:
            return
    raise AssertionError(f"it never said {text!r}")


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGINT")
def test_interrupting_stops_the_waiting_not_the_batch(
    gateway: GatewayProcess, batches: Batches, tmp_path: Path
) -> None:
    file = questions(tmp_path, line("never", "sandbox-echo+hang"))
    with started(gateway.url, "run", str(file)) as process:
        until(process, "in_progress")
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=20)
    assert process.returncode == 130
    id_ = told.split()[0]
    assert f"gomodel-proxy batches results {id_} --out {tmp_path}/questions.output.jsonl" in told
    assert "Traceback" not in told
    assert json.loads(batches(gateway.url, "show", id_, "--json").stdout)["status"] == "in_progress"
    batches(gateway.url, "cancel", id_)


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_waiting_outlives_the_gateway(batches: Batches, tmp_path: Path) -> None:
    folder = tmp_path / "gateway"
    folder.mkdir()
    file = questions(tmp_path, line("a"), line("b", "sandbox-echo+hang"))
    with GatewayProcess(config(folder, lease=2)) as gateway:
        url, port = gateway.url, gateway.port
        process = started(url, "run", str(file))
        until(process, "in_progress")
        gateway.kill()
    until(process, "does not answer")
    with GatewayProcess(config(folder, port, lease=2)):
        id_ = json.loads(batches(url, "list", "--json").stdout)["data"][0]["id"]
        batches(url, "cancel", id_)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "cancelled, 1 of 2 answered" in told
    assert list(answers(tmp_path / "questions.output.jsonl")) == ["a"]


async def test_a_batch_is_made_once_though_the_first_answer_got_lost() -> None:
    asked: list[Asked] = []

    async def answer(line: Line, request: Asked) -> None:
        asked.append(request)
        if len(asked) == 1:
            line.close()
            return
        body = b'{"id": "batch_1"}'
        await line.send(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 17\r\n\r\n", body
        )

    class Told:
        troubles = 0

        def batch(self, batch: dict[str, Any]) -> None:
            raise AssertionError(batch)

        def trouble(self, message: str) -> None:
            self.troubles += 1

    told, key = Told(), new_key()
    async with LineServer(answer) as server, Client(f"{server.url}/v1/") as client:
        made = await patiently(lambda: client.post("/batches", {}, key), told)
    assert made == {"id": "batch_1"}
    assert told.troubles == 1
    assert [request.header("idempotency-key") for request in asked] == [key, key]


# ---------------------------------------------------------------- the bar


def test_the_bar_counts_lines() -> None:
    out = io.StringIO()
    with Bar(Console(file=out, force_terminal=True, width=120)) as bar:
        bar.batch(
            {
                "status": "in_progress",
                "request_counts": {"total": 10, "completed": 6, "failed": 1},
            }
        )
        bar.trouble("gone")
        bar.batch(
            {
                "status": "completed",
                "request_counts": {"total": 10, "completed": 9, "failed": 1},
            }
        )
    text = out.getvalue()
    assert "10/10" in text
    assert "1 failed" in text
    assert "completed" in text


@pytest.mark.skipif(sys.platform == "win32", reason="needs a terminal of its own")
def test_without_rich_it_says_what_to_install(gateway: GatewayProcess, tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['rich'] = None; sys.stderr.isatty = lambda: True;"
        "from gomodel_proxy.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "batches", "run", str(questions(tmp_path, line("a")))],
        env=environment(gateway.url),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "pip install 'gomodel-proxy[cli]'" in done.stderr
    assert "completed, 1 of 1 answered" in done.stderr
