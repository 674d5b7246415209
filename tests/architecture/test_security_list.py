"""The security list names tests that exist (infra/decisions/0022)."""

from __future__ import annotations

import re

from tests.architecture.source import ROOT

LIST = ROOT / "infra/decisions/0022-security-list.md"


WANTED = {
    *(f"API{number}" for number in range(1, 11)),
    *("2.3.1", "2.3.2", "2.3.3", "2.3.4", "2.3.5", "8.2.1", "8.2.2", "8.2.3", "8.2.4"),
    *("9.2.1", "9.2.2", "9.2.3", "9.2.4", "15.4.1", "15.4.2", "15.4.3", "15.4.4"),
    *("16.4.1", "16.4.2", "16.4.3", "16.5.1", "16.5.2", "16.5.3", "16.5.4"),
}


def rows() -> dict[str, list[tuple[str, str]]]:
    """By requirement, the tests that are named: (file, function)."""
    found: dict[str, list[tuple[str, str]]] = {}
    for line in LIST.read_text(encoding="utf-8").splitlines():
        if (requirement := re.match(r"\| (API\d+|\d+\.\d+\.\d+) ", line)) is None:
            continue
        named, file = found.setdefault(requirement[1], []), ""
        for new_file, function in re.findall(r"`(test_\w+\.py)?(?:::(\w+))?`", line):
            file = new_file or file
            named.append((file, function))
    return found


def test_each_requirement_has_its_row() -> None:
    assert rows().keys() == WANTED
    assert all(rows().values())


def test_each_named_test_exists() -> None:
    files: dict[str, list[str]] = {}
    for path in (ROOT / "tests").rglob("test_*.py"):
        files.setdefault(path.name, []).append(path.read_text(encoding="utf-8"))
    for requirement, named in rows().items():
        for file, function in named:
            assert file in files, f"{requirement}: {file}"
            assert function, f"{requirement}: {file} names no test"
            there = any(re.search(rf"def {function}\(", text) for text in files[file])
            assert there, f"{requirement}: {file}::{function}"
    for folder in re.findall(r"`(tests/[\w/.]+)`", LIST.read_text(encoding="utf-8")):
        assert (ROOT / folder).exists(), folder
