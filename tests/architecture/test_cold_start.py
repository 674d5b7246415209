"""What importing a function loads: no SDK, no use case, no client. The request that needs one loads it.

functions-framework imports a main.py before gunicorn forks, and gRPC does not survive a fork; and every
module that is not loaded is a shorter cold start.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.architecture.source import FUNCTIONS, ROOT

IMPORT = """
import json, sys, threading
from functions_framework import create_app
create_app(sys.argv[1], f"functions/{sys.argv[1]}/main.py")
from shared import bootstrap
print(json.dumps([sorted(sys.modules), sorted(bootstrap._parts), threading.active_count()]))
"""

HEAVY = (
    "google.cloud.firestore",
    "google.cloud.pubsub",
    "google.pubsub",
    "google.cloud.tasks",
    "google.cloud.secretmanager",
    "google.auth",
    "google.api_core",
    "firebase_admin",
    "stripe",
    "grpc",
    "requests",
    "holidays",
    "limits",
    "sklearn",
    "numpy",
    "shared.adapters",
    "shared.services.",
)
LIGHT = {"shared.services.context"}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_importing_a_function_loads_nothing_heavy_and_makes_nothing(function: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORT, function], cwd=ROOT, stdout=subprocess.PIPE, check=True, timeout=60
    )
    modules, parts, threads = json.loads(done.stdout.splitlines()[-1])
    assert not {name for name in modules if name.startswith(HEAVY)} - LIGHT
    assert parts == []
    assert threads == 1
