"""Reading the source as text and trees: what is committed, what imports what."""

from __future__ import annotations

import ast
import functools
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
FUNCTIONS = sorted(path.parent.name for path in ROOT.glob("functions/*/main.py"))


@functools.cache
def committed() -> list[Path]:
    """Every file that git would commit, relative to the root: tracked ones, and new ones not ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [Path(line) for line in listed.stdout.splitlines() if (ROOT / line).exists()]


def python_files(*folders: str) -> list[Path]:
    return [path for path in committed() if path.suffix == ".py" and path.parts[0] in folders]


@functools.cache
def tree(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def imports(path: Path) -> set[str]:
    """The modules that a file imports when it runs, at its top or inside functions; not for types alone."""
    found: set[str] = set()
    for node in _running(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _running(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
        return
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _running(child)


def module_file(name: str) -> Path | None:
    """The file of a module of ours. `shared.domain.money.Pence` is found in shared/domain/money.py."""
    parts = name.split(".")
    while parts:
        for candidate in (Path(*parts).with_suffix(".py"), Path(*parts) / "__init__.py"):
            if (ROOT / candidate).exists():
                return candidate
        parts.pop()
    return None


def reached(start: Path, stop: tuple[str, ...]) -> set[Path]:
    """Every file of `shared` that can be imported from `start` on, but not what begins with `stop`."""
    seen: set[Path] = set()
    waiting = [start]
    while waiting:
        for name in imports(waiting.pop()):
            file = module_file(name) if name.startswith("shared.") else None
            if file is not None and file not in seen and not str(file).startswith(stop):
                seen.add(file)
                waiting.append(file)
    return seen
