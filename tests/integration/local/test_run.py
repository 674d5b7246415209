"""`scripts/run` as a newcomer uses it: the table, Ctrl-C, and its sentences."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from infra.local.platform import ROOT
from infra.local.process import answers_tcp, free_port

WAIT_SECONDS = 120


def start(arguments: Sequence[str], **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "infra.local.run", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def table(process: subprocess.Popen[str]) -> str:
    """What it says until it is up."""
    assert process.stdout is not None
    shown = ""
    while not shown.endswith("Ctrl-C ends it all.\n"):
        line = process.stdout.readline()
        assert line, f"it ended: {shown}"
        shown += line
    return shown


def test_one_command_brings_it_up_and_ctrl_c_takes_all_of_it_down() -> None:
    port = free_port()
    with start([f"--port={port}"]) as process:
        shown = table(process)
        ports = {int(found) for found in re.findall(r"http://127\.0\.0\.1:(\d+)", shown)}
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz") as answer:
            assert answer.status == 200

        process.send_signal(signal.SIGINT)
        farewell, _ = process.communicate(timeout=WAIT_SECONDS)

    assert process.returncode == 0
    assert "Everything is stopped." in farewell
    assert len(ports) == 5
    assert [one for one in ports if answers_tcp(one)] == []
    for part in ("API", "Firebase Auth", "Firestore", "Pub/Sub", "Stripe", "clock", "logs"):
        assert part in shown


def test_a_part_that_falls_ends_the_run_with_a_sentence(tmp_path: Path) -> None:
    with start([f"--port={free_port()}", f"--keep-data={tmp_path}"]) as process:
        shown = table(process)
        for pid in _children_with(f"--port={_stripe_port(shown)}"):
            os.kill(pid, signal.SIGKILL)
        farewell, _ = process.communicate(timeout=WAIT_SECONDS)

    assert process.returncode == 1
    assert f"No longer there: stripe. See {tmp_path / 'logs'}." in farewell


def test_a_port_in_use_is_a_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with start([f"--port={port}"]) as process:
            shown, _ = process.communicate(timeout=WAIT_SECONDS)

    assert process.returncode == 1
    assert f"Port {port}, meant for the gateway, is in use: " in shown
    assert "Traceback" not in shown


def test_a_live_key_is_refused_with_a_sentence() -> None:
    with start([f"--port={free_port()}"], STRIPE_SECRET_KEY="sk_live_1") as process:
        shown, _ = process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode == 1
    assert "STRIPE_SECRET_KEY must be a key of Stripe's test mode" in shown
    assert "Traceback" not in shown


def test_help_needs_nothing_installed() -> None:
    command = [
        "python3",
        "-I",
        "-S",
        "-c",
        "import sys; sys.path.insert(0, '.'); import infra.local.run as run",
    ]
    command[-1] += "; sys.argv[1:] = ['--help']; run.main()"
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    assert "--keep-data DIR" in answer.stdout


def _stripe_port(table: str) -> str:
    found = re.search(r"Stripe +http://127\.0\.0\.1:(\d+)", table)
    assert found
    return found.group(1)


def _children_with(argument: str) -> list[int]:
    """The processes that were given this argument, but for their keeper."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if argument in words and not any(word.endswith("keeper.py") for word in words):
            found.append(int(entry.parent.name))
    return found
