"""Each function installs what its own requests can need: a line of the root's requirements, and no other."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.architecture.source import FUNCTIONS, ROOT, imports, reached, tree

PACKAGES = {
    "store": {"google-cloud-firestore"},
    "publisher": {"google-cloud-pubsub"},
    "tasks": {"google-cloud-tasks"},
    "secrets": {"google-cloud-secret-manager"},
    "gateway": {"stripe", "requests", "google-cloud-secret-manager"},
    "holidays": {"holidays"},
    "identity_provider": {"firebase-admin"},
    "caller_check": {"requests", "CacheControl"},
    "rate_limits": {"limits"},
    "vault": {"cryptography", "google-cloud-firestore", "google-cloud-secret-manager"},
    "anchors": {"google-cloud-storage"},
    "mailer": {"google-cloud-secret-manager"},
    "clock": set(),
    "chance": set(),
    "two_people_above_pence": set(),
    "fees": set(),
}
"""What the adapter of each port imports (shared/bootstrap.py)."""

LIBRARIES = {
    "phonenumbers": {"phonenumbers"},
    "fpdf": {"fpdf2", "fontpkg-noto-sans"},  # the font is read as a resource of its package
    "icalendar": {"icalendar"},
}
"""What the web itself reads and writes with: the packages of each module."""

ALWAYS = {"functions-framework", "pydantic"}


def lines(path: Path) -> set[str]:
    text = (ROOT / path).read_text(encoding="utf-8")
    return {line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")}


def ports_of(function: str) -> set[str]:
    """The ports that a function's use cases touch, and those of its entrance."""
    main = Path("functions", function, "main.py")
    if function == "stripe_webhook":
        return {"gateway", "publisher", "rate_limits"}
    services = {
        file
        for file in reached(main, stop=("shared/adapters", "shared/bootstrap.py"))
        if file.parts[1] == "services"
    }
    used = {
        node.attr
        for file in services
        for node in ast.walk(tree(file))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "ctx"
    }
    routed = {"identity_provider", "rate_limits", "store"}
    called = {"caller_check", "rate_limits", "store"}
    pushed = {"caller_check"}
    entered = imports(main)
    if "shared.web.routing.dispatch" in entered:
        return used | routed
    return used | (called if "shared.web.callbacks.receive_task" in entered else pushed)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_requirements_are_a_subset_of_the_roots(function: str) -> None:
    assert lines(Path("functions", function, "requirements.txt")) <= lines(Path("requirements.txt"))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_requirements_are_what_the_function_can_need(function: str) -> None:
    needed = ALWAYS | {package for port in ports_of(function) for package in PACKAGES[port]}
    files = reached(Path("functions", function, "main.py"), stop=("shared/adapters", "shared/bootstrap.py"))
    roots = {name.partition(".")[0] for file in files for name in imports(file)}
    needed |= {package for root in roots & LIBRARIES.keys() for package in LIBRARIES[root]}
    installed = {line.partition("==")[0] for line in lines(Path("functions", function, "requirements.txt"))}
    assert installed == needed
