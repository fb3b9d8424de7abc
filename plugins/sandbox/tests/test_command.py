import json
import urllib.request
from argparse import ArgumentParser

import gomodel_proxy_sandbox
from gomodel_proxy_sandbox import command


def post(process, model, text="Hi", request_id="r1"):
    body = {"model": model, "messages": [{"role": "user", "content": text}]}
    request = urllib.request.Request(
        f"{process.url}/v1/chat/completions",
        json.dumps(body).encode(),
        {"content-type": "application/json", "x-request-id": request_id},
    )
    with urllib.request.urlopen(request, timeout=10) as reply:
        return json.load(reply)


def test_every_accepted_request_is_in_the_file_though_the_server_is_killed(recorded):
    process, file = recorded
    usage = post(process, "sandbox-echo")["usage"]
    post(process, "sandbox-echo+nousage", request_id="r2")
    process.kill()
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [(line["event"], line["id"]) for line in lines] == [
        ("accepted", 1),
        ("finished", 1),
        ("accepted", 2),
        ("finished", 2),
    ]
    assert json.loads(lines[0]["body"])["model"] == lines[0]["model"] == "sandbox-echo"
    assert [line["request_id"] for line in lines] == ["r1", "r1", "r2", "r2"]
    assert (lines[1]["usage"], lines[1]["state"]) == (usage, "answered")
    assert lines[3]["usage"] is None


def test_it_stops_at_once(recorded):
    process, _ = recorded
    post(process, "sandbox-echo")
    assert process.stop(timeout=5) == 0


def test_a_fault_that_nobody_knows_is_an_exit_code(capsys):
    parser = ArgumentParser()
    command.arguments(parser)
    assert command.run(parser.parse_args(["--faults", "cutt=1"])) == 2
    assert "cutt" in capsys.readouterr().err


def test_the_command_is_offered():
    added = []

    class Commands:
        def add(self, name, help, arguments, run):
            added.append((name, help, arguments, run))

    gomodel_proxy_sandbox.gomodel_commands(Commands())
    assert added == [("sandbox", command.HELP, command.arguments, command.run)]
