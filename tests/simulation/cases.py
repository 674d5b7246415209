"""What people do with a circle that runs: leave it, take it over, change turns, freeze, forgive, end it.

Each is a case of issue 5. Those that somebody has to begin are begun at a moment that the seed draws; those
that follow from how money came are only counted. What counts is the fact in the journal, not the wish.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from shared.domain.calendar import london_day, opening_of
from shared.domain.commitments import GROUPS_MAX, MONTHLY_PENCE_MAX
from shared.domain.disputes import Remedy
from shared.domain.errors import CapReached, CycleOpen, HouseTooThin, PotsDiffer, Refusal, RemedyImpossible
from shared.domain.house import FLOOR_PENCE
from shared.domain.permissions import Role
from shared.domain.words import ApprovalKind, GroupRole
from shared.ports import IdentityProvider
from shared.services import (
    accept_agreement,
    approvals,
    assign_role,
    disputes,
    erase_person,
    hardship,
    leave_group,
    pay_contribution,
    payment_methods,
    refund_contribution,
)
from shared.services.context import Command, Reader
from tests.builders import CAPITAL_PENCE
from tests.simulation.founding import THOUGHT_BETTER_OF, Overreach
from tests.simulation.ports import Change

if TYPE_CHECKING:
    from tests.simulation.lifecycle import Lifecycle

BEGUN = (
    "leaves-before-turn",
    "leaves-after-turn",
    "leaver-agrees-plan",
    "substitution",
    "removal",
    "death",
    "hardship",
    "plan",
    "swap",
    "swap-races-payout",
    "wind-up",
    "write-off",
    "fee-change",
    "large-payout",
    "refused",
    "refund",
    "mediation",
    "hand-over",
    "deputy",
    "cap-refused",
    "floor-refused",
    "part-refund",
)
SECOND_THOUGHTS = (
    "leaves-forming",
    "request-withdrawn",
    "rejected",
    "invitation-revoked",
    "drafted",
    "approval-withdrawn",
    "dispute-withdrawn",
    "appeal",
    "method-removed",
    "erased",
    "removed-forming",
)
"""What somebody takes back: the first five and the last while a circle forms (`founding`), the others while
it runs. A new one comes last: the chances of the others stay what they were."""

FOLLOWING = (
    "beside",
    "called-off",
    "called-off-agreed",
    "asks-anew",
    "brought-in",
    "cap-just-kept",
    "floor-kept",
    "floor-keeps-the-house-out",
    "order-random",
    "order-preference",
    "order-organiser",
    "order-trust",
    "shortfall-wait",
    "shortfall-pay-cleared",
    "shortfall-reserve",
    "reserve-fills",
    "top-up",
    "netted",
    "credit-used",
    "credit-returned",
    "reserve-in",
    "reserve-out",
)
NAMES = BEGUN + SECOND_THOUGHTS + FOLLOWING

EVERY_NTH_SEED = 5
"""Each seed has a fifth of the cases, in turn; every fifth seed's circle is left alone."""

ALSO = 0.10
"""The chance of each further case: so that any two of them meet in some seed."""

THINKS_BETTER = 0.35
"""The chance of each second thought in a seed whose circle is not left alone."""

ASKED_BEFORE = timedelta(days=11)
"""A request stands for two weeks: one that is to meet a payday is made so long before it."""

TRIES = 6
"""A case waits for its opportunity so often: a few days later there may be a debt to forgive."""

NOBODY: frozenset[Role] = frozenset()
FINANCE = frozenset({Role.FINANCE})
STAFF = ("staff:asks", "staff:looks")
SUPPORT = Reader("staff:hears", "req_hears", frozenset({Role.SUPPORT}), "To decide a dispute.")
APPEALS = Reader("staff:hears again", "req_hears", frozenset({Role.SUPPORT}), "To decide an appeal.")
JUST_KEPT = 0.95
"""Of what somebody may promise in a month: from here on it is a near miss."""

SPARE = ("Zoe", "Yan")
"""Who would take a place over."""

CHANCES = {"plan": 0.5, "write-off": 0.5, "floor-refused": 1.0}
"""The chance that a new debt leads to it, in a seed that has it."""


