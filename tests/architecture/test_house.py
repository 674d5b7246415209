"""The house of DESIGN.md § 2: what stands where, and who may import whom."""

from __future__ import annotations

import ast
from configparser import ConfigParser
from pathlib import Path

import pytest

from tests.architecture.source import FUNCTIONS, ROOT, committed, imports, python_files, reached, tree

TOP_LEVEL = {"functions", "shared", "infra", "tests", "scripts"} | {
    "firebase.json",
    "cloudbuild.yaml",
    "requirements.txt",
    "README.md",
}
SHARED = {
    "__init__.py",
    "adapters",
    "bootstrap.py",
    "config.py",
    "domain",
    "portal",
    "ports.py",
    "services",
    "web",
}
SDKS = {"google", "stripe", "firebase_admin", "grpc", "sklearn", "requests", "cachecontrol", "holidays"}
MAIN_LINES_MAX = 25


def test_nothing_else_stands_at_the_top() -> None:
    names = {path.parts[0] for path in committed()}
    assert {name for name in names if not name.startswith(".")} <= TOP_LEVEL


def test_shared_holds_what_the_design_says() -> None:
    assert {path.parts[1] for path in committed() if path.parts[0] == "shared"} <= SHARED


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_is_its_main_and_its_requirements(function: str) -> None:
    folder = Path("functions", function)
    assert {path.name for path in committed() if path.parent == folder} == {"main.py", "requirements.txt"}
    assert not [path for path in committed() if folder in path.parents and path.parent != folder]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_main_is_thin_and_named_after_its_folder(function: str) -> None:
    """Two modules of one name shadow each other in one process, so a main imports nothing beside it."""
    path = Path("functions", function, "main.py")
    source = (ROOT / path).read_text(encoding="utf-8")
    assert len(source.splitlines()) <= MAIN_LINES_MAX
    entry_points = [
        node.name for node in tree(path).body if isinstance(node, ast.FunctionDef) and node.decorator_list
    ]
    assert entry_points == [function]
    roots = {name.partition(".")[0] for name in imports(path)}
    assert roots <= {"shared", "functions_framework", "flask", "cloudevents", "typing"}


@pytest.mark.parametrize("path", python_files("shared", "functions", "infra"), ids=str)
def test_a_file_says_in_its_first_line_what_it_is_for(path: Path) -> None:
    if (ROOT / path).read_text(encoding="utf-8").strip():
        assert ast.get_docstring(tree(path)), path


@pytest.mark.parametrize("path", python_files("shared", "functions"), ids=str)
def test_sdks_are_spoken_to_by_adapters_alone(path: Path) -> None:
    """Also inside functions, where import-linter does not tell the one place that wires from the others."""
    if Path("shared/adapters") in path.parents or path == Path("shared/bootstrap.py"):
        return
    assert not {name for name in imports(path) if name.partition(".")[0] in SDKS}


@pytest.mark.parametrize("path", python_files("shared"), ids=str)
def test_only_bootstrap_imports_adapters(path: Path) -> None:
    if Path("shared/adapters") in path.parents or path == Path("shared/bootstrap.py"):
        return
    assert not {name for name in imports(path) if name.startswith("shared.adapters")}


@pytest.mark.parametrize("path", python_files("shared"), ids=str)
def test_nothing_shared_imports_a_function(path: Path) -> None:
    assert not {name for name in imports(path) if name.partition(".")[0] in {"functions", "infra", "tests"}}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_function_can_reach_scikit_learn(function: str) -> None:
    """It takes 6 seconds and 140 MB to import: scores are served without it."""
    files = reached(Path("functions", function, "main.py"), stop=())
    assert not {name for file in files for name in imports(file) if name.startswith(("sklearn", "scipy"))}


def test_each_module_that_is_mutated_has_a_file_of_tests_of_its_own() -> None:
    """scripts/mutate runs that and no slower tier; without it, none of them could be mutated."""
    config = ConfigParser()
    config.read(ROOT / ".mutmut.cfg")
    modules = [Path(path).stem for path in config["mutmut"]["only_mutate"].split()]
    assert len(modules) > 20
    assert [name for name in modules if not (ROOT / f"tests/unit/domain/test_{name}.py").is_file()] == []
