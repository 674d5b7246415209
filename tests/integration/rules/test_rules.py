"""The security rules on the emulator: every collection × everybody × reads and writes; leaking queries."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests

ROOT = Path(__file__).parents[3]
RULES = ROOT / "infra/firestore.rules"

ADA, BEN, EVE, REMOVED, SUPPORT = "ada", "ben", "eve", "rema", "sam"
CIRCLE, OTHER_CIRCLE = "grp_1", "grp_2"

DOCUMENTS: dict[str, dict[str, Any]] = {
    f"users/{ADA}": {"uid": ADA},
    f"profiles/{ADA}": {"uid": ADA, "sealed": "v1.1.x"},
    f"payment_methods/{ADA}": {"uid": ADA},
    f"traces/{ADA}": {"uid": ADA},
    f"consents/{ADA}": {"uid": ADA},
    f"reach/{ADA}": {"uid": ADA},
    f"keys/{ADA}": {"owner": ADA},
    f"commitments/{ADA}": {"uid": ADA},
    f"notifications/{ADA}/items/ntf_1": {"uid": ADA},
    f"assessments/{ADA}": {"uid": ADA},
    f"financial_health/{ADA}": {"uid": ADA},
    f"fraud/{ADA}": {"uid": ADA},
    f"evidence/{ADA}": {"uid": ADA, "sealed": "v1.1.x"},
    "reviews/rev_1": {"uid": ADA},
    "invitations/abc": {"group": CIRCLE, "invited_by": ADA},
    "idempotency/abc": {"answer": "{}"},
    "limits/abc": {"tries": 1},
    "quarantine/abc": {"kind": "event"},
    "approvals/apr_1": {"group": CIRCLE, "asked_by": ADA},
    "access/acc_1": {"staff": SUPPORT, "about": CIRCLE},
    f"groups/{CIRCLE}": {"organiser": ADA, "state": "active"},
    f"groups/{CIRCLE}/members/{ADA}": {"uid": ADA, "state": "active"},
    f"groups/{CIRCLE}/members/{BEN}": {"uid": BEN, "state": "active"},
    f"groups/{CIRCLE}/members/{REMOVED}": {"uid": REMOVED, "state": "removed"},
    f"groups/{CIRCLE}/names/{ADA}": {"uid": ADA, "sealed": "v1.1.x"},
    f"groups/{CIRCLE}/contributions/con_a": {"uid": ADA, "due_date": "2027-01-04"},
    f"groups/{CIRCLE}/contributions/con_b": {"uid": BEN, "due_date": "2027-01-04"},
    f"groups/{CIRCLE}/payouts/pay_a": {"recipient": ADA},
    f"groups/{CIRCLE}/payouts/pay_b": {"recipient": BEN},
    f"groups/{CIRCLE}/ledger/balances": {"debits": {}},
    f"groups/{CIRCLE}/journal/group_created": {"actor": ADA},
    f"groups/{CIRCLE}/audit/000000001": {"fact": "group_created"},
    f"groups/{CIRCLE}/audit_head/head": {"seq": 1},
    f"groups/{CIRCLE}/progress/current": {"paid": 3},
    f"groups/{CIRCLE}/messages/msg_1": {"uid": ADA, "sealed": "v1.1.x"},
    f"groups/{CIRCLE}/chats/{ADA}": {"uid": ADA},
    f"groups/{CIRCLE}/disputes/dsp_1": {"raised_by": ADA},
    f"groups/{CIRCLE}/draw/seed": {"seed": "00"},
    f"groups/{OTHER_CIRCLE}/progress/current": {"paid": 1},
}
"""One document of every collection that the code knows, and a little of other people's."""

READABLE = {
    f"groups/{CIRCLE}/contributions/con_a": {ADA},
    f"groups/{CIRCLE}/contributions/con_b": {BEN},
    f"groups/{CIRCLE}/payouts/pay_a": {ADA},
    f"groups/{CIRCLE}/payouts/pay_b": {BEN},
    f"groups/{CIRCLE}/progress/current": {ADA, BEN},
    f"notifications/{ADA}/items/ntf_1": {ADA},
}
"""Who reads what; nobody reads anything else."""

