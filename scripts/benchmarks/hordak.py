"""django-hordak on a PostgreSQL of its own: one transaction of two legs ÷ the same rows inserted bare.

Hordak keeps its promises by triggers and by its models; the bare rows go by the driver alone into tables of
the same columns, keys and indexes, without triggers and foreign keys.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import django
import psycopg
from django.conf import settings
from django.core.management import call_command

from scripts.benchmarks.timing import in_turn, median_run

RUNS = 5
PAIRS = 200
OWNER = "postgres"
"""PostgreSQL refuses root: there it runs as the user that its package made."""

Pair = tuple[Callable[[], object], Callable[[], object]]

BARE = ("hordak_transaction", "hordak_leg")


def posted_vs_bare(programs: Path) -> dict[str, float]:
    """The ratio at p50, the median of five runs. `programs` is the folder with PostgreSQL's own.

    Once where no commit waits for the disk, as none does in the Firestore emulator, and once as installed,
    where waiting for it is nearly all that a commit takes.
    """
    with _postgresql(programs) as socket:
        _migrate(socket)
        with _bare_connection(socket) as bare:
            pairs = _pairs(bare)
            return {
                f"django_hordak_vs_bare_insert_p50{name}": _measured(bare, pairs, waits)
                for name, waits in (("", "off"), ("_on_disk", "on"))
            }


def _measured(bare: psycopg.Connection[Any], pairs: Sequence[Pair], waits: str) -> float:
    from django.db import connection

    for one in (bare, connection.cursor()):
        one.execute(f"SET synchronous_commit TO {waits}")
    return round(median_run([in_turn(pairs) for _ in range(RUNS)]).p50, 3)


@contextmanager
def _postgresql(programs: Path) -> Iterator[Path]:
    """A cluster as its package configures it, on a socket in a folder of its own; gone with the block."""
    user: dict[str, Any] = {"user": OWNER, "group": OWNER} if os.geteuid() == 0 else {}
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        if user:
            shutil.chown(folder, OWNER, OWNER)
        data = folder / "data"

        def run(program: str, *arguments: str) -> None:
            command = [str(programs / program), *arguments, f"--pgdata={data}"]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder, **user)

        run("initdb", "--auth=trust", f"--username={OWNER}")
        listens = f"--options=-c listen_addresses='' -c unix_socket_directories={folder}"
        run("pg_ctl", "start", "--wait", "--silent", f"--log={folder}/log", listens)
        try:
            yield folder
        finally:
            run("pg_ctl", "stop", "--mode=immediate")


def _migrate(socket: Path) -> None:
    settings.configure(
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "mptt", "djmoney", "hordak"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": OWNER,
                "USER": OWNER,
                "HOST": str(socket),
            }
        },
        USE_TZ=True,
        CURRENCIES=["GBP"],
        HORDAK_INTERNAL_CURRENCY="GBP",
        DEFAULT_CURRENCY="GBP",
    )
    django.setup()
    call_command("migrate", verbosity=0)


@contextmanager
def _bare_connection(socket: Path) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(host=str(socket), user=OWNER, dbname=OWNER, autocommit=True) as bare:
        for table in BARE:
            bare.execute(f"CREATE TABLE bare_{table} (LIKE {table} INCLUDING ALL)")
        yield bare


def _pairs(bare: psycopg.Connection[Any]) -> list[Pair]:
    """Postings between two accounts, each with the same rows beside it."""
    from django.db import transaction
    from hordak.models import Account
    from moneyed import Money

    payer, pot = (
        Account.objects.create(name=name, type=kind, currencies=["GBP"])
        for name, kind in (("Stripe", "AS"), ("The pot", "LI"))
    )
    paid = Money("100.00", "GBP")

    def post() -> None:
        with transaction.atomic():
            pot.transfer_to(payer, paid, description="A contribution")

    def insert() -> None:
        now = datetime.now(UTC)
        with bare.transaction():
            found = bare.execute(
                "INSERT INTO bare_hordak_transaction (uuid, timestamp, date, description)"
                " VALUES (%s, %s, %s, 'A contribution') RETURNING id",
                (uuid.uuid4(), now, now.date()),
            ).fetchone()
            for account, credit, debit in ((pot.pk, paid.amount, None), (payer.pk, None, paid.amount)):
                _insert_leg(bare, found, account, credit, debit)

    return [(post, insert)] * PAIRS


def _insert_leg(
    bare: psycopg.Connection[Any], of: Any, account: int, credit: Decimal | None, debit: Decimal | None
) -> None:
    bare.execute(
        "INSERT INTO bare_hordak_leg (uuid, transaction_id, account_id, credit, debit, currency, description)"
        " VALUES (%s, %s, %s, %s, %s, 'GBP', '') RETURNING id",
        (uuid.uuid4(), of[0], account, credit, debit),
    )
