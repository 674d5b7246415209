"""Founding a circle: what is drawn for it, and the steps from the first idea to the lock.

What is to be done next, and by whom, is read off the circle as it stands, as its people would.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

from shared.domain.groups import Group, Terms, agreement_hash, agreement_text, draft_schedule
from shared.services import accept_agreement, approve_member, create_group, invite, join_group, lock_group
from shared.services.context import Command, Reader
from shared.services.set_order import rank_cycles, set_the_order

if TYPE_CHECKING:
    from tests.simulation.lifecycle import Lifecycle

METHODS = ("random", "preference", "organiser", "trust")

FEES_PENCE = (0, 0, 95, 1_220)  # on top of each contribution: none, what a card takes of £50, and of £800

MINDS_NO_CYCLE = 0.2
"""The share of members who rank no cycle, where they might."""

HERE = frozenset({"requested", "approved", "agreed"})
"""Who is in a circle that forms, or asks to be."""

Step = tuple[str, Callable[..., Any]]
"""Who does it, and the use case, which still wants the command."""


def draw_terms(life: Lifecycle, members: int, starts: date, amounts_pence: list[int]) -> Terms:
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


class Founding:
    """One circle of these people, the first of them its organiser, until it is locked."""

    def __init__(self, life: Lifecycle, people: list[str], terms: Terms) -> None:
        self._life = life
        self._people = people
        self._terms = terms
        chance = life.chance
        self._order = chance.sample(people, len(people))
        cycles = range(1, len(people) + 1)
        self._rankings = {
            uid: chance.sample(cycles, len(cycles)) for uid in people if chance.random() > MINDS_NO_CYCLE
        }
        self._gid = ""
        self._code = ""

    def at_once(self) -> None:
        """Everybody does their part, and nothing comes between."""
        while not self._life.auditor.violations and (steps := self.steps()):
            for uid, step in steps:
                step(command=self._life.world.command(uid))

    # --- what is to be done ---------------------------------------------------------------------------------

    @property
    def group(self) -> Mapping[str, Any] | None:
        return self._life.auditor.document(f"groups/{self._gid}")

    def steps(self) -> list[Step]:
        """What is to be done next; nothing once the circle is locked."""
        group = self.group
        if group is None:
            return [(self._people[0], self._create)]
        if group["state"] != "recruiting":
            return []
        organiser = group["organiser"]
        if not self._code:
            return [(organiser, self._invite)]
        here = {seat["uid"]: seat for seat in group["seats"] if seat["state"] in HERE}
        return (
            self._joining(organiser, here)
            or self._ordering(group, here)
            or self._agreeing(group, here)
            or [(organiser, partial(lock_group.lock, self._life.world.ctx, gid=self._gid))]
        )

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

    # --- steps that leave something in mind -----------------------------------------------------------------

    def _create(self, command: Command) -> None:
        made = create_group.create_group(self._life.world.ctx, command, self._terms)
        self._gid = self._gid or made["id"]

    def _invite(self, command: Command) -> None:
        self._code = invite.invite(self._life.world.ctx, command, self._gid, 14)["code"]

    def _accept(self, command: Command) -> None:
        ctx = self._life.world.ctx
        read = accept_agreement.read(ctx, Reader(command.actor), self._gid)
        accept_agreement.accept(ctx, command, self._gid, read["hash"])
