"""Peers: one transaction of two legs by django-hordak on PostgreSQL ÷ the same rows inserted bare.

Measured where PostgreSQL is there; said so where it is not.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any


def peers() -> dict[str, Any]:
    """The ratios, or what is missing for them."""
    programs = _postgresql()
    if programs is None:
        return {"django_hordak_vs_bare_insert_p50": None, "missing": "PostgreSQL"}
    from scripts.benchmarks.hordak import posted_vs_bare

    return posted_vs_bare(programs)


def _postgresql() -> Path | None:
    """The folder of the newest one: Debian keeps it out of the PATH."""
    found = shutil.which("initdb")
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda one: int(one.parts[-3]))
    newest = Path(found).resolve() if found else next(reversed(installed), None)
    return newest.parent if newest else None
