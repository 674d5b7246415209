"""The functions as they are deployed, over a store in memory and stand-ins for what is outside."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import functions_framework

from shared.adapters.memory_store import MemoryStore
from shared.config import Settings
from shared.domain.errors import AppCheckFailed, BadToken
from shared.ports import (
    Identity,
    IdentitySession,
    Method,
    MethodSetup,
    PublishFailed,
    Recipient,
    StoreUnavailable,
    Write,
)

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
CALLER_TOKEN = "cloud-tasks-and-pubsub"
APP_TOKEN = "our-own-app"
EVENT_TYPE = "google.cloud.pubsub.topic.v1.messagePublished"

SETTINGS = Settings(
    environment="local",
    project="demo-ajo",
    public_url="http://127.0.0.1:1",
    oidc_audiences=("ajo",),
    invoker_emails=("invoker@demo-ajo.test",),
    cors_origins=("https://app.example",),
)


Reply = Any
"""A werkzeug TestResponse. Its types hold that `json` may be None, which each test would have to deny."""


@functools.cache
def app(function: str) -> Any:
    source = str(ROOT / "functions" / function / "main.py")
    return functions_framework.create_app(function, source)  # type: ignore[no-untyped-call]


class CountingStore(MemoryStore):
    """Counts what is asked of it; `down` makes every call fail."""

    def __init__(self) -> None:
        super().__init__()
        self.commits = 0
        self.loads = 0
        self.down = False

    def load(self, *paths: str) -> Any:
        self.loads += 1
        if self.down:
            raise StoreUnavailable
        return super().load(*paths)

    def commit(self, writes: Sequence[Write]) -> None:
        if self.down:
            raise StoreUnavailable
        super().commit(writes)
        self.commits += 1


class People:
    """`IdentityProvider`: the token of a person is their name."""

    def __init__(self) -> None:
        self.known: dict[str, Identity] = {}

    def add(
        self,
        uid: str,
        roles: Sequence[str] = (),
        *,
        second_factor: bool = True,
        email_verified: bool = True,
        signed_in_at: datetime = NOW,
    ) -> str:
        self.known[uid] = Identity(
            uid,
            f"{uid}@example.test",
            email_verified,
            None,
            frozenset(roles),
            signed_in_at,
            second_factor,
        )
        return uid

    def verify(self, token: str) -> Identity:
        if token not in self.known:
            raise BadToken
        return self.known[token]

    def open_session(self, token: str, lifetime_seconds: int) -> str:
        return f"session-of-{self.verify(token).uid}"

    def verify_session(self, session: str) -> Identity:
        return self.verify(session.removeprefix("session-of-"))

    def sign_out_everywhere(self, uid: str) -> None:
        del self.known[uid]

    def remove(self, uid: str) -> None:
        self.known.pop(uid, None)

    def check_app(self, token: str) -> None:
        if token != APP_TOKEN:
            raise AppCheckFailed


class Callers:
    """`CallerCheck`: one token is good."""

    def verify(self, token: str) -> None:
        if token != CALLER_TOKEN:
            raise BadToken


class Topics:
    """`Publisher`: keeps what was published."""

    def __init__(self) -> None:
        self.published: list[tuple[str, dict[str, Any]]] = []
        self.down = False

    def publish(self, topic: str, message: Mapping[str, Any]) -> None:
        if self.down:
            raise PublishFailed
        self.published.append((topic, json.loads(json.dumps(message))))


class Queue:
    """`TaskQueue`: keeps what was queued."""

    def __init__(self) -> None:
        self.tasks: dict[str, Mapping[str, Any]] = {}

    def enqueue(self, name: str, body: Mapping[str, Any], at: datetime | None = None) -> None:
        self.tasks.setdefault(name, body)


class StillClock:
    def now(self) -> datetime:
        return NOW

    def wall(self) -> datetime:
        return NOW


class CountingChance:
    """Tokens that differ, and no waiting."""

    def __init__(self) -> None:
        self.made = 0

    def token(self, bytes_count: int) -> bytes:
        self.made += 1
        return hashlib.shake_128(str(self.made).encode()).digest(bytes_count)

    def jitter_seconds(self, at_most: float) -> float:
        return 0

    def pause(self, seconds: float) -> None:
        return None


class KnownSecrets:
    def __init__(self) -> None:
        self.values: dict[str, list[bytes]] = {"master-key": [bytes(range(32))]}

    def current(self, name: str) -> bytes:
        return self.accepted(name)[0]

    def accepted(self, name: str) -> list[bytes]:
        return self.values.get(name, [f"secret-of-{name}".encode()])


class SettingUp:
    """The part of `PaymentGateway` that people touch: payers, methods, accounts. All goes well."""

    name = "stripe"

    def open_payer(self, uid: str, email: str | None) -> str:
        return f"cus_{uid}"

    def start_method_setup(self, uid: str, payer: str, kind: Any, return_url: str) -> MethodSetup:
        return MethodSetup(f"seti_{uid}", "open", "secret", f"{return_url}?at=stripe", None, {"uid": uid})

    def method_setup(self, reference: str) -> MethodSetup:
        uid = reference.removeprefix("seti_")
        return MethodSetup(reference, "complete", None, None, self._method(f"pm_{uid}", uid), {"uid": uid})

    def attach_method(self, uid: str, payer: str, method: str, key: str) -> MethodSetup:
        return MethodSetup("seti_x", "complete", None, None, self._method(method, uid), {"uid": uid})

    def open_recipient(self, uid: str, email: str | None) -> Recipient:
        return self.recipient(f"acct_{uid}")

    def recipient(self, reference: str) -> Recipient:
        uid = reference.removeprefix("acct_")
        return Recipient(reference, True, True, (), None, f"bank_{uid}", False, {"uid": uid})

    def start_identity_check(self, uid: str, return_url: str, key: str) -> IdentitySession:
        return self.identity_check(f"vs_{uid}")

    def identity_check(self, reference: str) -> IdentitySession:
        labels = {"uid": reference.removeprefix("vs_")}
        return IdentitySession(reference, "open", f"https://verify.example/{reference}", False, labels)

    def methods(self, payer: str) -> list[Method]:
        return [self._method("pm_theirs", payer.removeprefix("cus_"))]

    def detach_method(self, reference: str) -> None:
        return None

    def onboarding_url(self, recipient: str, return_url: str, refresh_url: str) -> str:
        return f"https://connect.example/{recipient}"

    def _method(self, reference: str, uid: str) -> Method:
        return Method(reference, f"cus_{uid}", "card", "active", "Visa •••• 4242", None, "2030-01")


@dataclass
class Platform:
    """Every function, and what stands behind them."""

    store: CountingStore = field(default_factory=CountingStore)
    people: People = field(default_factory=People)
    topics: Topics = field(default_factory=Topics)
    queue: Queue = field(default_factory=Queue)
    secrets: KnownSecrets = field(default_factory=KnownSecrets)
    gateway: Any = field(default_factory=SettingUp)
    _keys: int = 0

    def parts(self) -> dict[str, Any]:
        return {
            "settings": SETTINGS,
            "store": self.store,
            "identity_provider": self.people,
            "caller_check": Callers(),
            "publisher": self.topics,
            "tasks": self.queue,
            "clock": StillClock(),
            "chance": CountingChance(),
            "secrets": self.secrets,
            "gateway": self.gateway,
        }

    def client(self, function: str) -> Any:
        return app(function).test_client()

    def get(self, path: str, who: str | None = None, **headers: str) -> Reply:
        return self.client(function_of(path)).get(path, headers=_bearer(who) | _named(headers))

    def post(
        self, path: str, body: Any = None, who: str | None = None, key: str | None = None, **headers: str
    ) -> Reply:
        """A POST of JSON with an Idempotency-Key of its own, unless one is given."""
        self._keys += 1
        given = {"Idempotency-Key": key or f"key-{self._keys:08}"} | _bearer(who) | _named(headers)
        return self.client(function_of(path)).post(path, json={} if body is None else body, headers=given)

    def push(self, function: str, data: Any = None, token: str | None = CALLER_TOKEN) -> Reply:
        """One Pub/Sub message, as Eventarc delivers it to a deployed function."""
        text = "" if data is None else base64.b64encode(json.dumps(data).encode()).decode()
        return self.push_envelope(function, {"message": {"data": text, "messageId": "m1"}}, token)

    def push_envelope(self, function: str, envelope: Any, token: str | None = CALLER_TOKEN) -> Reply:
        headers = {
            "ce-id": "m1",
            "ce-source": "//pubsub.googleapis.com/projects/demo-ajo/topics/t",
            "ce-specversion": "1.0",
            "ce-type": EVENT_TYPE,
        }
        return self.client(function).post("/", json=envelope, headers=headers | _bearer(token))


def function_of(path: str) -> str:
    """Which function serves a path of the API."""
    if not path.startswith("/v1/"):
        return "users"  # what every function answers, as /healthz
    area = path.split("/")[2].partition("?")[0]
    return area if area in {"users", "groups", "assessments"} else "payments"


def _bearer(token: str | None) -> dict[str, str]:
    return {} if token is None else {"Authorization": f"Bearer {token}"}


def _named(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