def begun_by(seed: int, chance: random.Random) -> frozenset[str]:
    """What is begun in a seed."""
    also = {name for name in BEGUN if chance.random() < ALSO}
    turn = seed % EVERY_NTH_SEED
    in_turn = {name for at, name in enumerate(BEGUN) if at % (EVERY_NTH_SEED - 1) == turn}
    return frozenset(in_turn | also if turn < EVERY_NTH_SEED - 1 else ())


def thought_better_of(seed: int) -> frozenset[str]:
    """What is taken back in a seed, by a chance of its own: what is begun does not change with it."""
    chance = random.Random(f"second thoughts:{seed}")
    if seed % EVERY_NTH_SEED == EVERY_NTH_SEED - 1:
        return frozenset()
    return frozenset(name for name in SECOND_THOUGHTS if chance.random() < THINKS_BETTER)


class ForgottenSignIns:
    """`IdentityProvider` of which only the removal is asked."""

    def remove(self, uid: str) -> None:
        """Nobody signs in here."""


class Cases:
    """The cases of one seed: watches every commit, counts what came about, and begins what is to come."""

    def __init__(self, life: Lifecycle, only: Iterable[str] | None) -> None:
        self._life = life
        self._chance = random.Random(f"cases:{life.seed}")
        begun = begun_by(life.seed, self._chance)
        self.active = frozenset(begun | thought_better_of(life.seed) if only is None else only)
        self.came_about: Counter[str] = Counter()
        self._keys = 0
        self._spare = list(SPARE)
        self._refused: set[str] = set()
        self._racing: set[str] = set()

    @property
    def capital_pence(self) -> int:
        """What the house begins with: a little less than its floor, where that is to come into play."""
        return FLOOR_PENCE - 5_00 if "floor-refused" in self.active else CAPITAL_PENCE

    @property
    def needs_second(self) -> bool:
        """Whether something is to come about at the founding of a second circle."""
        return not self.active.isdisjoint({"floor-refused", *THOUGHT_BETTER_OF})

    @property
    def newcomers(self) -> tuple[str, ...]:
        """Who signs up besides the circle's members."""
        return SPARE if "substitution" in self.active else ()

    # --- before the lock ------------------------------------------------------------------------------------

    def terms(self, amount_pence: int, policy: str) -> dict[str, int]:
        """What is kept from each pot, where the circle agreed on it."""
        agreed = {}
        if policy == "reserve":
            agreed["reserve_pence"] = amount_pence // self._chance.choice([1, 2, 10])
        if "fee-change" in self.active or self._chance.random() < 0.2:
            agreed["platform_fee_pence"] = self._chance.choice([100, 333])
        return agreed

    def locked(self, gid: str) -> None:
        """The circle is locked: what its seed has in store comes at its moments."""
        group = self._group(gid)
        starts, ends = self._life.clock.moment, opening_of(_day(group["schedule"][-1]["payout_date"]))
        minutes = int((ends - starts).total_seconds()) // 60
        for case in BEGUN + SECOND_THOUGHTS:  # in this order: sets have none
            begin = self._begins.get(case)
            if case in self.active and begin is not None:
                # A wind-up too early would leave nothing to the other cases.
                earliest = minutes // 2 if case == "wind-up" else 0
                after = timedelta(minutes=self._chance.randrange(earliest, minutes))
                self._life.cloud.later(f"somebody: {case}", after, partial(self._begin, case, gid, TRIES))
        if "large-payout" in self.active and gid == self._life.circles[0].id:  # one limit holds for all
            world = self._life.world
            above = group["terms"]["amount_pence"] * (len(group["schedule"]) - 1)
            world.ctx = replace(world.ctx, two_people_above_pence=above - 1)

    def _begin(self, case: str, gid: str, tries: int) -> None:
        """Begin it, or wait for a better moment."""
        if self._group(gid)["state"] not in {"locked", "active"}:
            return
        if not self._begins[case](self, gid) and tries > 1:
            self._later(9, case, partial(self._begin, case, gid, tries - 1))

    # --- what a commit shows --------------------------------------------------------------------------------

    def saw(self, change: Change) -> None:
        """A commit changed this."""
        after = change.after
        if after is None:
            return
        root, _, rest = change.path.partition("/")
        if root == "approvals":
            if change.before is None:
                self._asked(after)
            return
        if root in {"users", "payment_methods"} and change.before is not None:
            self._taken_back(root, change.before, after)
            return
        parts = rest.split("/")
        if root != "groups" or len(parts) != 3:
            return
        if parts[1] == "journal" and change.before is None:
            self._fact(parts[0], after)
        elif parts[1] == "members" and change.before is not None:
            self._member(parts[0], change.before, after)
        elif parts[1] == "payouts" and change.before is not None:
            self._payout(parts[0], change.before, after)

    def _fact(self, gid: str, fact: Any) -> None:
        payload = fact["payload"]
        match fact["type"]:
            case "group_locked":
                self._locked(self._group(gid))
                self._life.locked(gid)
            case "agreed":
                promised = self._life.auditor.promised(payload["member"])
                if len(promised) == GROUPS_MAX or sum(promised.values()) > JUST_KEPT * MONTHLY_PENCE_MAX:
                    self._count("cap-just-kept")
            case "circle_brought_in":
                self._count("brought-in")
            case "group_cancelled":
                self._count("called-off")
                if any(seat["state"] == "agreed" for seat in self._group(gid)["seats"]):
                    self._count("called-off-agreed")
            case "requested" | "joined":
                if sum(seat["uid"] == payload["member"] for seat in self._group(gid)["seats"]) > 1:
                    self._count("asks-anew")
            case "request_withdrawn" | "rejected" | "invitation_revoked" | "approval_withdrawn":
                self._count(fact["type"].replace("_", "-"))
            case "group_edited":
                self._count("drafted")
            case "member_left" if "after_turn" not in payload:
                self._count("leaves-forming")
            case "member_removed":
                self._count("removed-forming")
            case "group_completed":
                self._may_be_forgotten(gid, [seat["uid"] for seat in self._group(gid)["seats"]])
            case "role_assigned":
                self._count("hand-over" if payload["role"] == "organiser" else "deputy")
            case "member_left" if "after_turn" in payload:
                self._left(gid, payload)
            case "place_taken_over":
                self._count("substitution")
            case "plan_agreed":
                seat = _seat(self._group(gid), payload["member"])
                self._count("leaver-agrees-plan" if seat and seat["state"] == "defaulted" else "plan")
            case "hardship_opened":
                self._count("hardship")
            case "turns_swapped":
                self._count("swap")
            case "group_wound_up":
                self._count("wind-up")
            case "written_off":
                self._count("write-off")
            case "fee_changed":
                self._count("fee-change")
            case "payout_approved":
                self._count("large-payout")
            case "approval_refused":
                self._count("refused")
            case "contribution_refunded":
                attempts = self._document(f"groups/{gid}/contributions/{payload['contribution']}")["attempts"]
                attempt = next(one for one in attempts if one["id"] == payload["attempt"])
                self._count("refund" if attempt["state"] == "refunded" else "part-refund")
            case kind if kind.startswith("dispute_") and "dispute" in payload:
                self._heard(gid, kind, payload["dispute"])
            case "credit_used":
                self._count("credit-used")
            case "payout_reserved":
                self._reserved(gid, fact)
            case "given_back":
                for share in payload["shares"]:
                    self._count("credit-returned" if share["what"] == "credit" else "reserve-out")

    def _locked(self, group: Any) -> None:
        if not group["past"]:  # else the order is the one that it came with
            self._count(f"order-{group['terms']['order_method']}")
        if self._life.circles:
            self._count("beside")
        if "floor-refused" in self.came_about:
            self._count("floor-kept")

    def _left(self, gid: str, payload: Any) -> None:
        if payload["reason"] == "removed":
            self._count("removal")
        elif payload["reason"] in {"died", "vulnerable"}:
            self._count("death")
        else:
            self._count("leaves-after-turn" if payload["after_turn"] else "leaves-before-turn")
        self._may_be_forgotten(gid, [payload["member"]])
        if payload["after_turn"] and "leaver-agrees-plan" in self.active:
            self._later(5, "a plan", lambda: self._agree_plan(gid, payload["member"]))

    def _reserved(self, gid: str, fact: Any) -> None:
        payload = fact["payload"]
        policy = self._group(gid)["terms"]["default_policy"]
        if payload["debts"]:
            self._count(f"shortfall-{policy.replace('_', '-')}")
        if any(one["account"] == "owed:reserve" and one["side"] == "credit" for one in fact["entries"]):
            self._count("reserve-fills")
        if payload["withheld_pence"]:
            self._count("reserve-in")
        if payload["netted"]:
            self._count("netted")

    def _member(self, gid: str, before: Any, after: Any) -> None:
        """Somebody owes more than before: time to talk about it."""
        known = {one["id"] for one in before["debts"]}
        for debt in after["debts"]:
            if debt["id"] in known:
                continue
            if self._is_due("plan"):
                self._later(6, "a plan", partial(self._agree_plan, gid, after["uid"]))
            if self._is_due("write-off"):
                self._later(4, "forgives", partial(self._forgive, gid, after["uid"], debt["creditor"]))
            if debt["creditor"] not in {"house", "reserve"} and self._is_due("floor-refused"):
                self._life.reconcile()
                complains = partial(self._complains, gid, debt["creditor"], after["uid"])
                self._later(2, "complains", complains)

    def _payout(self, gid: str, before: Any, after: Any) -> None:
        if after["state"] == "received" and before["state"] != "received" and after["kind"] == "top_up":
            self._count("top-up")
        if after["parked_because"] == "needs_approval" and before["parked_because"] != "needs_approval":
            self.let_go(after)

    def let_go(self, payout: Any) -> None:
        """Two of staff look at a large payout."""
        self._later(1, "looks", partial(self._ask, STAFF[0], payout["group"], "payout", about=payout["id"]))

    def _is_due(self, case: str) -> bool:
        return case in self.active and self._chance.random() < CHANCES[case]

    def refused(self, raised: Refusal) -> None:
        """Somebody was refused what they wanted of a circle that forms."""
        match raised:
            case CapReached():
                self._count("cap-refused")
            case HouseTooThin():
                if "floor-refused" not in self.came_about:
                    self._later(14, "puts in capital", lambda: self._life.top_up(CAPITAL_PENCE))
                self._count("floor-refused")

    def _count(self, case: str) -> None:
        self.came_about[case] += 1

    # --- what is begun --------------------------------------------------------------------------------------

    def _leave_before(self, gid: str) -> bool:
        return self._leaves(gid, self._someone(gid, had_turn=False))

    def _leave_after(self, gid: str) -> bool:
        return self._leaves(gid, self._someone(gid, had_turn=True))

    def _leaves(self, gid: str, uid: str | None) -> bool:
        if uid is not None:
            self._client(uid, partial(leave_group.leave, self._life.world.ctx, gid=gid))
        return uid is not None

    def _substitute(self, gid: str) -> bool:
        uid = self._someone(gid, had_turn=False)
        if uid is None or not self._spare:
            return False
        self._ask(uid, gid, "substitution", other=self._spare.pop())
        return bool(not self._spare or self._chance.random() < 0.5)  # False: one more follows

    def _remove(self, gid: str, *reasons: str) -> bool:
        uid = self._someone(gid, but=self._group(gid)["organiser"])
        asker = self._chance.choice([self._group(gid)["organiser"], STAFF[0]])
        if uid is not None:
            self._ask(asker, gid, "removal", about=uid, reason=self._chance.choice(reasons))
        return uid is not None

    def _hardship(self, gid: str) -> bool:
        uid = self._someone(gid)
        if uid is None:
            return False
        until = london_day(self._life.clock.moment) + timedelta(days=self._chance.randrange(3, 60))
        self._client(uid, partial(hardship.ask_for_time, self._life.world.ctx, gid=gid, until=until))
        return True

    def _swap(self, gid: str) -> bool:
        one = self._someone(gid, had_turn=False)
        other = self._someone(gid, had_turn=False, but=one)
        if one is None or other is None:
            return False
        self._ask(one, gid, "swap", other=other)
        return True

    def _swap_in_a_race(self, gid: str) -> bool:
        """Asked for in time; the last consent comes as the turn's cycle opens, or as its pot is paid out."""
        waiting = self._waiting(gid)
        if len(waiting) < 2:
            return False
        one, other = waiting[0], self._chance.choice(waiting[1:])
        wait = self._payday(gid, one) - ASKED_BEFORE - self._life.clock.moment
        if wait > timedelta():
            self._life.cloud.later(
                "somebody: swap", wait, partial(self._swap_in_a_race, gid), may_crash=False
            )
        else:
            self._racing.add(one)
            self._ask(one, gid, "swap", other=other)
        return True

    def _payday(self, gid: str, uid: str) -> datetime:
        cycle = self._group(gid)["schedule"][_seat(self._group(gid), uid)["position"] - 1]
        return opening_of(_day(cycle["payout_date"]))

    def _hand_over(self, gid: str, role: GroupRole) -> bool:
        """The organiser gives their role to somebody, or makes them their deputy; some do so twice."""
        organiser = self._group(gid)["organiser"]
        uid = self._someone(gid, but=organiser)
        if uid is None:
            return False
        gives = partial(assign_role.assign, self._life.world.ctx, gid=gid, uid=uid, role=role)
        self._client(organiser, gives)
        return self._chance.random() < 0.5

    def _overreach(self, gid: str) -> bool:
        uid = self._someone(gid)
        if uid is not None:
            Overreach(self._life, uid).begin()
        return uid is not None

    def _wind_up(self, gid: str) -> bool:
        if self._group(gid)["state"] != "active":
            return False
        self._ask(self._chance.choice([self._group(gid)["organiser"], STAFF[0]]), gid, "wind_up")
        return True

    def _change_fee(self, gid: str) -> bool:
        fee_pence = self._group(gid)["terms"]["platform_fee_pence"]
        if fee_pence:
            self._ask(STAFF[0], gid, "fee_change", fee_pence=fee_pence // 2)
        return True

    def _refund(self, gid: str) -> bool:
        """Staff give a contribution back whose pot is still there."""
        found = self._contributions(gid, _in_an_open_pot)
        if not found:
            return False
        about: dict[str, Any] = {
            "group": gid,
            "contribution": self._chance.choice(found)["id"],
            "reason": "asked for",
        }
        self._client(STAFF[0], partial(refund_contribution.refund, self._life.world.ctx, **about))
        return True

    def _pay_ahead(self, gid: str) -> bool:
        """Somebody pays ahead, and a part of it is given back on the processor's own page: the rest
        stands in its pot until the day."""
        ahead = self._contributions(gid, lambda one: one["state"] == "due" and not one["attempts"])
        if not ahead:
            return False
        chosen = self._chance.choice(ahead)
        about: dict[str, Any] = {"group": gid, "contribution": chosen["id"]}
        self._client(chosen["uid"], partial(pay_contribution.pay_now, self._life.world.ctx, **about))
        path = f"groups/{gid}/contributions/{chosen['id']}"
        self._later(2, "gives a part back", partial(self._give_part_back, path))
        return self._chance.random() < 0.5

    def _give_part_back(self, path: str) -> None:
        attempts = [one for one in self._document(path)["attempts"] if one["in_pot_pence"]]
        for attempt in attempts[:1]:
            pence = self._chance.randrange(1, attempt["in_pot_pence"])
            form = {"payment_intent": attempt["reference"], "amount": str(pence)}
            self._life.world.stripe.request("POST", "/v1/refunds", form)  # refused where less is left of it

    def _contributions(self, gid: str, are: Callable[[Any], bool]) -> list[Any]:
        """The circle's contributions that are so, in an order that a seed repeats."""
        all_of_it = (
            one for path, one in self._life.documents("contributions") if path.startswith(f"groups/{gid}/")
        )
        return sorted(filter(are, all_of_it), key=lambda one: str(one["id"]))

    def _quarrel(self, gid: str) -> bool:
        """Somebody says that another promised them something besides."""
        one = self._someone(gid)
        other = self._someone(gid, but=one)
        if one is None or other is None:
            return False
        self._complains(gid, one, other)
        return True

    def _complains(self, gid: str, uid: str, other: str) -> None:
        about: dict[str, Any] = {
            "gid": gid,
            "kind": "person",
            "subject": other,
            "text": "They promised.",
            "evidence": [],
        }
        self._client(uid, partial(disputes.open_dispute, self._life.world.ctx, **about))

    def _heard(self, gid: str, fact: str, did: str) -> None:
        """The other answers, support takes it up and decides: a claim, or the house pays one that is open."""
        ctx, dispute = self._life.world.ctx, self._document(f"groups/{gid}/disputes/{did}")
        at: dict[str, Any] = {"gid": gid, "did": did}
        reviewer = APPEALS if dispute["appeal_of"] else SUPPORT
        if "dispute-withdrawn" in self.active and dispute["verdict"] is None and self._chance.random() < 0.2:
            withdraws = partial(disputes.withdraw, ctx, **at)
            self._later(3, "thinks better", partial(self._client, dispute["opened_by"], withdraws))
        match fact:
            case "dispute_opened" | "dispute_appealed":
                other = dispute["against"]
                says = partial(disputes.add, ctx, reader=Reader(other), text="No.", evidence=[], **at)
                self._later(3, "answers", partial(self._client, other, says))
            case "dispute_entry":
                takes_up = partial(disputes.take_up, ctx, reader=reviewer, **at)
                self._later(3, "takes up", partial(self._client, reviewer.uid, takes_up))
            case "dispute_taken_up":
                self._later(3, "decides", partial(self._decide, gid, did))
            case "dispute_withdrawn":
                self._count("dispute-withdrawn")
            case "dispute_decided":
                self._count("appeal" if dispute["appeal_of"] else "mediation")
                if "appeal" in self.active and not dispute["appeal_of"]:
                    loses = self._chance.choice([dispute["against"], dispute["opened_by"]])
                    appeals = partial(disputes.appeal, ctx, text="I was not heard.", **at)
                    self._later(9, "appeals", partial(self._client, loses, appeals))

    def _decide(self, gid: str, did: str) -> None:
        dispute = self._document(f"groups/{gid}/disputes/{did}")
        debtor, creditor = dispute["against"], dispute["opened_by"]
        open_debts = [
            debt["id"]
            for debt in self._document(f"groups/{gid}/members/{debtor}")["debts"]
            if debt["left_pence"] and debt["creditor"] not in {"house", "reserve"}
        ]
        claim = Remedy(kind="claim", debtor=debtor, creditor=creditor, pence=self._chance.randrange(1, 9_000))
        remedies = [claim]
        if open_debts and self._chance.random() < (1.0 if "floor-refused" in self.active else 0.5):
            remedies = [Remedy(kind="house_pays", debtor=debtor, debt=self._chance.choice(open_debts)), claim]
        reviewer = APPEALS if dispute["appeal_of"] else SUPPORT
        about: dict[str, Any] = {
            "reader": reviewer,
            "gid": gid,
            "did": did,
            "outcome": "upheld",
            "reason": "Both were heard.",
        }
        self._client(reviewer.uid, partial(self._upholds, about, remedies))

    def _upholds(self, about: Any, remedies: list[Remedy], command: Command) -> None:
        """By the first remedy; by the other one where the house has too little left for it."""
        decides = partial(disputes.decide, self._life.world.ctx, command, **about)
        try:
            decides(remedies=remedies[:1])
        except RemedyImpossible as refused:
            if "floor" not in str(refused) or len(remedies) == 1:
                raise
            self._count("floor-keeps-the-house-out")
            decides(remedies=remedies[1:])

    # --- what is taken back ---------------------------------------------------------------------------------

    def _taken_back(self, root: str, before: Any, after: Any) -> None:
        if root == "users" and before["state"] != after["state"] == "closed":
            self._count("erased")
        elif root == "payment_methods" and len(after["methods"]) < len(before["methods"]):
            self._count("method-removed")

    def _change_methods(self, gid: str) -> bool:
        """Somebody has a new method, and has one of theirs forgotten, whatever it is collecting."""
        uid = self._someone(gid)
        if uid is not None:
            self._life.people.new_method(uid)
            self._later(9, "wants a method forgotten", partial(self._remove_method, uid))
        return uid is not None and self._chance.random() < 0.5

    def _remove_method(self, uid: str) -> None:
        methods = (self._document(f"payment_methods/{uid}") or {"methods": ()})["methods"]
        if len(methods) > 1:
            method = self._chance.choice(methods)["reference"]
            self._client(uid, partial(payment_methods.remove, self._life.world.ctx, method=method))

    def _may_be_forgotten(self, gid: str, uids: list[str]) -> None:
        """Two of these at most ask to be erased, and once more later: while money is owed it is refused."""
        if "erased" not in self.active:
            return
        for uid in self._chance.sample(uids, min(2, len(uids))):
            for days in (9, 60):
                self._later(days, "wants to be forgotten", partial(self._forget, uid))

    def _forget(self, uid: str) -> None:
        people = cast(IdentityProvider, ForgottenSignIns())
        self._client(uid, partial(erase_person.erase, self._life.world.ctx, people=people))

    _begins: Mapping[str, Callable[[Cases, str], bool]] = {
        "leaves-before-turn": _leave_before,
        "leaves-after-turn": _leave_after,
        "leaver-agrees-plan": _leave_after,
        "substitution": _substitute,
        "removal": lambda self, gid: self._remove(gid, "removed"),
        "death": lambda self, gid: self._remove(gid, "died", "vulnerable"),
        "hardship": _hardship,
        "swap": _swap,
        "swap-races-payout": _swap_in_a_race,
        "wind-up": _wind_up,
        "fee-change": _change_fee,
        "refund": _refund,
        "part-refund": _pay_ahead,
        "mediation": _quarrel,
        "hand-over": lambda self, gid: self._hand_over(gid, "organiser"),
        "deputy": lambda self, gid: self._hand_over(gid, "deputy"),
        "cap-refused": _overreach,
        "approval-withdrawn": _swap,
        "dispute-withdrawn": _quarrel,
        "appeal": _quarrel,
        "method-removed": _change_methods,
    }

    def _agree_plan(self, gid: str, uid: str) -> None:
        """All that is owed, in two to five weekly parts."""
        owed = sum(debt["left_pence"] for debt in self._document(f"groups/{gid}/members/{uid}")["debts"])
        if not owed:
            return
        count = self._chance.randrange(2, 6)
        today = london_day(self._life.clock.moment)
        parts = [owed // count] * (count - 1)
        parts.append(owed - sum(parts))
        # The answer may take some days: the first part is due after that.
        instalments = [
            {"pence": pence, "due_date": (today + timedelta(days=7 * (at + 1))).isoformat()}
            for at, pence in enumerate(parts)
        ]
        self._ask(uid, gid, "plan", instalments=instalments)

    def _forgive(self, gid: str, debtor: str, creditor: str) -> None:
        asker = STAFF[0] if creditor in {"house", "reserve"} else creditor
        self._ask(asker, gid, "write_off", about=debtor, other=creditor)

    # --- requests and their answers -------------------------------------------------------------------------

    def _ask(self, asker: str, gid: str, kind: ApprovalKind, **payload: Any) -> str:
        """Ask for what others must consent to. Returns the key under which it was asked."""
        roles = FINANCE if asker in STAFF else NOBODY
        return self._client(
            asker,
            partial(approvals.ask, self._life.world.ctx, roles=roles, gid=gid, kind=kind, payload=payload),
        )

    def _asked(self, approval: Any) -> None:
        """Those whose consent is wanted hear of it, and answer after a while; one or the other refuses."""
        gid, consents = approval["group"], approval["consents"]
        if "approval-withdrawn" in self.active and approval["kind"] not in {"payout", "fee_change"}:
            self._asker_withdraws(approval)
        refuses = approval["kind"] not in {"payout", "fee_change"} and self._is_refused(approval)
        for at, consent in enumerate(consents):
            uid = self._who_answers(gid, approval, consent["slot"])
            if uid is None:
                continue
            about = {"roles": FINANCE if uid in STAFF else NOBODY, "gid": gid, "approval": approval["id"]}
            use_case: Callable[..., Any]
            if refuses and at == 0:
                use_case = partial(approvals.refuse, self._life.world.ctx, **about)
            else:
                use_case = partial(
                    self._consents, about, consent["slot"] == f"uid:{approval['payload'].get('other')}"
                )
            answer = partial(self._client, uid, use_case)
            when = self._in_a_race(gid, approval) if at == len(consents) - 1 else None
            if when is not None:
                self._life.cloud.later("somebody consents", when, answer, may_crash=False)
            else:
                self._later(3, "answers", answer)

    def _asker_withdraws(self, approval: Any) -> None:
        """Some ask for nothing any more, while others answer."""
        if self._chance.random() < 0.4:
            uid = approval["asked_by"]
            about = {"gid": approval["group"], "approval": approval["id"]}
            roles = FINANCE if uid in STAFF else NOBODY
            withdraws = partial(approvals.withdraw, self._life.world.ctx, roles=roles, **about)
            self._later(3, "thinks better", partial(self._client, uid, withdraws))

    def _consents(self, about: Any, has_read: bool, command: Command) -> None:
        """A consent; whoever takes a place over has read the agreement. A swap may come too late: on the due
        date, or once somebody who paid for one of the turns has left."""
        agreed = self._agreed(about["gid"]) if has_read else None
        try:
            approvals.approve(self._life.world.ctx, command, agreement_hash=agreed, **about)
        except (CycleOpen, PotsDiffer):
            self._count("swap-races-payout")
            raise

    def _in_a_race(self, gid: str, approval: Any) -> timedelta | None:
        """How long the last consent of a swap waits for its moment: the eve of a due date, or the payday."""
        uid = approval["about"]
        if approval["kind"] != "swap" or uid not in self._racing or uid not in self._waiting(gid):
            return None
        self._racing.discard(uid)
        cycle = self._group(gid)["schedule"][_seat(self._group(gid), uid)["position"] - 1]
        midnight = opening_of(_day(cycle["due_date"])) - timedelta(hours=9)
        eve = midnight - timedelta(seconds=self._chance.randrange(-60, 60))
        wait = (
            self._chance.choice([self._payday(gid, uid), self._payday(gid, uid), eve])
            - self._life.clock.moment
        )
        return wait if wait > timedelta() else None

    def _is_refused(self, approval: Any) -> bool:
        """In a seed that has it the first request is refused."""
        if "refused" not in self.active or self._refused:
            return False
        self._refused.add(approval["id"])
        return True

    def _who_answers(self, gid: str, approval: Any, slot: str) -> str | None:
        """Somebody who may give this consent."""
        if slot.startswith("uid:"):
            return slot.removeprefix("uid:")
        if slot == "staff":
            return STAFF[1]
        others = [
            seat
            for seat in self._group(gid)["seats"]
            if seat["state"] == "active" and seat["uid"] not in {approval["asked_by"], approval["about"]}
        ]
        if slot == "steering":
            steering = sorted(str(seat["uid"]) for seat in others if seat["role"] != "member")
            return self._chance.choice(steering) if steering else None
        return self._chance.choice([*sorted(str(seat["uid"]) for seat in others), STAFF[1]])

    def _agreed(self, gid: str) -> str:
        """The agreement as the organiser shows it to who would take a place over."""
        organiser = Reader(self._group(gid)["organiser"])
        return str(accept_agreement.read(self._life.world.ctx, organiser, gid)["hash"])

    # --- who is there ---------------------------------------------------------------------------------------

    def _someone(self, gid: str, *, had_turn: bool | None = None, but: str | None = None) -> str | None:
        """Somebody active in the circle, who has had their turn, or not, or whoever."""
        waiting = set(self._waiting(gid))
        found = [
            seat["uid"]
            for seat in self._group(gid)["seats"]
            if seat["state"] == "active" and seat["uid"] != but
        ]
        if had_turn is not None:
            found = [uid for uid in found if (uid in waiting) != had_turn]
        return self._chance.choice(sorted(found)) if found else None

    def _waiting(self, gid: str) -> list[str]:
        """Who waits for their turn, the next one first."""
        turns = [
            one
            for path, one in self._life.documents("payouts")
            if path.startswith(f"groups/{gid}/")
            and one["kind"] == "turn"
            and one["state"] in {"scheduled", "parked"}
        ]
        active = {seat["uid"] for seat in self._group(gid)["seats"] if seat["state"] == "active"}
        return [
            one["recipient"]
            for one in sorted(turns, key=lambda one: one["cycle"])
            if one["recipient"] in active
        ]

    def _group(self, gid: str) -> Any:
        return self._document(f"groups/{gid}")

    def _document(self, path: str) -> Any:
        return self._life.auditor.document(path)

    # --- in common ------------------------------------------------------------------------------------------

    def _client(self, uid: str, use_case: Callable[..., Any]) -> str:
        self._keys += 1
        key = f"client:{self._life.seed}:case {self._keys}"
        command = self._life.world.command(uid, key=key)
        self._life.cloud.soon(f"client: {uid}", lambda: use_case(command=command), tries_max=8)
        return key

    def _later(self, days_max: int, what: str, act: Callable[[], Any]) -> None:
        after = timedelta(minutes=self._chance.randrange(1, days_max * 1_440))
        self._life.cloud.later(f"somebody: {what}", after, act, may_crash=False)


def _seat(group: Any, uid: str) -> Any:
    """Somebody's present seat."""
    found = [one for one in group["seats"] if one["uid"] == uid and one["position"] is not None]
    return found[-1] if found else None


def _day(text: str) -> date:
    return date.fromisoformat(text)


def _in_an_open_pot(contribution: Any) -> bool:
    in_pot = any(attempt["in_pot_pence"] for attempt in contribution["attempts"])
    return in_pot and contribution["counted_in"] is None
