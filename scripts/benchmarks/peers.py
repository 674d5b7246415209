"""Peers: one transaction of two legs by django-hordak on PostgreSQL ÷ the same rows inserted bare.

Measured where PostgreSQL and django-hordak are there; said so where they are not.
"""

from __future__ import annotations

import importlib.util
import shutil
from typing import Any


def peers() -> dict[str, Any]:
    """The ratio, or what is missing for it."""
    missing = [name for name in ("hordak", "django", "psycopg") if importlib.util.find_spec(name) is None]
    if shutil.which("postgres") is None:
        missing.append("PostgreSQL")
    if missing:
        return {"django_hordak_vs_bare_insert_p50": None, "missing": ", ".join(missing)}
    from scripts.benchmarks.hordak import posted_vs_bare

    return {"django_hordak_vs_bare_insert_p50": posted_vs_bare()}
