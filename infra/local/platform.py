"""The whole platform on this machine, as a context manager: for scripts/run, the demo, and a test session.

    with Platform() as platform:
        requests.get(f"{platform.base_url}/v1/groups")
        platform.advance(days=4)          # answers when all that this set off has ended
        platform.fire("collect-contributions")

It starts the emulators, the local Stripe and the host of the functions side by side, tells the functions of
them by environment variables, and ends them all when the block ends, or when its process does.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any

from infra.local.emulators import HOST, PROJECT, auth_emulator, firestore_emulator, pubsub_emulator
from infra.local.process import (
    LocalPlatformError,
    answers_http,
    answers_tcp,
    free_ports,
    require_free,
    running,
)
from infra.local.secret_manager import LocalSecretManager

ROOT = Path(__file__).resolve().parents[2]
REGION = "europe-west2"
TASKS_QUEUE = "submit"
INVOKER_EMAIL = f"invoker@{PROJECT}.iam.gserviceaccount.com"
MAIL_FROM = "ajo@example.com"
CALL_SECONDS_MAX = 600.0
CAPITAL_PENCE = 1_000_000  # bears the fees of some two hundred circles of 5 × £100


@dataclass(frozen=True, slots=True)
class Login:
    """An account that one can sign in with."""

    role: str
    email: str
    password: str


class Platform:
    """Addresses are attributes: `base_url`, and `ports` by part. Once it is entered, `logs` is the folder of
    the parts' logs, and `is_fresh` says whether nothing was stored before."""

    def __init__(
        self,
        port: int | None = None,
        *,
        functions: Path = ROOT / "functions",
        firebase_json: Path = ROOT / "firebase.json",
        schedule: Path = ROOT / "infra/schedule.json",
        keep_data: Path | None = None,
        stripe_key: str | None = None,
        ticks: bool = True,
    ) -> None:
        """`port` is the gateway's; the others take free ones. With `keep_data`, a folder, everything that is
        stored is there when the next run begins. With a `stripe_key` of Stripe's test mode no local Stripe
        is started. Without `ticks` jobs fire only by `fire` and `advance`.
        """
        if stripe_key is not None and not stripe_key.startswith(("sk_test_", "rk_test_")):
            raise LocalPlatformError("STRIPE_SECRET_KEY must be a key of Stripe's test mode: sk_test_…")
        self._functions = functions
        self._firebase_json = firebase_json
        self._schedule = schedule
        self._keep_data = keep_data.resolve() if keep_data else None
        self._stripe_key = stripe_key
        self._ticks = ticks
        self._stack = contextlib.ExitStack()
        self._pinned: dict[str, str] = {}
        self._secrets: dict[str, str] = {}
        parts = ["gateway", "control", "firestore", "auth", "pubsub", "pubsub_emulator", "tasks", "smtp"]
        parts += [] if stripe_key else ["stripe"]
        self.ports = dict(zip(parts, free_ports(len(parts)), strict=True))
        if port is not None:
            self.ports["gateway"] = port

    @property
    def base_url(self) -> str:
        """Of the gateway, without a slash at its end."""
        return f"http://{HOST}:{self.ports['gateway']}"

    def environment(self) -> dict[str, str]:
        """What `shared.config.Settings` reads, and Google's own clients."""
        control = f"http://{HOST}:{self.ports['control']}"
        environment = {
            "AJO_ENVIRONMENT": "local",
            "GOOGLE_CLOUD_PROJECT": PROJECT,
            "AJO_REGION": REGION,
            "AJO_PUBLIC_URL": self.base_url,
            "AJO_CLOCK_FILE": str(self._data / "clock"),
            "AJO_ANCHORS": str(self._data / "anchors"),
            "FIRESTORE_EMULATOR_HOST": f"{HOST}:{self.ports['firestore']}",
            "FIREBASE_AUTH_EMULATOR_HOST": f"{HOST}:{self.ports['auth']}",
            "PUBSUB_EMULATOR_HOST": f"{HOST}:{self.ports['pubsub']}",
            "AJO_TASKS_HOST": f"{HOST}:{self.ports['tasks']}",
            "AJO_TASKS_QUEUE": TASKS_QUEUE,
            "AJO_SECRETS_HOST": f"{HOST}:{self.ports['tasks']}",
            "AJO_SMTP_HOST": f"{HOST}:{self.ports['smtp']}",
            "AJO_MAIL_FROM": MAIL_FROM,
            "AJO_OIDC_ISSUER": control,
            "AJO_OIDC_CERTS_URL": f"{control}/_local/certs",
            "AJO_OIDC_AUDIENCE": f"{self.base_url}/_internal",
            "AJO_INVOKER_EMAIL": INVOKER_EMAIL,
            "AJO_STAFF_SECOND_FACTOR": "false",  # nobody here has a phone that gets a code
        }
        if "stripe" in self.ports:
            environment["AJO_STRIPE_API_BASE"] = f"http://{HOST}:{self.ports['stripe']}"
        for name, version in self._pinned.items():
            environment[f"AJO_SECRET_{name.upper().replace('-', '_')}"] = version
        return environment

    # --- starting and ending -----------------------------------------------------------------------------

    def __enter__(self) -> Platform:
        with contextlib.ExitStack() as stack:
            require_free(self.ports["gateway"], "the gateway")
            self._data = self._keep_data or Path(
                stack.enter_context(tempfile.TemporaryDirectory(prefix="ajo-"))
            )
            self.is_fresh = not (self._data / "secrets.json").exists()
            self.logs = self._data / "logs"
            self.logs.mkdir(parents=True, exist_ok=True)
            self._make_secrets()
            # Ended in the reverse order: first who writes, last what is written to.
            is_new = not (self._data / "stripe.json").exists()
            _enter_together(stack, [*self._emulators(), *self._local_stripe(), self._host()])
            if "stripe" in self.ports and is_new:
                self._put_in_capital()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def fallen(self) -> list[str]:
        """The parts that no longer answer."""
        return [part for part, port in self.ports.items() if not answers_tcp(port)]

    def _make_secrets(self) -> None:
        """Random values for a new platform, those of before for a kept one; Stripe's as they were given."""
        local = LocalSecretManager(self._data / "secrets.json")
        given: dict[str, bytes | None] = {
            "stripe-secret-key": (self._stripe_key or "sk_test_local").encode(),
            "stripe-webhook-secret": _of_environment("STRIPE_WEBHOOK_SECRET"),
            "stripe-connect-webhook-secret": _of_environment("STRIPE_CONNECT_WEBHOOK_SECRET"),
            "master-key": None,
            "invitation-key": None,
            "fingerprint-key": None,
            "session-key": None,
        }
        for name, value in given.items():
            random = (
                f"whsec_{secrets.token_hex(24)}".encode() if "webhook" in name else secrets.token_bytes(32)
            )
            self._pinned[name] = local.pin(PROJECT, name, value, random)
            self._secrets[name] = local.value(self._pinned[name]).decode(errors="replace")

    def _emulators(self) -> list[AbstractContextManager[object]]:
        rules = ROOT / "infra/firestore.rules"
        keep = self._keep_data
        return [
            firestore_emulator(
                self.ports["firestore"],
                rules=rules if rules.is_file() else None,
                keep=keep / "firestore" if keep else None,
            ),
            auth_emulator(self.ports["auth"], keep=keep / "accounts.json" if keep else None),
            pubsub_emulator(self.ports["pubsub_emulator"]),
        ]

    def _local_stripe(self) -> list[AbstractContextManager[object]]:
        if "stripe" not in self.ports:
            return []
        port = self.ports["stripe"]
        command = [sys.executable, "-m", "infra.local.stripe", f"--port={port}"]
        command += [f"--platform-webhook={self.base_url}/webhooks/stripe/platform"]
        command += [f"--connect-webhook={self.base_url}/webhooks/stripe/connect"]
        command += [f"--platform-secret={self._secrets['stripe-webhook-secret']}"]
        command += [f"--connect-secret={self._secrets['stripe-connect-webhook-secret']}"]
        command += [f"--clock-file={self._data / 'clock'}"]
        command += [f"--state-file={self._data / 'stripe.json'}"] if self._keep_data else []
        return [self._program("The local Stripe", "stripe", command, f"http://{HOST}:{port}/_control/idle")]

    def _put_in_capital(self) -> None:
        """The house's own money at Stripe, out of which it bears the fees, as its owners would pay it in."""
        form = urllib.parse.urlencode({"amount": CAPITAL_PENCE, "currency": "gbp"}).encode()
        request = urllib.request.Request(
            f"http://{HOST}:{self.ports['stripe']}/v1/topups",
            data=form,
            headers={"Authorization": "Bearer sk_test_local", "Idempotency-Key": "capital"},
        )
        with urllib.request.urlopen(request, timeout=CALL_SECONDS_MAX):
            pass

    def _host(self) -> AbstractContextManager[object]:
        control = self.ports["control"]
        command = [sys.executable, "-m", "infra.local.host"]
        command += [f"--port={self.ports['gateway']}", f"--control-port={control}"]
        command += [f"--functions={self._functions}", f"--firebase-json={self._firebase_json}"]
        command += [f"--schedule={self._schedule}", f"--secrets={self._data / 'secrets.json'}"]
        command += [f"--pubsub-emulator={HOST}:{self.ports['pubsub_emulator']}"]
        command += [] if self._ticks else ["--no-ticks"]
        return self._program("The gateway", "functions", command, f"http://{HOST}:{control}/healthz")

    def _program(
        self, what: str, log: str, command: Sequence[str], url: str
    ) -> AbstractContextManager[object]:
        environment = {**self.environment(), "PYTHONPATH": str(ROOT)}
        return running(what, command, lambda: answers_http(url), environment, self.logs / f"{log}.log")

    # --- driving it --------------------------------------------------------------------------------------

    def now(self) -> datetime:
        """The platform's time."""
        return datetime.fromisoformat(self._local("clock")["now"])

    def advance(self, *, walk: bool = False, **span: float) -> dict[str, Any]:
        """Move the clock by a span (days=, hours= …) and wait until the platform is idle again.

        Answers {"now", "offset_seconds", "ticks"}. With `walk` it stops at each due time on the way.
        """
        seconds = int(timedelta(**span).total_seconds())
        return self._local("clock", {"advance_seconds": seconds, "walk": walk})

    def advance_to(self, moment: datetime, *, walk: bool = False) -> dict[str, Any]:
        """The same, to a moment."""
        return self._local("clock", {"to": moment.isoformat(), "walk": walk})

    def fire(self, job: str) -> None:
        """Fire a job of the schedule now, and wait until the platform is idle."""
        self._local("tick", {"job": job})

    def wait_until_idle(self, seconds: float = 120) -> None:
        """Raises LocalPlatformError with what is still under way after that time."""
        self._local(f"idle?wait_seconds={seconds}")

    def _local(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        request = urllib.request.Request(
            f"http://{HOST}:{self.ports['control']}/_local/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=CALL_SECONDS_MAX) as response:
                answer: dict[str, Any] = json.load(response)
                return answer
        except urllib.error.HTTPError as refusal:
            with refusal:
                raise LocalPlatformError(json.load(refusal)["detail"]) from None


def _of_environment(name: str) -> bytes | None:
    return os.environ[name].encode() if os.environ.get(name) else None


def _enter_together(stack: contextlib.ExitStack, parts: Sequence[AbstractContextManager[object]]) -> None:
    """Enter them side by side, to be left one by one. If one fails, so does this, and the others are left."""
    starts = []
    try:
        with ThreadPoolExecutor(len(parts)) as pool:
            starts += [pool.submit(part.__enter__) for part in parts]
    finally:  # Ctrl-C may come here, too
        for part, start in zip(parts, starts, strict=False):
            if start.done() and not start.exception():
                stack.push(part)
    if failures := [error for start in starts if (error := start.exception())]:
        raise failures[0]
