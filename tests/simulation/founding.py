"""Founding a circle: what is drawn for it, and the steps from the first idea to the lock, or to its end.

What is to be done next, and by whom, is read off the circle as it stands, as its people would. The first
circle of a seed is founded at once; every other one while that one runs, and under all its faults: each step
is a client's request, which may crash, come twice, meet the others', or be forgotten.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from shared.domain.commitments import GROUPS_MAX, MONTHLY_PENCE_MAX, monthly_pence
from shared.domain.errors import (
    AccountClosed,
    CapReached,
    DetailsToCheck,
    InvitationInvalid,
    Refusal,
    TurnsNotOpen,
)
from shared.domain.groups import Group, Terms, agreement_hash, agreement_text, draft_schedule
from shared.services import (
    accept_agreement,
    approve_member,
    assign_role,
    cancel_group,
    create_group,
    edit_group,
    import_circle,
    invitations,
    invite,
    join_group,
    leave_group,
    lock_group,
    withdraw_request,
)
from shared.services.context import Command, Reader
from shared.services.set_order import rank_cycles, set_the_order

if TYPE_CHECKING:
    from tests.simulation.lifecycle import Lifecycle

METHODS = ("random", "preference", "organiser", "trust")

AMOUNTS_PENCE = (5_000, 10_000, 50_000, 80_000)
FEES_PENCE = (0, 0, 95, 1_220)  # on top of each contribution: none, what a card takes of £50, and of £800

MINDS_NO_CYCLE = 0.2
"""The share of members who rank no cycle, where they might."""

PAID_SHORT = 0.15
"""The share of contributions on paper of which something was left open."""

INSIDE = frozenset({"approved", "agreed"})
HERE = INSIDE | {"requested"}
"""Who is in a circle that forms, or asks to be."""

TIMES = (0, 1, 1, 1, 1, 2)
"""How often somebody does what is theirs to do, when they look: it is forgotten, or clicked twice."""

LOOKS_AFTER_HOURS_MAX = 30

THOUGHT_BETTER_OF = (
    "leaves-forming",
    "request-withdrawn",
    "rejected",
    "invitation-revoked",
    "drafted",
    "removed-forming",
)
"""What people of a circle that forms take back (`cases`)."""

THINKS_BETTER = 0.5
"""The chance that one of these comes about when people look at the circle, where it can wait for another."""

FIRST_IDEA = "A first idea"
"""The name of a circle that is only drafted."""

CALLED_OFF = 0.3
"""The chance that the organiser thinks better of a circle, some days after its beginning."""

STARTS_AFTER_DAYS = (36, 60)
LOCKED_BEFORE_DAYS = 18
"""Nine working days before the first due date a circle cannot be locked any more (shared.domain.groups)."""

Step = tuple[str, Callable[..., Any]]
"""Who does it, and the use case, which still wants the command."""


def draw_terms(life: Lifecycle, members: int, starts: date, amounts_pence: Sequence[int]) -> Terms:
    """The terms of a circle, by chance."""
    chance = life.chance
    amount_pence, method = chance.choice(amounts_pence), chance.choice(METHODS)
    policy = chance.choice(["wait", "pay_cleared", "reserve"])
    if method == "trust":
        policy = "reserve"  # of people whom nobody knows, no early turn is open without one
    agreed = life.cases.terms(amount_pence, policy)
    if method == "trust":
        agreed["reserve_pence"] = amount_pence
    return Terms(
        name="A circle",
        amount_pence=amount_pence,
        frequency=chance.choice(["weekly", "monthly"]),
        members=members,
        first_due_date=starts,
        order_method=method,
        default_policy=policy,
        wait_days=chance.choice([3, 7, 14]),
        added_fee_pence=FEES_PENCE[(life.seed + len(life.circles)) % len(FEES_PENCE)],
        **agreed,
    )


def look_again(life: Lifecycle, look: Callable[[], None]) -> None:
    """In some hours, or the day after."""
    after = timedelta(minutes=life.chance.randrange(30, LOOKS_AFTER_HOURS_MAX * 60))
    life.cloud.later("somebody: looks at what they found", after, look, may_crash=False)


class Founding:
    """One circle of these people, the first of them its organiser, until it is locked or called off."""

    def __init__(
        self, life: Lifecycle, people: list[str], terms: Terms, called_off: Callable[[], None] = lambda: None
    ) -> None:
        self._life = life
        self._people = people
        self._terms = terms
        self._called_off = called_off
        chance = life.chance
        self._order = chance.sample(people, len(people))
        cycles = range(1, len(people) + 1)
        self._rankings = {
            uid: chance.sample(cycles, len(cycles)) for uid in people if chance.random() > MINDS_NO_CYCLE
        }
        self._gid = ""
        self._code = ""
        self._founder_is_gone = False
        self._gives_up_on = terms.first_due_date - timedelta(days=LOCKED_BEFORE_DAYS)
        self._has_a_successor = "hand-over" in life.cases.active
        self._has_another_order = terms.order_method == "organiser" and chance.random() < 0.5
        self._mind = random.Random(f"minds:{life.seed}:{people[0]}:{terms.first_due_date}")
        self._in_mind = [
            thought
            for thought in THOUGHT_BETTER_OF
            if thought in life.cases.active
            for _ in range(self._mind.choice([1, 1, 2]))
        ]

    def at_once(self) -> None:
        """Everybody does their part, and nothing comes between."""
        while not self._life.auditor.violations and (steps := self.steps()):
            for uid, step in steps:
                step(command=self._life.world.command(uid))

    def begin(self) -> None:
        """Somebody has the idea; from now on the circle's people do what is theirs when they look at it."""
        if self._life.chance.random() < CALLED_OFF:
            self.give_up_after(self._life.chance.randrange(2, 14))
        self._look()

    @property
    def is_open(self) -> bool:
        """Whether it may still come to a lock."""
        if self.group is None:
            return not self._founder_is_gone
        return self.group["state"] in {"draft", "recruiting"}

    def give_up_after(self, days: int) -> None:
        """The organiser calls it off then."""
        self._gives_up_on = self._today() + timedelta(days=days)

    def _look(self) -> None:
        if self.is_open:
            if "floor-refused" in self._life.cases.active:
                self._life.reconcile()
            self.act()
            look_again(self._life, self._look)
        elif self.group is not None and self.group["state"] == "cancelled":
            self._called_off()

    def act(self) -> None:
        """Everybody does what seems to be theirs now."""
        chance = self._life.chance
        for uid, step in self.steps() + self._second_thoughts():
            for _ in range(chance.choice(TIMES)):
                self._life.client(uid, partial(self._do, step))

    def _second_thoughts(self) -> list[Step]:
        """The organiser calls it off, gives it to somebody else, or sets another order after some have
        accepted the first, whatever the others do meanwhile."""
        group = self.group
        if group is None:
            return []
        about: dict[str, Any] = {"ctx": self._life.world.ctx, "gid": self._gid}
        if self._today() >= self._gives_up_on:
            return [(group["organiser"], partial(cancel_group.cancel, **about))]
        others = [
            seat["uid"] for seat in group["seats"] if seat["state"] in INSIDE and seat["role"] == "member"
        ]
        if self._has_a_successor and others:
            self._has_a_successor = False
            gives = partial(assign_role.assign, uid=others[-1], role="organiser", **about)
            return [(group["organiser"], gives)]
        if self._has_another_order and any(seat["state"] == "agreed" for seat in group["seats"]):
            self._has_another_order = False
            other = partial(set_the_order, order=self._order[::-1], **about)
            return [(group["organiser"], other)]
        return self._reconsiders(group, about)

    def _reconsiders(self, group: Mapping[str, Any], about: dict[str, Any]) -> list[Step]:
        """Somebody leaves, or takes their request back, and will ask anew; the organiser rejects or removes
        somebody, or takes the code back by which all come, and thinks better of that, too."""
        asking = sorted(seat["uid"] for seat in group["seats"] if seat["state"] == "requested")
        inside = sorted(seat["uid"] for seat in group["seats"] if seat["state"] in INSIDE)
        possible: dict[str, Step] = {}
        if asking:  # not for long
            uid = self._mind.choice(asking)
            possible["request-withdrawn"] = (uid, partial(withdraw_request.withdraw, **about))
            rejects = partial(approve_member.reject, uid=uid, **about)
            possible["rejected"] = (group["organiser"], rejects)
        elif self._mind.random() < THINKS_BETTER:
            leaves = partial(leave_group.leave, **about)
            possible["leaves-forming"] = (self._mind.choice(inside), leaves)
            others = [uid for uid in inside if uid != group["organiser"]]
            if others and "removed-forming" in self._in_mind:
                removes = partial(approve_member.remove, uid=self._mind.choice(others), **about)
                possible["removed-forming"] = (group["organiser"], removes)
            if self._has_codes:
                possible["invitation-revoked"] = (group["organiser"], self._revoke)
        thoughts = [thought for thought in self._in_mind if thought in possible]
        if not thoughts:
            return []
        thought = self._mind.choice(thoughts)
        self._in_mind.remove(thought)
        return [possible[thought]]

    def _do(self, step: Callable[..., Any], command: Command) -> None:
        try:
            step(command=command)
        except Refusal as refused:
            self._life.cases.refused(refused)
            self._founder_is_gone |= self.group is None and isinstance(refused, AccountClosed)
            if isinstance(refused, AccountClosed | CapReached | TurnsNotOpen):
                self.give_up_after(0)  # it will not come about with these people
            elif isinstance(refused, DetailsToCheck):
                self._life.people.staff_let_go()
            raise

    def _today(self) -> date:
        return self._life.clock.moment.date()

    # --- what is to be done ---------------------------------------------------------------------------------

    @property
    def group(self) -> Mapping[str, Any] | None:
        return self._life.auditor.document(f"groups/{self._gid}")

    def steps(self) -> list[Step]:
        """What is to be done next; nothing once the circle is locked, or called off."""
        group = self.group
        if group is None:
            return [(self._people[0], self._create)]
        organiser = group["organiser"]
        if group["state"] == "draft":
            return self._drafting(group, organiser)
        if group["state"] != "recruiting":
            return []
        here = {seat["uid"]: seat for seat in group["seats"] if seat["state"] in HERE}
        return (
            self._inviting(organiser)
            or self._joining(organiser, here)
            or self._ordering(group, here)
            or self._agreeing(group, here)
            or [(organiser, partial(lock_group.lock, self._life.world.ctx, gid=self._gid))]
        )

    def _drafting(self, group: Mapping[str, Any], organiser: str) -> list[Step]:
        """The organiser gives the first idea its terms, and lets it be seen."""
        about: dict[str, Any] = {"ctx": self._life.world.ctx, "gid": self._gid}
        if group["terms"]["name"] != FIRST_IDEA:
            return [(organiser, partial(edit_group.publish, **about))]
        edits = partial(edit_group.edit, terms=self._terms, revision=group["revision"], **about)
        return [(organiser, edits)]

    def _inviting(self, organiser: str) -> list[Step]:
        return [] if self._code else [(organiser, self._invite)]

    def _joining(self, organiser: str, here: Mapping[str, Any]) -> list[Step]:
        ctx = self._life.world.ctx
        joins = partial(join_group.join, ctx, gid=None, code=self._code)
        steps: list[Step] = [(uid, joins) for uid in self._people if uid not in here]
        for uid, seat in here.items():
            if seat["state"] == "requested":
                steps.append((organiser, partial(approve_member.approve, ctx, gid=self._gid, uid=uid)))
        return steps

    def _ordering(self, group: Mapping[str, Any], here: Mapping[str, Any]) -> list[Step]:
        """What the method of the order wants before everybody agrees."""
        about: dict[str, Any] = {"ctx": self._life.world.ctx, "gid": self._gid}
        match self._terms.order_method:
            case "organiser" if not group["order"]:
                return [(group["organiser"], partial(set_the_order, order=self._order, **about))]
            case "preference":
                wishes = {uid: one for uid, one in self._rankings.items() if here[uid]["ranking"] != one}
                return [(uid, partial(rank_cycles, ranking=one, **about)) for uid, one in wishes.items()]
        return []

    def _agreeing(self, group: Mapping[str, Any], here: Mapping[str, Any]) -> list[Step]:
        """Whoever has not accepted the agreement as it reads now."""
        now = Group.model_validate(dict(group))
        schedule = draft_schedule(now.terms, self._life.world.ctx.holidays)
        current = agreement_hash(agreement_text(now, schedule))
        return [(uid, self._accept) for uid, seat in here.items() if seat["agreed_hash"] != current]

    @property
    def _has_codes(self) -> bool:
        return bool(self._code)

    # --- steps that leave something in mind -----------------------------------------------------------------

    def _create(self, command: Command) -> None:
        draft = "drafted" in self._in_mind
        terms = self._terms.with_(name=FIRST_IDEA, grace_days=5) if draft else self._terms
        made = create_group.create_group(self._life.world.ctx, command, terms, draft=draft)
        self._gid = self._gid or made["id"]

    def _invite(self, command: Command) -> None:
        self._code = invite.invite(self._life.world.ctx, command, self._gid, 30)["code"]

    def _revoke(self, command: Command) -> None:
        """The code opens nothing any more: there will be another."""
        for path, invitation in list(self._life.auditor.all_documents().items()):
            if path.startswith("invitations/") and invitation["group"] == self._gid:
                invitations.revoke(self._life.world.ctx, command, self._gid, invitation["fingerprint"])
        self._code = ""

    def _accept(self, command: Command) -> None:
        ctx = self._life.world.ctx
        read = accept_agreement.read(ctx, Reader(command.actor), self._gid)
        accept_agreement.accept(ctx, command, self._gid, read["hash"])


