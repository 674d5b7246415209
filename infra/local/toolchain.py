"""Find what the emulators need, or fetch it into a cache outside the checkout.

The cache is $AJO_CACHE, or ~/.cache/ajo. Each function returns a path, or raises LocalPlatformError with a
sentence that says what to install.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
from pathlib import Path

from infra.local.process import LocalPlatformError

JAVA_MAJOR_MIN = 17  # the oldest that the two Java emulators were seen to run on


def cache() -> Path:
    """The folder that keeps what was fetched."""
    folder = Path(os.environ.get("AJO_CACHE") or Path.home() / ".cache" / "ajo")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@functools.cache
def sdk_roots() -> tuple[Path, ...]:
    """Where a Google Cloud SDK may stand, likeliest first. Asks gcloud only if the usual places are empty."""
    usual = [
        Path(os.environ.get("CLOUDSDK_ROOT_DIR", "/nonexistent")),
        Path("/usr/lib/google-cloud-sdk"),
        Path("/usr/share/google-cloud-sdk"),
        Path("/opt/google-cloud-sdk"),
        Path.home() / "google-cloud-sdk",
    ]
    found = [root for root in usual if (root / "platform").is_dir()]
    if not found and (gcloud := shutil.which("gcloud")):
        command = [gcloud, "info", "--format=value(installation.sdk_root)"]
        answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        found = [Path(answer.stdout.strip())] if answer.stdout.strip() else []
    return tuple(found)


NO_EMULATORS = (
    "The {what} emulator was not found: install the Google Cloud SDK and run "
    "`gcloud components install {component}`, or install the Debian package "
    "`google-cloud-cli-{package}`, and start again."
)


def firestore_jar() -> Path:
    """The Firestore emulator's jar."""
    for root in sdk_roots():
        jar = root / "platform/cloud-firestore-emulator/cloud-firestore-emulator.jar"
        if jar.is_file():
            return jar
    raise LocalPlatformError(
        NO_EMULATORS.format(
            what="Firestore", component="cloud-firestore-emulator", package="firestore-emulator"
        )
    )


def _java_major(java: str) -> int:
    """Its major version: 17 of 'openjdk version "17.0.15"'; 0 where it does not run."""
    try:
        answer = subprocess.run([java, "-version"], capture_output=True, text=True, check=False, timeout=60)
    except OSError:
        return 0
    found = re.search(r'version "(\d+)', answer.stderr)
    return int(found.group(1)) if found else 0


@functools.cache
def java() -> str:
    """A java that runs the emulators."""
    candidates = [str(Path(os.environ["JAVA_HOME"]) / "bin/java")] if os.environ.get("JAVA_HOME") else []
    candidates += [found] if (found := shutil.which("java")) else []
    for candidate in candidates:
        if _java_major(candidate) >= JAVA_MAJOR_MIN:
            return candidate
    raise LocalPlatformError("Java 17 or newer is missing")