EVERYBODY = [None, ADA, BEN, EVE, REMOVED, SUPPORT]


class Firestore:
    """The emulator's REST interface: as its owner, and as anybody with an unsigned token."""

    def __init__(self, host: str, project: str) -> None:
        self.documents = f"http://{host}/v1/projects/{project}/databases/(default)/documents"
        self.session = requests.Session()

    def get(self, path: str, who: str | None) -> int:
        return self.session.get(f"{self.documents}/{path}", headers=bearer(who)).status_code

    def write(self, method: str, path: str, who: str | None) -> int:
        body = {"fields": {"uid": {"stringValue": who or "nobody"}}}
        return self.session.request(
            method, f"{self.documents}/{path}", json=body, headers=bearer(who)
        ).status_code

    def query(
        self, collection: str, who: str | None, under: str = "", group: bool = False, **where: str
    ) -> int:
        """The status of a query, each filter an equality."""
        filters = [
            {"fieldFilter": {"field": {"fieldPath": name}, "op": "EQUAL", "value": {"stringValue": value}}}
            for name, value in where.items()
        ]
        query: dict[str, Any] = {"from": [{"collectionId": collection, "allDescendants": group}]}
        if filters:
            query["where"] = {"compositeFilter": {"op": "AND", "filters": filters}}
        return self.ask(query, who, under)

    def ask(self, query: dict[str, Any], who: str | None, under: str = "") -> int:
        url = f"{self.documents}/{under}:runQuery" if under else f"{self.documents}:runQuery"
        return self.session.post(url, json={"structuredQuery": query}, headers=bearer(who)).status_code


def bearer(who: str | None) -> dict[str, str]:
    """An ID token as the emulator takes it: unsigned. Staff carry the claim of every role there is."""
    if who is None:
        return {}
    claims: dict[str, Any] = {"sub": who, "user_id": who, "aud": "any", "iss": "any", "iat": 1, "exp": 2**33}
    if who == SUPPORT:
        claims["roles"] = ["support", "finance", "admin", "auditor"]
    parts = [{"alg": "none", "typ": "JWT"}, claims]
    text = ".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts
    )
    return {"Authorization": f"Bearer {text}."}


@pytest.fixture(scope="module")
def store(firestore_emulator: str) -> Iterator[Firestore]:
    """A project of its own on the session's emulator, under our rules, with the documents above."""
    project = f"demo-rules-{uuid4().hex[:8]}"
    rules = {"rules": {"files": [{"name": "firestore.rules", "content": RULES.read_text()}]}}
    url = f"http://{firestore_emulator}/emulator/v1/projects/{project}:securityRules"
    answer = requests.put(url, json=rules, timeout=60)
    assert answer.status_code == 200, answer.text
    made = Firestore(firestore_emulator, project)
    owner = {"Authorization": "Bearer owner"}
    for path, data in DOCUMENTS.items():
        fields = {name: {"stringValue": str(value)} for name, value in data.items()}
        made.session.patch(
            f"{made.documents}/{path}", json={"fields": fields}, headers=owner
        ).raise_for_status()
    yield made
    made.session.close()


def test_every_collection_of_the_code_stands_here() -> None:
    files = [path for part in ("domain", "services") for path in (ROOT / "shared" / part).rglob("*.py")]
    source = "\n".join(path.read_text() for path in files)
    top = set(re.findall(r'f"([a-z_]+)/\{[^"/]+\}"', source))
    top |= set(re.findall(r'f"(idempotency|quarantine|limits)/', source))
    below = set(re.findall(r'f"groups/\{[^}]+\}/([a-z_]+)/?', source))
    known_top = {path.split("/")[0] for path in DOCUMENTS}
    known_below = {
        path.split("/")[2] for path in DOCUMENTS if path.startswith("groups/") and path.count("/") > 1
    }
    assert top - known_top == set()
    assert below - known_below == set()


@pytest.mark.parametrize("who", EVERYBODY, ids=str)
def test_reading_one_document(store: Firestore, who: str | None) -> None:
    for path in DOCUMENTS:
        expected = 200 if who in READABLE.get(path, ()) else 403
        assert store.get(path, who) == expected, (path, who)