class Bringing(Founding):
    """A circle that ran on paper and comes here in the middle, with some who have paid short."""

    def __init__(
        self, life: Lifecycle, people: list[str], terms: Terms, called_off: Callable[[], None]
    ) -> None:
        super().__init__(life, people, terms.with_(order_method="random"), called_off)
        self._codes: dict[str, str] = {}
        chance, amount = life.chance, terms.amount_pence
        done = chance.randrange(1, len(people) - 1)
        self._paid = {
            uid: [
                chance.choice([0, amount // 2, amount - 1]) if chance.random() < PAID_SHORT else amount
                for _ in range(done)
            ]
            for uid in self._order
        }

    @property
    def _file(self) -> bytes:
        """The circle as its organiser has it in a spreadsheet, in pounds, by the turns."""
        pots = [sum(pot) for pot in zip(*self._paid.values(), strict=True)]
        lines = [",".join(["email", "turn", *(f"paid_{at}" for at in range(1, len(pots) + 1)), "received"])]
        for turn, uid in enumerate(self._order, start=1):
            received = pots[turn - 1] if turn <= len(pots) else 0
            pounds = [f"{pence / 100:.2f}" for pence in (*self._paid[uid], received)]
            lines.append(",".join([_email(uid), str(turn), *pounds]))
        return "\n".join(lines).encode()

    def _create(self, command: Command) -> None:
        made = import_circle.import_circle(
            self._life.world.ctx, command, self._terms, self._file, _email(command.actor)
        )
        if not self._gid:
            self._gid = made["id"]
            self._codes = {self._order[one["turn"] - 1]: one["code"] for one in made["invitations"]}

    def _inviting(self, organiser: str) -> list[Step]:
        """The import has done it: each has a code of their own. Whose is dead gets another."""
        seats = self.group["seats"] if self.group else ()
        here = {seat["uid"] for seat in seats if seat["state"] in HERE}
        dead = [uid for uid in self._people if uid not in here and uid not in self._codes]
        return [(organiser, partial(self._renew, uid)) for uid in dead]

    @property
    def _has_codes(self) -> bool:
        return bool(self._codes)

    def _renew(self, uid: str, command: Command) -> None:
        turn = self._order.index(uid) + 1
        made = invite.invite(self._life.world.ctx, command, self._gid, 30, _email(uid), turn=turn)
        self._codes[uid] = made["code"]

    def _revoke(self, command: Command) -> None:
        """The code of somebody who has not come yet, or might come again."""
        if not self._codes:
            return
        turn = self._order.index(self._mind.choice(sorted(self._codes))) + 1
        for path, one in list(self._life.auditor.all_documents().items()):
            about = path.startswith("invitations/") and (one["group"], one["turn"]) == (self._gid, turn)
            if about and not one["revoked"]:
                invitations.revoke(self._life.world.ctx, command, self._gid, one["fingerprint"])
                return

    def _joining(self, organiser: str, here: Mapping[str, Any]) -> list[Step]:
        return [(uid, partial(self._join, uid)) for uid in self._codes if uid not in here]

    def _join(self, uid: str, command: Command) -> None:
        """Who finds their code dead says so: the organiser has revoked it, has removed them, or has made
        another at the same time."""
        ctx, code = self._life.world.ctx, self._codes.get(uid, "")
        try:
            join_group.join(ctx, command, None, code, email=_email(uid))
        except InvitationInvalid:
            self._codes.pop(uid, None)
            raise


def _email(uid: str) -> str:
    return f"{uid.lower()}@example.com"


class Overreach:
    """Somebody founds as many circles as they may be in, and two more; accepts all of them at once, as far as
    they are let; and calls them off some days later."""

    def __init__(self, life: Lifecycle, uid: str) -> None:
        self._life = life
        self._circles = [Founding(life, [uid], terms) for terms in self._most(uid)]
        for circle in self._circles:
            circle.give_up_after(4)

    def begin(self) -> None:
        """All of them take their next step together, again and again, until they are called off."""
        for circle in self._circles:
            if circle.is_open:
                circle.act()
        if any(circle.is_open for circle in self._circles):
            look_again(self._life, self.begin)

    def _most(self, uid: str) -> list[Terms]:
        """The largest circles first, each that still fits."""
        starts = self._life.clock.moment.date() + timedelta(days=STARTS_AFTER_DAYS[1])
        offers = [
            Terms(name="Theirs", amount_pence=pence, frequency=often, members=5, first_due_date=starts)
            for pence in AMOUNTS_PENCE
            for often in ("weekly", "monthly")
        ]
        offers.sort(key=monthly_pence)
        promised = self._life.auditor.promised(uid)
        left_pence, places = MONTHLY_PENCE_MAX - sum(promised.values()), GROUPS_MAX - len(promised)
        taken: list[Terms] = []
        for terms in [*reversed(offers), *offers[:1] * GROUPS_MAX]:
            if monthly_pence(terms) <= left_pence and len(taken) < places:
                taken.append(terms)
                left_pence -= monthly_pence(terms)
        return [*taken, *offers[:2]]
