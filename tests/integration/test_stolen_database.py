"""Who steals the database, the logs or the messages of a demo run learns of nobody who they are."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import requests

from infra.local.demo import circle
from infra.local.demo.client import Person
from infra.local.demo.client import Platform as Client
from infra.local.demo.story import Story
from infra.local.platform import Platform
from shared.domain.retention import RETENTION

TOPICS = (
    "facts",
    "process_payment_event",
    "relay",
    "collect_contributions",
    "pay_out",
    "reconcile",
    "remind",
)


def secrets_of(people: list[Person]) -> list[str]:
    """What nothing may hold: names, addresses, phones, birth dates, banks, e-mail addresses, passwords."""
    told = [circle.profile(person.name) for person in people]
    words = {person.name for person in people} | {person.email for person in people} | {circle.PASSWORD}
    words |= {one["full_name"] for one in told} | {one["address"]["line_1"] for one in told}
    first = told[0]
    words |= {first["phone"], first["phone"].replace(" ", ""), "+447911123456", "7911123456"}
    words |= {
        first["date_of_birth"],
        first["bank_name"],
        first["address"]["postcode"],
        first["address"]["town"],
    }
    words |= {"Adeyemi", "@example.com"}
    return sorted(words)


def found(secrets: list[str], text: str) -> list[str]:
    """Which of them stand in a text as words. Sealed text is random letters, and may hold three by chance."""
    return [
        one for one in secrets if re.search(rf"(?<![A-Za-z0-9_-]){re.escape(one)}(?![A-Za-z0-9_-])", text)
    ]


class Spy:
    """A subscription of our own to each topic, from before anything is published."""

    def __init__(self, host: str, project: str) -> None:
        self._url = f"http://{host}/v1/projects/{project}"
        for topic in TOPICS:
            body = {"topic": f"projects/{project}/topics/{topic}", "ackDeadlineSeconds": 600}
            requests.put(f"{self._url}/subscriptions/spy-{topic}", json=body, timeout=60).raise_for_status()

    def messages(self) -> Iterator[str]:
        for topic in TOPICS:
            url = f"{self._url}/subscriptions/spy-{topic}:pull"
            while received := self._pull(url):
                for one in received:
                    message = one["message"]
                    text = base64.b64decode(message.get("data", "")).decode()
                    yield text + json.dumps(message.get("attributes", {}))

    def _pull(self, url: str) -> list[dict[str, Any]]:
        body = {"maxMessages": 1_000, "returnImmediately": True}
        answer = requests.post(url, json=body, timeout=60).json().get("receivedMessages", [])
        if answer:
            acknowledge = {"ackIds": [one["ackId"] for one in answer]}
            requests.post(url.replace(":pull", ":acknowledge"), json=acknowledge, timeout=60)
        return list(answer)


@pytest.fixture(scope="module")
def lived(platform: Platform) -> tuple[list[Person], list[str]]:
    """Five people who signed up, told who they are, agreed and locked a circle, and paid for one cycle."""
    environment = platform.environment()
    spy = Spy(f"127.0.0.1:{platform.ports['pubsub_emulator']}", environment["GOOGLE_CLOUD_PROJECT"])
    client, story = Client(platform.base_url), Story(quiet=True)
    made = circle.start(client, story, members=5, amount_pence=10_000, frequency="weekly")
    for person in made.people:
        assert person.get("/v1/users/me/profile")["full_name"] == circle.profile(person.name)["full_name"]
        person.get("/v1/users/me/export")
    names = [one["name"] for one in made.organiser.get(f"/v1/groups/{made.group}")["members"]]
    assert set(names) == {person.name for person in made.people}  # those who may read them do
    for line in ("Ada's mother is ill", "call me on 07911 123456"):
        made.organiser.post(f"/v1/groups/{made.group}/messages", {"text": line})
    made.live_until(date.fromisoformat(made.cycles[0]["payout_date"]))
    platform.wait_until_idle()
    return made.people, list(spy.messages())


def test_no_document_names_anybody(platform: Platform, lived: tuple[list[Person], list[str]]) -> None:
    people, _ = lived
    host = platform.environment()["FIRESTORE_EMULATOR_HOST"]
    documents = list(every_document(host, platform.environment()["GOOGLE_CLOUD_PROJECT"]))
    kinds = {name.split("/")[-2] for name, _ in documents}
    assert {"users", "profiles", "keys", "names", "members", "journal", "contributions", "messages"} <= kinds
    secrets = secrets_of(people)
    holding = {name: words for name, text in documents if (words := found(secrets, text))}
    assert not holding
    print(f"{len(documents)} documents of {len(kinds)} collections")


def test_whatever_is_kept_has_its_end(platform: Platform, lived: tuple[list[Person], list[str]]) -> None:
    """By the retention table, which names each collection; what is deleted by time says when."""
    host = platform.environment()["FIRESTORE_EMULATOR_HOST"]
    timed = 0
    for name, text in every_document(host, platform.environment()["GOOGLE_CLOUD_PROJECT"]):
        collection = name.split("/")[-2]
        if text == "{}":  # no document: only the parent of some
            continue
        assert collection in RETENTION, name
        if RETENTION[collection].ending == "ttl":
            assert "timestampValue" in json.loads(text)["expires_at"], name
            timed += 1
    assert timed > 20
    print(f"{timed} documents expire")


def test_no_log_line_and_no_message_names_anybody(
    platform: Platform, lived: tuple[list[Person], list[str]]
) -> None:
    people, messages = lived
    secrets = secrets_of(people)
    assert len(messages) > 20
    assert not [message for message in messages if found(secrets, message)]
    lines = (platform.logs / "functions.log").read_text().splitlines()
    assert len(lines) > 100
    assert not [line for line in lines if found(secrets, line)]


def every_document(host: str, project: str) -> Iterator[tuple[str, str]]:
    """Each document's name and its fields as text, as its owner reads the whole database."""
    root = f"http://{host}/v1/projects/{project}/databases/(default)/documents"
    owner = {"Authorization": "Bearer owner"}
    session = requests.Session()

    def below(parent: str) -> Iterator[tuple[str, str]]:
        asked = session.post(f"{parent}:listCollectionIds", json={"pageSize": 300}, headers=owner, timeout=60)
        for collection in asked.json().get("collectionIds", []):
            token = ""
            while True:
                page = session.get(
                    f"{parent}/{collection}",
                    params={"pageSize": "300", "pageToken": token, "showMissing": "true"},
                    headers=owner,
                    timeout=60,
                ).json()
                for document in page.get("documents", []):
                    yield document["name"], json.dumps(document.get("fields", {}), ensure_ascii=False)
                    yield from below(f"{root}/{document['name'].partition('/documents/')[2]}")
                token = page.get("nextPageToken", "")
                if not token:
                    break

    yield from below(root)
    session.close()
