"""A page of the accounting book: a circle of 5 × £100 whose people are known by their turns, A to E.

`page.stands(cash=…, pot_3=…, debt_A=…, owed_D=…)` asserts every balance that is not empty, fees apart: a card
payment of £100 costs the house £1.70, so `fees` is checked against what was really charged, and `house` is
given without it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from shared.adapters.memory_store import MemoryStore
from shared.domain.approvals import Kind
from shared.domain.permissions import Role
from shared.ports import Write
from shared.services import approvals, leave_group, pay_contribution, payment_methods
from tests.builders import Circle, World
from tests.simulation.auditor import Auditor
from tests.simulation.ports import Change

LETTERS = "ABCDEFGHIJ"
NO_ROLES: frozenset[Role] = frozenset()
STAFF = frozenset({Role.FINANCE})
STILL = ["insufficient_funds"] * 60
"""More refusals than any ladder has rungs: the person does not pay."""


class AuditedStore(MemoryStore):
    """The store in memory, whose every commit the simulation's auditor is shown, whole."""

    def __init__(self) -> None:
        super().__init__()
        self.watch: Callable[[list[Change]], None] = lambda changes: None
        self._changes: list[Change] = []

    def commit(self, writes: Sequence[Write]) -> None:
        super().commit(writes)
        changes, self._changes = self._changes, []
        self.watch(changes)

    def _apply(self, path: str, data: dict[str, Any] | None) -> None:
        before = self._get(path)
        super()._apply(path, data)
        after = self._get(path)
        if before is not after:
            self._changes.append(Change(path, before and before.data, after and after.data))


class Whatever(set[str]):
    """Every fact counts as published here: the topic in memory takes them all."""

    def __contains__(self, fact: object) -> bool:
        return True


class Page:
    """One circle, and what happens to it. `A` has the first turn, `B` the second, and so on."""

    def __init__(
        self, policy: str = "pay_cleared", members: int = 5, world: World | None = None, **terms: Any
    ) -> None:
        self.world = world or World(store=AuditedStore())
        self.auditor = Auditor(self.world.stripe.world, self.world.clock.now)
        self.auditor.published = Whatever()
        if isinstance(self.world.store, AuditedStore):
            self.world.store.watch = self.auditor.committed
        self.people = self.world.people(members)
        self.circle: Circle = self.world.circle(self.people, default_policy=policy, **terms)
        self.uid = {LETTERS[n]: self.circle.recipient(n + 1) for n in range(members)}
        self.letter = {uid: letter for letter, uid in self.uid.items()}

    # --- what happens ---------------------------------------------------------------------------------------

    def due(self, cycle: int, days_more: int = 0) -> None:
        """Live until a cycle's contributions are taken."""
        self.world.advance_to(self.circle.due(cycle) + timedelta(days=days_more))

    def paid_out(self, cycle: int, days_more: int = 0) -> None:
        """Live until a cycle's pot is paid out."""
        self.world.advance_to(self.circle.pays_out(cycle) + timedelta(days=days_more))

    def days(self, count: int) -> None:
        self.world.advance_to(self.world.clock.moment.date() + timedelta(days=count))

    def to_the_end(self) -> None:
        self.paid_out(len(self.circle.group.schedule), days_more=30)

    def leaves(self, letter: str) -> dict[str, Any]:
        uid = self.uid[letter]
        answer = leave_group.leave(self.world.ctx, self.world.command(uid), self.circle.id)
        self.world.settle()
        return answer

    def bank_refuses(self, letter: str, times: int = 60) -> None:
        """The person's debits fail for want of money, so many times."""
        method = payment_methods.list_methods(self.world.ctx, self.uid[letter])["items"][0]["id"]
        self.world.control("POST", f"payment_methods/{method}/outcomes", {"failures": STILL[:times]})

    def pays(self, letter: str, cycle: int) -> None:
        """The person pays by hand."""
        contribution = self.contribution(letter, cycle)
        command = self.world.command(self.uid[letter])
        pay_contribution.pay_now(self.world.ctx, command, self.circle.id, contribution.id)
        self.world.settle()

    def asks(self, letter: str, kind: Kind, **payload: Any) -> str:
        """Somebody asks for what others must consent to; returns the request."""
        named = {name: self.uid.get(str(value), value) for name, value in payload.items()}
        who = self.uid.get(letter, letter)
        roles = STAFF if letter.startswith("staff") else NO_ROLES
        asked = approvals.ask(self.world.ctx, self.world.command(who), roles, self.circle.id, kind, named)
        return str(asked["id"])

    def consents(self, letter: str, request: str, agreement_hash: str | None = None) -> str:
        """Somebody consents; returns what became of the request."""
        who = self.uid.get(letter, letter)
        roles = STAFF if letter.startswith("staff") else NO_ROLES
        answer = approvals.approve(
            self.world.ctx, self.world.command(who), roles, self.circle.id, request, agreement_hash
        )
        self.world.settle()
        return str(answer["state"])

    def agreed(self, letter: str, kind: Kind, *consenting: str, **payload: Any) -> None:
        """Asked for by one, consented to by the others, and done."""
        request = self.asks(letter, kind, **payload)
        states = [self.consents(other, request) for other in consenting]
        assert states[-1] == "carried_out"

    @property
    def organiser(self) -> str:
        """The letter of the organiser."""
        return self.letter[self.circle.group.organiser]

    def member(self, *but: str) -> str:
        """The letter of a member who is not the organiser, nor one of these."""
        return next(one for one in self.uid if one not in {self.organiser, *but})

    def contribution(self, letter: str, cycle: int) -> Any:
        return self.circle.contribution(cycle, self.uid[letter])

    # --- what stands ----------------------------------------------------------------------------------------

    def balances(self) -> dict[str, int]:
        """Every balance that is not empty, by short names; `house` without the fees that it bore."""
        found: defaultdict[str, int] = defaultdict(int)
        for account, pence in self.circle.balances().items():
            head, _, rest = account.partition(":")
            if account == "fees:processor":
                found["house"] -= pence
            elif head in {"cash", "payable"}:
                found[head] += pence
            else:
                found[f"{head}_{self.letter.get(rest, rest)}".rstrip("_")] += pence
        return {name: pence for name, pence in found.items() if pence}

    def stands(self, **pence: int) -> None:
        assert self.balances() == {name: amount for name, amount in pence.items() if amount}

    def paid(self) -> dict[str, int]:
        """What the processor took from each person, less what it gave back, in pounds."""
        return self._moved({"contribution_settled": 1, "contribution_refunded": -1}, "member")

    def got(self) -> dict[str, int]:
        """What the processor sent to each person, in pounds."""
        return self._moved({"payout_sent": 1}, "recipient")

    def _moved(self, types: dict[str, int], who: str) -> dict[str, int]:
        found: defaultdict[str, int] = defaultdict(int)
        for fact in self.circle.facts():
            if fact.type in types:
                found[self.letter[fact.payload[who]]] += types[fact.type] * fact.payload["pence"]
        return {letter: pence // 100 for letter, pence in sorted(found.items())}

    def balanced(self) -> None:
        """Ours and the processor's books agree to the penny, and nothing lies in quarantine."""
        assert self.world.reconcile()["differences"] == []
        assert self.auditor.violations == []
        assert self.world.documents("quarantine") == []

    def ended(self, state: str = "completed") -> None:
        """The circle is over, nothing is owed and nothing is left."""
        self.stands()
        self.balanced()
        assert self.circle.group.state == state
