"""Cold starts: each function ÷ a hello world with the same SDKs' clients, process start to first answer.

Both run from a copy that is compiled as the build of a deployment compiles it (infra/decisions/0039): what is
installed is compiled here and there, and what we wrote is, too.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from infra.local import rpc
from infra.local.secret_manager import LocalSecretManager

ROOT = Path(__file__).parents[2]
RUNS = 5
NOWHERE = "127.0.0.1:9"

SOURCE_DATE_EPOCH = "315532800"
"""As scripts/deploy sets it for the build: Python then compiles with hashes, not with dates."""

ENVIRONMENT = {
    "AJO_ENVIRONMENT": "local",
    "GOOGLE_CLOUD_PROJECT": "demo-ajo",
    "AJO_PUBLIC_URL": "http://127.0.0.1:9",
    "AJO_OIDC_AUDIENCE": "ajo",
    "AJO_OIDC_ISSUER": "http://127.0.0.1:9",
    "AJO_OIDC_CERTS_URL": "http://127.0.0.1:9/certs",
    "AJO_INVOKER_EMAIL": "invoker@demo-ajo.test",
    "PUBSUB_EMULATOR_HOST": NOWHERE,
    "FIREBASE_AUTH_EMULATOR_HOST": NOWHERE,
    "AJO_TASKS_HOST": NOWHERE,
    "AJO_STRIPE_API_BASE": "http://127.0.0.1:9",
}
SECRETS = (
    "STRIPE_SECRET_KEY",
    "STRIPE_WEBHOOK_SECRET",
    "STRIPE_CONNECT_WEBHOOK_SECRET",
    "MASTER_KEY",
    "INVITATION_KEY",
)


def import_vs_floor() -> dict[str, dict[str, Any]]:
    """For each function: the ratio, the two times in milliseconds, module count and peak memory."""
    functions = sorted(path.name for path in (ROOT / "functions").iterdir() if (path / "main.py").is_file())
    secrets = LocalSecretManager()
    pinned = {
        f"AJO_SECRET_{name}": secrets.pin("demo-ajo", name.lower().replace("_", "-"), None, bytes(32))
        for name in SECRETS
    }
    with rpc.serving([secrets.service()]) as host, tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, **ENVIRONMENT, **pinned, "AJO_SECRETS_HOST": host}
        build = _built(Path(folder))
        return {name: _compared(name, build, environment) for name in functions}


def _built(folder: Path) -> Path:
    """A copy of the functions, of what they share and of the measuring, compiled as in a deployment."""
    for part in ("functions", "shared", "scripts/benchmarks"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run(
        [sys.executable, "-m", "compileall", "-f", "-q", "."],
        cwd=folder,
        env={**os.environ, "SOURCE_DATE_EPOCH": SOURCE_DATE_EPOCH},
        check=True,
    )
    return folder


def _compared(function: str, build: Path, environment: dict[str, str]) -> dict[str, Any]:
    ours, floors = [], []
    for _ in range(RUNS):
        told = _start("function", function, build, environment)
        ours.append(told)
        floors.append(_start("hello", ",".join(told["sdks"]), build, environment))
    # The shortest of each: what a busy machine adds is never less than nothing.
    ours_ms = min(one["ms"] for one in ours)
    floor_ms = min(one["ms"] for one in floors)
    return {
        "ratio": round(ours_ms / floor_ms, 3),
        "ours_ms": round(ours_ms),
        "floor_ms": round(floor_ms),
        "modules": ours[-1]["modules"],
        "floor_modules": floors[-1]["modules"],
        "peak_mb": ours[-1]["peak_mb"],
        "floor_peak_mb": floors[-1]["peak_mb"],
    }


def _start(what: str, argument: str, build: Path, environment: dict[str, str]) -> dict[str, Any]:
    """One process from its start to its first answer, timed from outside."""
    command = [sys.executable, "-m", "scripts.benchmarks.cold_start", what, argument]
    began = time.perf_counter()
    with subprocess.Popen(
        command, cwd=build, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        lines = iter(process.stdout or ())
        line = next(one for one in lines if one.startswith('{"sdks"'))  # between what the function logs
        ms = (time.perf_counter() - began) * 1000
    told: dict[str, Any] = json.loads(line)
    return told | {"ms": ms}
