"""The main job, over HTTP on real emulators: a whole circle, then what must hold of everything it did."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
import requests
from google.cloud import firestore

from infra.local.platform import Platform
from tests.contract.stripe import conformity

# Every collection that the circle's use cases write to.
COLLECTIONS = """
    users payment_methods keys groups members contributions payouts ledger journal audit draw
    invitations idempotency quarantine notifications progress
""".split()  # noqa: SIM905 - a table of words reads best as words


@pytest.fixture(scope="module")
def report(platform: Platform) -> dict[str, Any]:
    """What `scripts/demo --json` says of a weekly circle of five."""
    command = [sys.executable, "-m", "infra.local.demo", "--json", "--quiet", "--url", platform.base_url]
    command += ["--members", "5", "--amount", "100", "--frequency", "weekly"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def test_everybody_saves_and_everybody_is_paid(report: dict[str, Any]) -> None:
    assert report["contributions_settled"] == 25
    assert report["payouts_received"] == 5
    assert set(report["received_pence_by_member"].values()) == {50_000}
    assert report["ledger"] == "balanced"
    assert report["reconciliation_differences"] == 0
    assert report["house_pence"] == 25 * 170


def test_members_see_by_the_rules_how_the_open_cycle_moves(report: dict[str, Any]) -> None:
    """Read from Firestore with a member's own token, once a day; nothing but facts keeps it right."""
    seen = [(cycle, paid) for cycle, paid in report["progress_seen"]]
    assert seen[0] == (1, 0)
    assert seen[-1] == (None, 0)
    assert [cycle for cycle, paid in seen if paid == 5] == [1, 2, 3, 4, 5]


def test_every_call_of_stripe_is_as_stripe_describes_it(platform: Platform, report: dict[str, Any]) -> None:
    calls = requests.get(f"{_stripe(platform)}/_control/requests", timeout=60).json()
    assert len(calls) > 100
    problems = [
        problem
        for call in calls
        for problem in conformity.check(
            call["method"], call["path"], call["params"], call["status"], call["body"]
        )
    ]
    assert problems == []


def test_no_webhook_that_comes_again_changes_anything(
    platform: Platform, report: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = platform.environment()
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", environment["FIRESTORE_EMULATOR_HOST"])
    client = firestore.Client(project=environment["GOOGLE_CLOUD_PROJECT"])
    platform.wait_until_idle()
    before = _versions(client)
    events = requests.get(f"{_stripe(platform)}/_control/events", timeout=60).json()
    assert len(events) > 100
    for event in events:
        url = f"{_stripe(platform)}/_control/events/{event['id']}/resend"
        requests.post(url, json={"copies": 1}, timeout=60).raise_for_status()
    platform.wait_until_idle()

    assert _versions(client) == before


def _stripe(platform: Platform) -> str:
    return platform.environment()["AJO_STRIPE_API_BASE"]


def _versions(client: firestore.Client) -> dict[str, object]:
    """Every document of the platform, with the moment at which it last changed."""
    return {
        document.reference.path: document.update_time
        for collection in COLLECTIONS
        for document in client.collection_group(collection).stream()
    }
