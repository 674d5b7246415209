"""The security list names tests that exist (infra/decisions/0022)."""

from __future__ import annotations

import re

from tests.architecture.source import ROOT

LIST = ROOT / "infra/decisions/0022-security-list.md"


def test_each_named_test_exists() -> None:
    files = {path.name: path for path in (ROOT / "tests").rglob("test_*.py")}
    text, latest = LIST.read_text(encoding="utf-8"), ""
    named = re.findall(r"`(test_\w+\.py)?(?:::(\w+))?`", text)
    assert len(named) > 20
    for file, function in named:
        latest = file or latest
        assert latest in files, latest
        if function:
            assert f"def {function}(" in files[latest].read_text(encoding="utf-8"), f"{latest}::{function}"
    for folder in re.findall(r"`(tests/[\w/.]+)`", text):
        assert (ROOT / folder).exists(), folder


def test_each_risk_of_the_list_has_one() -> None:
    text = LIST.read_text(encoding="utf-8")
    rows = [row for row in text.splitlines() if re.match(r"\| (API\d+|\d+\.\d+) ", row)]
    assert len(rows) == 16
    assert all("test" in row.split("|")[3] for row in rows)
