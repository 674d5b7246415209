"""`scripts/_setup`: a venv from nothing but Python, made once."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from infra.local.platform import ROOT


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with the script and a package of its own, so that nothing but pip is downloaded."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts/_setup", tmp_path / "scripts")
    (tmp_path / "requirements.txt").write_text("")
    (tmp_path / "more.txt").write_text("")
    return tmp_path


def setup(checkout: Path, *files: str) -> subprocess.CompletedProcess[str]:
    command = ["python3", str(checkout / "scripts/_setup"), *files]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_it_makes_a_venv_once_and_is_silent_where_nothing_changed(checkout: Path) -> None:
    assert "Making .venv" in setup(checkout, "requirements.txt").stderr
    assert (checkout / ".venv/bin/python").exists()
    assert setup(checkout, "requirements.txt").stderr == ""

    assert "Installing more.txt, requirements.txt" in setup(checkout, "more.txt").stderr
    assert setup(checkout, "requirements.txt", "more.txt").stderr == ""

    (checkout / "requirements.txt").write_text("# changed\n")
    assert "Installing requirements.txt, more.txt" in setup(checkout, "requirements.txt").stderr
    assert setup(checkout, "more.txt").stderr == ""


def test_what_fails_is_a_sentence_and_is_tried_again(checkout: Path) -> None:
    (checkout / "requirements.txt").write_text("./no-such-package\n")
    for _ in range(2):
        answer = setup(checkout, "requirements.txt")
        assert answer.returncode == 1
        assert "The packages could not be installed" in answer.stderr
        assert "Traceback" not in answer.stderr


def test_a_missing_file_is_a_sentence(checkout: Path) -> None:
    answer = setup(checkout, "none.txt")
    assert answer.returncode == 1
    assert answer.stderr == "There is no none.txt: the checkout is not whole.\n"
