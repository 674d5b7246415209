"""Takes away and alters everything of a finished circle's books, one thing at a time: is each one named?

`python -m tests.simulation.walk` walks all of it, and says how many; a test walks one of each kind.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from shared.domain.journal import Fact
from shared.ports import Delete, Put
from shared.services import refund_contribution, seal_facts
from tests.builders import World
from tests.worked_examples.page import Page

OF_OURS = frozenset(
    {
        "payment_intent",
        "charge",
        "refund",
        "dispute",
        "transfer",
        "balance_transaction",
        "customer",
        "payment_method",
        "topup",
    }
)
"""What we made at Stripe, or what moved our balance there; besides, people's accounts and the payouts to
their banks. Not: set-ups, mandates, checkouts and events, which move nothing (decision 23)."""

STRANGER = "somebody_else"

Change = Callable[[Any], Any]


def _more(value: int) -> int:
    return value + 1


def _other_ids(value: Mapping[str, str]) -> dict[str, str]:
    return {name: f"{text}x" for name, text in value.items()}


def _to(value: Any) -> Change:
    return lambda _: value


MONEY: dict[str, Change] = {"amount": _more, "currency": _to("eur")}
LABELLED: dict[str, Change] = {**MONEY, "metadata": _other_ids}
FIELDS: dict[str, dict[str, Change]] = {
    "payment_intent": {
        **LABELLED,
        "status": _to("canceled"),
        "latest_charge": _to(None),
    },  # and by it the line
    "charge": LABELLED,
    "refund": MONEY,
    "dispute": {**MONEY, "status": _to("won"), "payment_intent": _to(None)},
    "transfer": {
        **LABELLED,
        "amount_reversed": _more,
        "destination": _to(STRANGER),
        "balance_transaction": _to(None),
    },
    "balance_transaction": {
        **MONEY,
        "fee": _more,
        "reporting_category": _to("other_adjustment"),
        "source": _to(None),
        "available_on": lambda day: day - 86_400,
    },
    "customer": {"metadata": _other_ids, "currency": _to("eur")},
    "payment_method": {"customer": _to(None), "type": _to("bacs_debit")},
    "account": {
        "metadata": _other_ids,
        "payouts_enabled": _to(False),
        "capabilities": _to({"transfers": "inactive"}),
        "external_accounts": lambda banks: {**banks, "data": []},
    },
    "topup": MONEY,
    "payout": {**LABELLED, "status": _to("canceled"), "destination": _to(STRANGER)},
}
"""The fields that money and its owner depend on, each with another value of it."""

NOT_RELIED_ON = frozenset({("topup", "available_on"), ("fee", "source"), ("fee", "available_on")})
"""Of lines by what caused them: nothing is spent by the day on which the house's own money clears."""


@dataclass(frozen=True)
class Deed:
    """One thing taken away or altered: of which kind, what in it, how it is done; its id must be told."""

    kind: str
    what: str
    id: str
    do: Callable[[], None]
    undo: Callable[[], None]

    def __str__(self) -> str:
        return f"{self.kind} {self.what}"


