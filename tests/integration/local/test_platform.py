"""The whole platform with tiny functions: their events, tasks and ticks, and that nothing is left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from infra.local.platform import ROOT, Platform
from infra.local.process import LocalPlatformError, answers_tcp
from shared.config import Settings

SEEN = "from pathlib import Path; seen = Path(__file__).parents[1] / 'seen'"
NOTE = "seen.open('a').write(f'{line}\\n')"

# A request publishes, the receiver queues a task, the task notes itself: a chain through every part.
FUNCTIONS = {
    "users": """
import functions_framework
from shared import bootstrap

@functions_framework.http
def users(request):
    bootstrap.publisher().publish("facts", {"fact": request.args["fact"]})
    return "published"
""",
    "notify": """
import base64, json, time
from pathlib import Path
import flask, functions_framework
from shared import bootstrap
hold = Path(__file__).parents[1] / "hold"

@functions_framework.cloud_event
def notify(event):
    bootstrap.caller_check().verify(flask.request.headers["Authorization"].removeprefix("Bearer "))
    fact = json.loads(base64.b64decode(event.data["message"]["data"]))["fact"]
    while hold.exists():
        time.sleep(0.01)
    bootstrap.tasks().enqueue(f"task of {fact}", {"fact": fact})
""",
    "submit": f"""
import functions_framework
from shared import bootstrap
{SEEN}

@functions_framework.http
def submit(request):
    bootstrap.caller_check().verify(request.headers["Authorization"].removeprefix("Bearer "))
    line = request.get_json()["fact"]
    {NOTE}
    return "done"
""",
    "relay": f"""
import base64
import functions_framework
{SEEN}

@functions_framework.cloud_event
def relay(event):
    line = base64.b64decode(event.data["message"]["data"]).decode()
    {NOTE}
""",
    "stripe_webhook": f"""
import functions_framework
{SEEN}

@functions_framework.http
def stripe_webhook(request):
    line = request.path + " " + request.get_json()["type"]
    {NOTE}
    return "received"
