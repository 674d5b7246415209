"""Google's emulators for Firestore, Pub/Sub and Firebase Auth, one context manager each.

Each yields "host:port" once it answers, and leaves no process when the block ends or its process is killed.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from infra.local import toolchain
from infra.local.process import answers_http, free_port, require_free, running

HOST = "127.0.0.1"
PROJECT = "demo-ajo"  # Google's tools never call the real services for a project called demo-…
# Emulators live for minutes: a cheap collector and no second compiler bring them up a quarter sooner.
JVM_FLAGS = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Duser.language=en")
FIRESTORE_MAIN = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"
EXPORT_NAME = "kept"


@contextlib.contextmanager
def firestore_emulator(
    port: int | None = None, rules: Path | None = None, keep: Path | None = None
) -> Iterator[str]:
    """Firestore, with security rules where given. Clients find it by FIRESTORE_EMULATOR_HOST.

    It begins empty, or with the export that the folder `keep` holds, and exports PROJECT's documents there
    when the block ends. The emulator's own --export-on-exit writes nothing.
    """
    port = _port_for(port, "the Firestore emulator")
    flags = [f"--rules={rules}"] if rules else []
    export = keep / EXPORT_NAME / f"{EXPORT_NAME}.overall_export_metadata" if keep else None
    if export and export.is_file():
        flags.append(f"--import-data={export}")
    classes = ["-cp", str(toolchain.firestore_jar()), FIRESTORE_MAIN]
    with _java("The Firestore emulator", [*classes, *flags], port) as host:
        yield host
        if keep:
            _export_firestore(host, keep)


@contextlib.contextmanager
def pubsub_emulator(port: int | None = None) -> Iterator[str]:
    """Pub/Sub, empty. Clients find it by PUBSUB_EMULATOR_HOST."""
    port = _port_for(port, "the Pub/Sub emulator")
    with _java("The Pub/Sub emulator", ["-jar", str(toolchain.pubsub_jar())], port) as host:
        yield host


@contextlib.contextmanager
def auth_emulator(port: int | None = None, project: str = PROJECT, keep: Path | None = None) -> Iterator[str]:
    """Firebase Auth. Clients find it by FIREBASE_AUTH_EMULATOR_HOST. Needs Node, no Java.

    It begins with the accounts that the file `keep` holds, and writes them there when the block ends.
    """
    port = _port_for(port, "the Firebase Auth emulator")
    script = toolchain.FIREBASE_TOOLS / "auth.js"
    command = [toolchain.node(), str(script), str(toolchain.firebase_tools()), project, str(port)]
    accounts = f"http://{HOST}:{port}/identitytoolkit.googleapis.com/v1/projects/{project}/accounts"
    with running("The Firebase Auth emulator", command, lambda: answers_http(f"http://{HOST}:{port}/")):
        if keep and keep.is_file() and (users := json.loads(keep.read_text())):
            _call(f"{accounts}:batchCreate", {"users": users, "allowOverwrite": True})
        yield f"{HOST}:{port}"
        if keep:
            keep.write_text(json.dumps(_call(f"{accounts}:batchGet?maxResults=-1").get("users", [])))


def _port_for(port: int | None, what: str) -> int:
    if port is None:
        return free_port()
    require_free(port, what)
    return port


@contextlib.contextmanager
def _java(what: str, arguments: Sequence[str], port: int) -> Iterator[str]:
    command = [toolchain.java(), *JVM_FLAGS, *arguments, f"--host={HOST}", f"--port={port}"]
    with running(what, command, lambda: answers_http(f"http://{HOST}:{port}/")):
        yield f"{HOST}:{port}"


def _export_firestore(host: str, folder: Path) -> None:
    """The emulator refuses a folder that holds an export, so the new one takes the old one's place."""
    fresh = folder.with_suffix(".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    _call(
        f"http://{host}/emulator/v1/projects/{PROJECT}:export",
        {
            "database": f"projects/{PROJECT}/databases/(default)",
            "export_directory": str(fresh.resolve()),
            "export_name": EXPORT_NAME,
        },
    )
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)


def _call(url: str, body: Any = None) -> Any:
    """GET, or POST where there is a body, as the emulators' owner."""
    request = urllib.request.Request(
        url,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": "Bearer owner", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=120) as response:
        return json.load(response)