class FinishedCircle:
    """A circle that has ended: with a refund, a dispute that was lost, a pot that a bank sent back."""

    def __init__(self) -> None:
        page = Page("pay_cleared", added_fee_pence=1_00, world=World())
        self.world, self.circle = page.world, page.circle
        self._sent_back(page)
        self._refunded(page)
        page.paid_out(2, days_more=2)
        self._disputed(page)
        page.world.control("POST", "connect_fees", {"amount": 2_00})
        page.paid_out(5, days_more=10)
        self.world.clock.moment += timedelta(minutes=1)
        seal_facts.seal_facts(self.world.ctx, self.world.command("system:relay"))

    @staticmethod
    def _sent_back(page: Page) -> None:
        (user,) = page.world.store.load(f"users/{page.uid['A']}")
        bank = f"accounts/{(user.data or {})['payout_account']['reference']}/bank"
        page.world.control("POST", bank, {"account_number": "11111113"})
        page.paid_out(1, days_more=8)
        page.world.control("POST", bank, {"account_number": "00012345"})
        page.days(8)

    @staticmethod
    def _refunded(page: Page) -> None:
        page.due(2)
        command = page.world.command("staff:ines")
        contribution = page.contribution("D", 2).id
        refund_contribution.refund(page.world.ctx, command, page.circle.id, contribution, "by mistake")
        page.world.settle()
        page.pays("D", 2)

    @staticmethod
    def _disputed(page: Page) -> None:
        intent = page.contribution("A", 2).attempts[-1].reference
        dispute = page.world.control("POST", f"charges/{intent}/dispute", {})
        page.world.settle()
        page.world.control("POST", f"disputes/{dispute['id']}", {"status": "lost"})

    def told(self) -> str:
        """Every difference that reconciliation finds, as one text."""
        return json.dumps(self.world.reconcile()["differences"], default=str)

    # --- what can be done to it -----------------------------------------------------------------------------

    def deeds(self) -> Iterator[Deed]:
        yield from self._at_stripe()
        for fact in self.circle.facts():
            yield from self._in_the_journal(fact)

    def _objects(self) -> Iterator[tuple[str, dict[str, Any]]]:
        stripe = self.world.stripe.world
        for id_, thing in list(stripe.objects.items()):
            kind = thing["object"]
            if stripe.owner[id_] == stripe.platform and kind in OF_OURS:
                unused = kind == "payment_method" and not thing["customer"]
                if not unused:  # Stripe's own tokens of its test cards
                    yield id_, thing
            elif kind in {"account", "payout"} and id_ != stripe.platform:
                yield id_, thing

    def _at_stripe(self) -> Iterator[Deed]:
        stripe = self.world.stripe.world
        whole = stripe.dump()

        def put_back() -> None:
            stripe.load(whole)

        for id_, thing in self._objects():
            kind = thing["object"]
            yield Deed(kind, "removed", id_, partial(stripe.remove, id_), put_back)
            refused = kind == "payout" and thing["status"] == "failed"
            for field, other in FIELDS[kind].items():
                caused = thing.get("reporting_category", kind)
                if (caused, field) in NOT_RELIED_ON or (refused and field in {"status", "destination"}):
                    continue

                def alter(id_: str = id_, field: str = field, other: Change = other) -> None:
                    stripe.objects[id_][field] = other(stripe.objects[id_][field])

                yield Deed(kind, field, id_, alter, put_back)

    def _in_the_journal(self, fact: Fact) -> Iterator[Deed]:
        store = self.world.store
        whole = dict(store.load(fact.path)[0].data or {})

        def put(**other: Any) -> Callable[[], None]:
            return lambda: store.commit([Put(fact.path, {**whole, **other})])

        yield Deed(fact.type, "removed", fact.id, lambda: store.commit([Delete(fact.path)]), put())
        for field in ("actor", "at", "command_id", "committed_at", "group", "payload_hash", "type", "sealed"):
            yield Deed(fact.type, field, fact.id, put(**{field: _another(whole[field])}), put())
        yield Deed(fact.type, "payload", fact.id, put(payload={**whole["payload"], "pence": 1}), put())
        if whole["entries"]:
            doubled = [{**one, "pence": 2 * one["pence"]} for one in whole["entries"]]
            yield Deed(fact.type, "entries, in balance", fact.id, put(entries=doubled), put())
            one_more = [{**whole["entries"][0], "pence": 1}, *whole["entries"]]
            yield Deed(fact.type, "one entry more", fact.id, put(entries=one_more), put())

    def unnamed(self, deeds: Iterable[Deed]) -> list[str]:
        """Do each by itself, and undo it: which were not told by their id."""
        silent = []
        for deed in deeds:
            deed.do()
            told = self.told()
            deed.undo()
            if deed.id not in told:
                silent.append(f"{deed} of {deed.id}: {told}")
        return silent


def one_of_each(deeds: Iterable[Deed]) -> list[Deed]:
    """The first of each sort: every field of every kind of object, every part of every type of fact."""
    first: dict[str, Deed] = {}
    for deed in deeds:
        first.setdefault(str(deed), deed)
    return list(first.values())


def _another(value: Any) -> Any:
    if isinstance(value, datetime):
        return value + timedelta(seconds=1)
    return value + 1 if isinstance(value, int) else f"{value}x"


def main() -> int:
    """Walk everything. Exits 1 where something went unnamed."""
    finished = FinishedCircle()
    if finished.told() != "[]":
        print(f"the books were not in order before: {finished.told()}")
        return 1
    deeds = list(finished.deeds())
    silent = finished.unnamed(deeds)
    facts = {deed.id for deed in deeds} & {fact.id for fact in finished.circle.facts()}
    objects = {deed.id for deed in deeds} - facts
    print(f"{len(objects)} Stripe objects and {len(facts)} facts, {len(deeds)} deeds, one at a time:")
    for kind, count in sorted(Counter(deed.kind for deed in deeds).items()):
        print(f"  {kind:22} {count}")
    for one in silent:
        print(f"NOT NAMED: {one}")
    print(f"{len(silent)} not named")
    return 1 if silent or finished.told() != "[]" else 0


if __name__ == "__main__":
    sys.exit(main())