@pytest.mark.parametrize("who", EVERYBODY, ids=str)
def test_nobody_writes_anything(store: Firestore, who: str | None) -> None:
    for path in DOCUMENTS:
        parent, _, _ = path.rpartition("/")
        writes = [("PATCH", path), ("DELETE", path), ("PATCH", f"{parent}/new"), ("PATCH", f"{parent}/{who}")]
        for method, target in writes:
            assert store.write(method, target, who) == 403, (method, target, who)


@pytest.mark.parametrize("who", EVERYBODY, ids=str)
def test_listing_a_collection_gives_nothing_away(store: Firestore, who: str | None) -> None:
    for path in DOCUMENTS:
        *under, collection, _ = path.split("/")
        parent = "/".join(under)
        own = collection == "items" and who == ADA
        own |= collection == "progress" and parent.endswith(CIRCLE) and who in {ADA, BEN}
        assert store.query(collection, who, parent) == (200 if own else 403), (path, who)
        assert store.query(collection, who, group=True) == 403, (path, who)


def test_ones_own_lists(store: Firestore) -> None:
    circle = f"groups/{CIRCLE}"
    assert store.query("contributions", ADA, circle, uid=ADA) == 200
    assert store.query("contributions", ADA, group=True, uid=ADA) == 200
    assert store.query("payouts", ADA, circle, recipient=ADA) == 200
    assert store.query("payouts", ADA, group=True, recipient=ADA) == 200


@pytest.mark.parametrize("who", [None, BEN, EVE, REMOVED, SUPPORT], ids=str)
def test_nobody_lists_what_is_adas(store: Firestore, who: str | None) -> None:
    circle = f"groups/{CIRCLE}"
    assert store.query("contributions", who, circle, uid=ADA) == 403
    assert store.query("contributions", who, group=True, uid=ADA) == 403
    assert store.query("payouts", who, circle, recipient=ADA) == 403
    assert store.query("payouts", who, group=True, recipient=ADA) == 403
    assert store.query("items", who, f"notifications/{ADA}") == 403
    assert store.query("items", who, group=True, uid=ADA) == 403


def test_a_filter_that_also_lets_others_in_fails(store: Firestore) -> None:
    """Rules are no filters: a query passes whole or not at all."""
    ways = [
        {"op": "IN", "value": {"arrayValue": {"values": [{"stringValue": ADA}, {"stringValue": BEN}]}}},
        {"op": "GREATER_THAN_OR_EQUAL", "value": {"stringValue": ADA}},
        {"op": "NOT_EQUAL", "value": {"stringValue": EVE}},
    ]
    for way in ways:
        query = {
            "from": [{"collectionId": "contributions", "allDescendants": True}],
            "where": {"fieldFilter": {"field": {"fieldPath": "uid"}, **way}},
        }
        assert store.ask(query, ADA) == 403, way
    ordered = {
        "from": [{"collectionId": "contributions", "allDescendants": True}],
        "orderBy": [{"field": {"fieldPath": "due_date"}}],
        "limit": 1,
    }
    assert store.ask(ordered, ADA) == 403


def test_what_is_not_there_is_not_told_from_what_is_not_yours(store: Firestore) -> None:
    for who in (EVE, SUPPORT):
        for path in (f"groups/{CIRCLE}/contributions/con_none", "groups/grp_none/progress/current"):
            assert store.get(path, who) == 403


def test_who_is_removed_sees_nothing_more_at_once(store: Firestore) -> None:
    """By the membership document, not by a token: the token of a removed member is good for an hour."""
    path, seat = f"groups/{CIRCLE}/progress/current", f"groups/{CIRCLE}/members/{BEN}"
    owner = {"Authorization": "Bearer owner"}
    assert store.get(path, BEN) == 200
    try:
        for state, status in (("removed", 403), ("left", 403), ("requested", 403), ("active", 200)):
            fields = {"uid": {"stringValue": BEN}, "state": {"stringValue": state}}
            store.session.patch(f"{store.documents}/{seat}", json={"fields": fields}, headers=owner)
            assert store.get(path, BEN) == status, state
    finally:
        fields = {"uid": {"stringValue": BEN}, "state": {"stringValue": "active"}}
        store.session.patch(f"{store.documents}/{seat}", json={"fields": fields}, headers=owner)
