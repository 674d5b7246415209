"""A page of the accounting book: a circle of 5 × £100, what happens to it, and every balance after each step.

People are known by their initials, in the order of their turns: A is Ada, the organiser, B is Ben, and so on.

`page.due(3).stands(cash=500_00, pot_3=500_00, fees=25_50, house=25_50)` is one line of it: a step, and all
that stands in both books after it. What is not named is nothing. `payable_A` is A's pot on its way,
`topup_A` a top-up, `return_A` what is given back. A card payment costs the house 1.5 % and 20p, so £1.70 of
£100, a Bacs debit 1 %, a dispute £20: `fees` grow by it, and `house` with them.

In this folder no step can be told without its balances: `conftest` opens the book, and then a step fails that
comes before those of the last one are written, lets money move on two days, or moves it outside of a step.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any, ClassVar, Concatenate, ParamSpec, TypeVar

from shared.adapters.memory_store import MemoryStore
from shared.domain.calendar import add_working_days, london_day, opening_of
from shared.domain.contributions import NOTICE_WORKING_DAYS
from shared.domain.payouts import payout_ref
from shared.domain.permissions import Role
from shared.domain.words import ApprovalKind
from shared.ports import Snapshot, Write
from shared.services import (
    accept_agreement,
    approvals,
    hardship,
    leave_group,
    pay_contribution,
    pay_out,
    payment_methods,
    refund_contribution,
)
from shared.services.context import Reader
from tests.builders import Circle, World
from tests.simulation.auditor import Auditor
from tests.simulation.ports import Change

NO_ROLES: frozenset[Role] = frozenset()
STAFF = frozenset({Role.FINANCE})
STILL = ["insufficient_funds"] * 60
"""More refusals than any ladder has rungs: the person does not pay."""

AMOUNT, CARD_FEE = 100_00, 1_70
LAST_DAYS = 30
"""Days after the last payday: by then all has cleared, arrived and been closed."""

ON_ITS_WAY = {"turn": "payable", "top_up": "topup", "return": "return"}

P = ParamSpec("P")
S = TypeVar("S", bound="Page")


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

    def _put(self, path: str, before: Snapshot | None, after: Snapshot | None) -> None:
        super()._put(path, before, after)
        self._changes.append(
            Change(path, before.data if before else None, after.data if after else None),
        )


class Whatever(set[str]):
    """Every fact counts as published here: the topic in memory takes them all."""

    def __contains__(self, fact: object) -> bool:
        return True


def step(act: Callable[Concatenate[S, P], Any]) -> Callable[Concatenate[S, P], S]:
    """What a member, the house or Stripe does, or some days: the balances are written after it."""

    def told(page: S, /, *args: P.args, **kwargs: P.kwargs) -> S:
        with page.one_step(act.__name__):
            page.answer = act(page, *args, **kwargs)
        return page

    return told


class Page:
    """One circle, and what happens to it. `answer` is what the last step was answered."""

    book: ClassVar[list[Page] | None] = None
    """The pages of the example that is told; None where a page only sets the stage for another test."""

    def __init__(
        self,
        policy: str = "pay_cleared",
        members: int = 5,
        world: World | None = None,
        method: str = "pm_card_visa",
        **terms: Any,
    ) -> None:
        self.answer: Any = None
        self._written: dict[str, int] = {}
        self._step: str | None = None
        self._untold: str | None = None  # the step after which no balances are written yet
        self._moved: list[tuple[str, date]] = []  # facts with entries since the last balances, and their days
        self._disputes: dict[tuple[str, int], str] = {}
        self.world = world or World(store=AuditedStore())
        self.auditor = Auditor(self.world.stripe.world, self.world.clock.now)
        self.auditor.published = Whatever()
        if isinstance(self.world.store, AuditedStore):
            self.world.store.watch = self._committed
        self.people = self.world.people(members, method)
        if method != "pm_card_visa":
            self.world.advance_to(date(2026, 11, 30))  # the banks have accepted the mandates
        self.uid = {uid[0]: uid for uid in self.people}
        self.letter = {uid: letter for letter, uid in self.uid.items()}
        self.circle = self._circle({"default_policy": policy, "order_method": "organiser"} | terms)
        if self.book is not None:
            self.book.append(self)

    def _circle(self, terms: dict[str, Any]) -> Circle:
        return self.world.circle(self.people, **terms)

    # --- a step, and what stands after it -------------------------------------------------------------------

    @contextmanager
    def one_step(self, name: str) -> Iterator[None]:
        """One step of the page, which may be made of several."""
        if self._step is not None:
            yield
            return
        if self.book is not None:
            self.told()
        self._step = self._untold = name
        try:
            yield
        finally:
            self._step = None

    def stands(self, **pence: int) -> None:
        """Assert every balance of both books: what is not named is nothing."""
        if self.book is not None:
            days = {day for _, day in self._moved}
            assert len(days) <= 1, f"one step, and money moved on {len(days)} days: {self._moved}"
            assert not [fact for fact, _ in self._moved if fact.endswith("no step")], self._moved
        found = self.balances()
        unlike = {
            name: f"{found.get(name, 0)}, not {pence.get(name, 0)}"
            for name in {**found, **pence}
            if found.get(name, 0) != pence.get(name, 0)
        }
        assert not unlike, f"after {self._untold!r}: {unlike}"
        self._written, self._untold, self._moved = found, None, []

    def told(self) -> None:
        """Assert that the balances after the last step are written, and that nothing moved since."""
        assert self._untold is None, f"no balances are written after {self._untold!r}"
        assert self._moved == [], "no balances are written after this"

    def _committed(self, changes: list[Change]) -> None:
        self.auditor.committed(changes)
        for change in changes:
            fact = change.after
            if "/journal/" in change.path and change.before is None and fact and fact["entries"]:
                where = f"{fact['type']} in {self._step or 'no step'}"
                self._moved.append((where, london_day(fact["at"])))

    def balances(self) -> dict[str, int]:
        """Every balance that is not nothing, by short names."""
        found: defaultdict[str, int] = defaultdict(int)
        for account, pence in self.circle.balances().items():
            found[self._name(account)] += pence
        return dict(found)

    def _name(self, account: str) -> str:
        head, _, rest = account.partition(":")
        if head == "payable":
            (snapshot,) = self.world.store.load(payout_ref(self.circle.id, rest).path)
            payout = snapshot.data or {}
            return f"{ON_ITS_WAY[payout['kind']]}_{self.letter[payout['recipient']]}"
        if head == "cash" or account == "fees:processor":
            return head
        return f"{head}_{self.letter.get(rest, rest)}".rstrip("_")

    # --- days -----------------------------------------------------------------------------------------------

    @step
    def due(self, cycle: int, days_more: int = 0) -> None:
        """Live until a cycle's contributions are taken."""
        self.world.advance_to(self.circle.due(cycle) + timedelta(days=days_more))

    @step
    def paid_out(self, cycle: int, days_more: int = 3) -> None:
        """Live until a cycle's pot is paid out, and has arrived."""
        self.world.advance_to(self.circle.pays_out(cycle) + timedelta(days=days_more))

    @step
    def noticed(self, cycle: int) -> None:
        """Live until the notice of a cycle's debits, when credit is used: what is noticed is the rest."""
        holidays = self.world.ctx.holidays
        self.world.advance_to(add_working_days(self.circle.due(cycle), -NOTICE_WORKING_DAYS, holidays))

    @step
    def days(self, count: int) -> None:
        self.world.advance_to(self.world.clock.moment.date() + timedelta(days=count))

    @step
    def until(self, day: date) -> None:
        self.world.advance_to(day)

    @step
    def reserved(self, cycle: int) -> None:
        """The morning of a payday, when the pot is reserved and nothing has left yet."""
        day = self.circle.pays_out(cycle)
        self.world.advance_to(day - timedelta(days=1))
        self.world.clock.moment = opening_of(day)
        pay_out.pay_due(self.world.ctx, self.world.command("system:tick"))

    @step
    def sent(self) -> None:
        """What is reserved leaves, and whatever else is under way comes to rest."""
        self.world.settle()

    @step
    def to_the_end(self) -> None:
        self.world.advance_to(
            self.circle.pays_out(len(self.circle.group.schedule)) + timedelta(days=LAST_DAYS)
        )

    def runs(self, *cycles: int, pot: int = 5 * AMOUNT, fee: int = CARD_FEE, on_top: int = 0) -> None:
        """Cycles by the book: each pays in, the whole pot goes out, and all else stands as it was written."""
        for cycle in cycles:
            debits, after = pot // AMOUNT, defaultdict(int, self._written)
            after["fees"] += debits * fee
            after["fees_platform"] += debits * on_top
            after["house"] += debits * (fee - on_top)
            with_pot = {"cash": after["cash"] + pot, f"pot_{cycle}": pot}
            self.due(cycle).stands(**after | with_pot)
            self.paid_out(cycle).stands(**after)

    # --- people, the house and Stripe -----------------------------------------------------------------------

    @step
    def does(self, act: Callable[..., Any], *args: Any, **more: Any) -> Any:
        """Whatever else is done, and what it leads to."""
        answer = act(*args, **more)
        self.world.settle()
        return answer

    def bank_refuses(self, letter: str, times: int = len(STILL)) -> None:
        """The person's debits to come fail for want of money, so many times. Nothing happens by it yet."""
        method = payment_methods.list_methods(self.world.ctx, self.uid[letter])["items"][0]["id"]
        self.world.control("POST", f"payment_methods/{method}/outcomes", {"failures": STILL[:times]})

    @step
    def leaves(self, letter: str) -> dict[str, Any]:
        command = self.world.command(self.uid[letter])
        answer = leave_group.leave(self.world.ctx, command, self.circle.id)
        self.world.settle()
        return answer

    @step
    def pays(self, letter: str, cycle: int) -> None:
        """The person pays by hand."""
        contribution = self.contribution(letter, cycle)
        command = self.world.command(self.uid[letter])
        pay_contribution.pay_now(self.world.ctx, command, self.circle.id, contribution.id)
        self.world.settle()

    @step
    def asks_for_time(self, letter: str, until: date) -> None:
        command = self.world.command(self.uid[letter])
        hardship.ask_for_time(self.world.ctx, command, self.circle.id, until)

    @step
    def disputes(self, letter: str, cycle: int) -> None:
        """The person's bank takes a contribution back."""
        reference = self.contribution(letter, cycle).attempts[-1].reference
        made = self.world.control("POST", f"charges/{reference}/dispute", {})
        self._disputes[letter, cycle] = made["id"]
        self.world.settle()

    @step
    def bank_decides(self, letter: str, cycle: int, status: str) -> None:
        """The dispute about a contribution is `won`, by us, or `lost`."""
        self.world.control("POST", f"disputes/{self._disputes[letter, cycle]}", {"status": status})
        self.world.settle()

    @step
    def refunded(self, letter: str, cycle: int) -> None:
        """Staff give a contribution back."""
        ctx, command = self.world.ctx, self.world.command("staff-1")
        refund_contribution.refund(
            ctx, command, self.circle.id, self.contribution(letter, cycle).id, "by mistake"
        )
        self.world.settle()

    # --- what takes several people --------------------------------------------------------------------------

    def asks(self, letter: str, kind: ApprovalKind, **payload: Any) -> str:
        """Somebody asks for what others must consent to; returns the request."""
        named = {name: self.uid.get(str(value), value) for name, value in payload.items()}
        who = self.uid.get(letter, letter)
        roles = STAFF if letter.startswith("staff") else NO_ROLES
        with self.one_step("asks"):
            asked = approvals.ask(self.world.ctx, self.world.command(who), roles, self.circle.id, kind, named)
        return str(asked["id"])

    def consents(self, letter: str, request: str, agreement_hash: str | None = None) -> str:
        """Somebody consents; returns what became of the request."""
        who = self.uid.get(letter, letter)
        roles = STAFF if letter.startswith("staff") else NO_ROLES
        with self.one_step("consents"):
            answer = approvals.approve(
                self.world.ctx, self.world.command(who), roles, self.circle.id, request, agreement_hash
            )
            self.world.settle()
        return str(answer["state"])

    @step
    def agreed(self, letter: str, kind: ApprovalKind, /, *consenting: str, **payload: Any) -> None:
        """Asked for by one, consented to by the others, and done."""
        request = self.asks(letter, kind, **payload)
        states = [self.consents(other, request) for other in consenting]
        assert states[-1] == "carried_out"

    @step
    def hands_over(self, leaver: str) -> None:
        """Zoe takes a member's place over, with the organiser's consent."""
        self.world.person("Zoe")
        self.uid["Z"], self.letter["Zoe"] = "Zoe", "Z"
        read = accept_agreement.read(self.world.ctx, Reader(self.circle.group.organiser), self.circle.id)
        request = self.asks(leaver, "substitution", other="Z")
        self.consents("Z", request, read["hash"])
        if leaver != self.organiser:
            self.consents(self.organiser, request)

    @property
    def organiser(self) -> str:
        """The letter of the organiser."""
        return self.letter[self.circle.group.organiser]

    def member(self, *but: str) -> str:
        """The letter of a member who is not the organiser, nor one of these."""
        return next(one for one in self.uid if one not in {self.organiser, *but})

    def contribution(self, letter: str, cycle: int) -> Any:
        return self.circle.contribution(cycle, self.uid[letter])

    # --- how it ends ----------------------------------------------------------------------------------------

    def paid(self) -> dict[str, int]:
        """What the processor took from each person, less what it gave back, in pounds."""
        return self._sums({"contribution_settled": 1, "contribution_refunded": -1}, "member")

    def got(self) -> dict[str, int]:
        """What the processor sent to each person, in pounds."""
        return self._sums({"payout_sent": 1}, "recipient")

    def _sums(self, types: dict[str, int], who: str) -> dict[str, int]:
        found: defaultdict[str, int] = defaultdict(int)
        for fact in self.circle.facts():
            if fact.type in types:
                found[self.letter[fact.payload[who]]] += types[fact.type] * fact.payload["pence"]
        return {letter: pence // 100 for letter, pence in sorted(found.items())}

    def balanced(self) -> None:
        """Ours and the processor's books agree to the penny, and nothing lies in quarantine."""
        assert self.world.reconcile()["differences"] == []
        assert not self.auditor.violations, self.auditor.violations
        assert self.world.documents("quarantine") == []

    def ended(self, state: str = "completed") -> None:
        """The circle is over, nothing is owed and nothing left: only the house's costs and income stand."""
        assert self.balances().keys() <= {"fees", "fees_platform", "house", "loss"}
        if self.book is None:
            self.balanced()
        assert self.circle.group.state == state