""",
}


SCHEDULE = [
    {"name": "relay", "cron": "* * * * *", "topic": "relay"},
    {"name": "by-day", "cron": "0 9 * * *", "topic": "nobody"},
]


@pytest.fixture(scope="module")
def functions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("functions")
    for name, source in FUNCTIONS.items():
        (folder / name).mkdir()
        (folder / name / "main.py").write_text(source)
    return folder


@pytest.fixture(scope="module")
def platform(functions: Path) -> Iterator[Platform]:
    schedule = functions / "schedule.json"
    schedule.write_text(
        json.dumps([{**job, "time_zone": "Europe/London", "description": ""} for job in SCHEDULE])
    )
    with Platform(functions=functions, schedule=schedule, ticks=False) as platform:
        yield platform


@pytest.fixture
def seen(platform: Platform, functions: Path) -> Any:
    """The lines that functions have noted since the test began."""
    platform.wait_until_idle()
    file = functions / "seen"
    file.write_text("")
    return lambda: file.read_text().splitlines()


def test_the_functions_settings_accept_the_environment(platform: Platform) -> None:
    settings = Settings.from_environment(platform.environment())
    assert settings.environment == "local"
    assert settings.task_url == f"{platform.base_url}/_internal/submit"
    assert set(settings.secrets) >= {
        "stripe-secret-key",
        "stripe-webhook-secret",
        "stripe-connect-webhook-secret",
        "master-key",
        "invitation-key",
        "fingerprint-key",
        "session-key",
    }


def test_idle_means_that_the_whole_chain_has_ended(platform: Platform, seen: Any) -> None:
    for number in range(10):
        assert requests.get(f"{platform.base_url}/v1/users?fact=fct_{number}", timeout=60).ok

    platform.wait_until_idle()

    assert sorted(seen()) == [f"fct_{number}" for number in range(10)]


def test_a_message_counts_until_it_is_acknowledged(platform: Platform, functions: Path, seen: Any) -> None:
    hold = functions / "hold"
    hold.touch()
    requests.get(f"{platform.base_url}/v1/users?fact=fct_held", timeout=60)

    with pytest.raises(LocalPlatformError, match=r"Still under way: .*'pushes not acknowledged': 1"):
        platform.wait_until_idle(seconds=0.2)
    assert seen() == []

    hold.unlink()
    platform.wait_until_idle()
    assert seen() == ["fct_held"]


def test_a_jump_of_the_clock_fires_each_job_once_and_is_seen_by_all(platform: Platform, seen: Any) -> None:
    before = platform.now()

    answer = platform.advance(days=31)

    assert timedelta(days=31) <= platform.now() - before < timedelta(days=31, minutes=5)
    assert [tick["job"] for tick in answer["ticks"]] == ["by-day", "relay"]
    [tick] = [json.loads(line) for line in seen()]
    assert tick["job"] == "relay"
    assert Path(platform.environment()["AJO_CLOCK_FILE"]).read_text() == str(answer["offset_seconds"])


def test_a_walk_fires_at_each_due_time(platform: Platform, seen: Any) -> None:
    platform.advance(minutes=3, walk=True)
    assert len(seen()) in (3, 4)


def test_a_job_is_fired_by_hand(platform: Platform, seen: Any) -> None:
    platform.fire("relay")
    assert len(seen()) == 1
    with pytest.raises(LocalPlatformError, match="no job"):
        platform.fire("none")


def test_the_clock_does_not_go_back(platform: Platform) -> None:
    with pytest.raises(LocalPlatformError, match="forward"):
        platform.advance_to(platform.now() - timedelta(days=1))


def test_what_stripe_sends_is_waited_for(platform: Platform, seen: Any) -> None:
    stripe = platform.environment()["AJO_STRIPE_API_BASE"]

    customer = {"email": "ada@example.com"}
    assert requests.post(f"{stripe}/v1/customers", customer, auth=("sk_test_local", ""), timeout=60).ok
    platform.wait_until_idle()

    assert seen() == ["/webhooks/stripe/platform customer.created"]


def test_a_part_that_is_gone_is_noticed(platform: Platform) -> None:
    assert platform.fallen() == []


def test_everything_stored_is_there_at_the_next_start(functions: Path, tmp_path: Path) -> None:
    account = {"email": "ada@example.com", "password": "a secret of ada", "returnSecureToken": True}
    group = {"fields": {"name": {"stringValue": "five friends"}}}
    owner = {"Authorization": "Bearer owner"}
    kept = []
    for run in range(2):
        with Platform(functions=functions, keep_data=tmp_path, ticks=False) as platform:
            hosts = platform.environment()
            documents = f"http://{hosts['FIRESTORE_EMULATOR_HOST']}/v1/projects/demo-ajo/databases/(default)"
            groups = f"{documents}/documents/groups"
            auth = f"http://{hosts['FIREBASE_AUTH_EMULATOR_HOST']}/identitytoolkit.googleapis.com/v1/accounts"
            if run == 0:
                requests.post(f"{groups}?documentId=grp_1", json=group, headers=owner, timeout=60)
                requests.post(f"{auth}:signUp?key=x", json=account, timeout=60)
                platform.advance(days=3)
            kept.append(
                (
                    requests.get(f"{groups}/grp_1", headers=owner, timeout=60).json()["fields"],
                    requests.post(f"{auth}:signInWithPassword?key=x", json=account, timeout=60).json()[
                        "localId"
                    ],
                    (tmp_path / "secrets.json").read_text(),
                    (tmp_path / "clock").read_text(),
                )
            )
    assert kept[0] == kept[1]
    assert kept[0][3] == str(3 * 86_400)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_who_starts_it_leaves_no_process_behind(functions: Path, how: signal.Signals) -> None:
    script = f"""
import json, time
from pathlib import Path
from infra.local.platform import Platform
with Platform(functions=Path({str(functions)!r})) as platform:
    print(json.dumps(platform.ports), flush=True)
    time.sleep(600)
"""
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout is not None
        ports = json.loads(process.stdout.readline())
        assert all(map(answers_tcp, ports.values()))
        os.killpg(process.pid, how)
        process.wait()

    waited = threading.Event()
    for _ in range(300):
        if not any(map(answers_tcp, ports.values())):
            break
        waited.wait(0.1)
    assert [part for part, port in ports.items() if answers_tcp(port)] == []


def test_a_port_in_use_is_a_sentence(platform: Platform, functions: Path) -> None:
    taken = platform.ports["gateway"]
    with (
        pytest.raises(LocalPlatformError, match=f"Port {taken}, meant for the gateway, is in use"),
        Platform(taken, functions=functions),
    ):
        pass


def test_a_live_key_is_refused() -> None:
    with pytest.raises(LocalPlatformError, match="test mode"):
        Platform(stripe_key="sk_live_x")
