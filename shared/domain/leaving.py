"""Leaving a running circle, by the pairs (DESIGN.md §§ 5 and 7).

A circle is a set of pairwise promises: *a* pays the amount at *b*'s turn, and *b* at *a*'s. When somebody
leaves before their turn, what neither side of a pair has done falls away; what one side has done is owed by
the other, due on the leaver's old date. After one's own turn nothing falls away: what was received is owed.
Removal and death are the same rule; a wind-up is the same rule for everybody at once.

The rule of a wind-up, as members can read it: pots that are not reserved go back to those who paid into them;
whoever has had a pot owes each who has not what that person paid into it, due on that person's old date; a
share of the reserve pays first what its owner owes, oldest first, and the rest is theirs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from shared.domain import ledger
from shared.domain.calendar import london_day
from shared.domain.contributions import Contribution
from shared.domain.decision import Decision
from shared.domain.documents import Document
from shared.domain.errors import AlreadyHadTurn, NotRunning, WrongMembershipState
from shared.domain.groups import Group, Seat
from shared.domain.ids import debt_id
from shared.domain.journal import News
from shared.domain.ledger import HOUSE, RESERVE, Rows
from shared.domain.members import Debt, Member
from shared.domain.payouts import Payout
from shared.domain.shortfalls import new_debt, with_debts
from shared.domain.words import MembershipState

Reason = Literal["left", "removed", "died", "vulnerable"]

AHEAD: Final = frozenset({"scheduled", "parked"})
"""States of a turn that has not been had: no pot was reserved for it."""


@dataclass
class Circle:
    """A running circle on the table: its documents as they stand, and as the decision leaves them.

    `contributions` are those of the pairs concerned, by cycle and payer; `turns` each cycle's live payout.
    """

    group: Group
    members: dict[str, Member]
    contributions: dict[tuple[int, str], Contribution]
    turns: dict[int, Payout]
    now: datetime
    rows: Rows = field(default_factory=list)
    created: list[Document] = field(default_factory=list)
    claims: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._before: Mapping[str, Document] = {one.path: one for one in self._documents()}

    def _documents(self) -> list[Document]:
        return [
            self.group,
            *self.members.values(),
            *self.contributions.values(),
            *self.turns.values(),
        ]

    def position(self, uid: str) -> int:
        """The cycle of a member's turn. Raises WrongMembershipState for who has none."""
        member = self.members.get(uid)
        if member is None or member.position is None or member.state not in {"active", "defaulted"}:
            raise WrongMembershipState(needed="active", state=member.state if member else "none")
        return member.position

    def others(self, uid: str) -> list[str]:
        """Everybody else who is in the circle, by their turns."""
        seats = sorted(self.group.seated(), key=lambda seat: seat.position or 0)
        return [seat.uid for seat in seats if seat.uid != uid]

    def had_turn(self, uid: str) -> bool:
        return self.turns[self.position(uid)].state not in AHEAD

    def put(self, contribution: Contribution) -> None:
        self.contributions[contribution.cycle, contribution.uid] = contribution

    def owe(self, debtor: str, debts: Iterable[Debt]) -> None:
        """Put debts on a member, and keep in mind what to tell of them."""
        new = list(debts)
        self.members[debtor] = with_debts(self.members[debtor], new)
        self.claims += [
            {
                "debtor": debtor,
                "creditor": one.creditor,
                "pence": one.left_pence,
                "due_date": one.due_date.isoformat(),
            }
            for one in new
        ]

    def move(self, uid: str, to: MembershipState) -> None:
        """The person's membership and seat in their next state. An organiser's role passes on."""
        self.members[uid] = self.members[uid].moved(to)
        found = self.group.seat(uid)
        assert found is not None  # noqa: S101 - who has a position has a seat
        if found.role == "organiser":
            self._pass_on_organising(uid)
        self.group = self.group.with_seat(found.with_(state=to, role="member"))

    def _pass_on_organising(self, uid: str) -> None:
        """A circle is never without an organiser: a deputy follows, else the member with the first turn."""
        found = [self.group.seat(other) for other in self.others(uid)]
        seats = [seat for seat in found if seat is not None and seat.state == "active"]
        if not seats:
            return
        heir = next((seat for seat in seats if seat.role == "deputy"), seats[0])
        self.group = self.group.with_seat(heir.with_(role="organiser")).with_(organiser=heir.uid)
        self.members[heir.uid] = self.members[heir.uid].with_(role="organiser")
        self.members[uid] = self.members[uid].with_(role="member")

    def end_turn(self, cycle: int, done: Collection[str] = ()) -> None:
        """The cycle takes place no more: its payout is void, and the calendar says so.

        What former members left in its pot is the credit of who owes it to them, or has paid it back: of who
        took their place over, else of the cycle's recipient. `done` are those who have had their part of it
        from the recipient: that is the recipient's now.
        """
        self._release_former(cycle, done)
        self.turns[cycle] = self.turns[cycle].moved("void").with_(act_at=None)
        schedule = [
            one.with_(closed=True, fell_away=True) if one.number == cycle else one
            for one in self.group.schedule
        ]
        self.group = self.group.with_(schedule=schedule)

    def _release_former(self, cycle: int, done: Collection[str]) -> None:
        recipient = self.group.cycle(cycle).recipient or ""
        for seat in self.group.contributors():
            theirs = self.contributions[cycle, seat.uid]
            is_here, is_empty = self.group.seat(seat.uid) is not None, not theirs.in_pot_pence
            if is_here or (is_empty and theirs.state != "due"):
                continue
            heir = self._heir(seat.uid, cycle)
            owner = recipient if heir is None or heir in done else heir
            self.release(theirs, owner)
            # Their bank may take it back, and give it again: that is theirs and the house's, not the pot's.
            freed = self.contributions[cycle, seat.uid]
            self.put(freed.with_(counted_in=self.turns[cycle].id, apart=True))
            if theirs.state == "due":
                self._owe_what_went_back(seat.uid, cycle, owner, theirs.left_pence)

    def _owe_what_went_back(self, former: str, cycle: int, owner: str, pence: int) -> None:
        """What has gone back to a former member out of an open pot, after all of it was claimed by them."""
        theirs = self.contributions[cycle, former]
        self.rows += ledger.shortfall(former, owner, pence)
        cause = f"went_back:{self.turns[cycle].id}"
        self.owe(former, [new_debt(theirs.id, cause, owner, cycle, theirs.due_date, pence)])
        self.put(theirs.moved("short").with_(act_at=self.now))

    def _heir(self, former: str, cycle: int) -> str | None:
        """Who took over what a former member did for a cycle: by the debts that came with it, as turns may
        have been changed since. They may have gone, too, and another have taken over from them."""
        creditors = (*self.members, HOUSE, RESERVE)
        for (number, uid), mine in self.contributions.items():
            taken_over = {debt_id(mine.id, _taken_over(former, creditor)) for creditor in creditors}
            if number == cycle and not taken_over.isdisjoint(debt.id for debt in self.members[uid].debts):
                return uid if self.group.seat(uid) is not None else self._heir(uid, cycle)
        return None

    def release(self, contribution: Contribution, owner: str) -> None:
        """Take what stands in a pot that falls away out of it, as the credit of its owner."""
        pence = contribution.in_pot_pence
        self.rows += ledger.pot_released(contribution.cycle, owner, pence)
        attempts = [one.with_(in_pot_pence=0) for one in contribution.attempts]
        self.put(contribution.with_(in_pot_pence=0, attempts=attempts))

    def decision(self, fact: str, type_: str, payload: dict[str, Any], answer: dict[str, Any]) -> Decision:
        """What changed, as one commit. The group wants a look: credits of former members go back to them."""
        self.group = self.group.with_(act_at=self.now)
        known = [one for one in self._documents() if one.path in self._before]
        changed = [one for one in known if one != self._before[one.path]]
        created = [one for one in self._documents() if one.path not in self._before]
        news = News(
            id=fact,
            group=self.group.id,
            type=type_,
            payload=payload | {"claims": self.claims},
            entries=ledger.post(self.rows),
        )
        return Decision(
            answer=answer | {"claims": self.claims},
            facts=[news],
            changed=changed,
            created=[*created, *self.created],
        )


# --- one member leaves --------------------------------------------------------------------------------------


def leave(circle: Circle, uid: str, reason: Reason) -> Decision:
    """One member leaves, is removed or has died: by the pairs before their turn, by what they owe after it.

    Raises NotRunning, WrongMembershipState, AlreadyHadTurn (they have left already, and owe).
    """
    _require_running(circle.group)
    position = circle.position(uid)
    after_turn = circle.had_turn(uid)
    payload = {"member": uid, "position": position, "reason": reason, "after_turn": after_turn}
    if after_turn:
        _owe_the_rest(circle, uid)
    else:
        _part(circle, uid)
    state = circle.members[uid].state
    answer = {"group": circle.group.id, "uid": uid, "state": state, "after_turn": after_turn}
    if not after_turn:
        state = "removed" if reason == "removed" else "left"
        circle.move(uid, state)
        answer |= {"state": state}
    return circle.decision(f"member_left:{uid}", "member_left", payload, answer)


def _require_running(group: Group) -> None:
    if group.state not in {"locked", "active"}:
        raise NotRunning(state=group.state)


def _part(circle: Circle, leaver: str) -> None:
    """Before one's turn: each pair for itself."""
    own = circle.position(leaver)
    done = set()
    for other in circle.others(leaver):
        theirs = circle.contributions[circle.position(other), leaver]
        if circle.had_turn(other) or theirs.counted_in is not None:
            if not _claim_once(circle, leaver, other):
                done.add(other)
        elif done_pence := _done_pence(circle, theirs):
            # The open cycle's pot holds the leaver's money: done for its recipient, who owes it back and
            # whose pot is netted by it, so that it reaches the leaver with the pot.
            _claim(circle, leaver, other, done_pence)
            _end_with_what_is_in_its_pot(circle, theirs)
        else:
            _fall_away(circle, theirs)
            _fall_away(circle, circle.contributions[own, other])
    _fall_away(circle, circle.contributions[own, leaver])
    circle.end_turn(own, done)


def _done_pence(circle: Circle, theirs: Contribution) -> int:
    """What was done of a promise: what a pot has of it, or has had. What it held when its payer took the
    place over is theirs to pay back, and so counts as theirs; what they pay in is the rest."""
    if theirs.state == "waived":
        return 0
    promised_pence = theirs.amount_pence if theirs.apart else circle.group.terms.amount_pence
    return promised_pence - (theirs.left_pence if theirs.counted_in is None else 0)


def _claim_once(circle: Circle, leaver: str, holder: str) -> bool:
    """A claim, but on who has done their part for the leaver's turn already: by default of all they owe after
    their own turn, or by taking a place over. What they owe, or have paid, of it stands as it is; what its
    pot has of them is the leaver's."""
    back = circle.contributions[circle.position(leaver), holder]
    if back.apart:
        circle.release(back, leaver)
        return False
    theirs = circle.contributions[circle.position(holder), leaver]
    _claim(circle, leaver, holder, _done_pence(circle, theirs))
    return True


def _claim(circle: Circle, leaver: str, holder: str, done_pence: int) -> None:
    """The holder has had the leaver's money: what the leaver put in goes back to them on their old date.

    What the leaver left open of it ends, if it was the holder's to claim; if the reserve, the house or who
    had the place before stood in, the holder owes those instead, who has had that money too.
    """
    theirs = circle.contributions[circle.position(holder), leaver]
    back = circle.contributions[circle.position(leaver), holder]
    debtor = circle.members[leaver]
    left_open = _left_open(debtor, theirs, done_pence)
    shares = {leaver: done_pence - sum(pence for _, pence in left_open)}
    for debt, pence in left_open:
        if debt.creditor == holder:
            circle.rows += ledger.written_off(leaver, holder, pence)
        else:
            circle.rows += ledger.debt_taken_over(holder, leaver, pence)
            shares[debt.creditor] = shares.get(debt.creditor, 0) + pence
    circle.members[leaver] = _without(debtor, left_open)
    if theirs.state == "short":
        circle.put(theirs.moved("covered").with_(act_at=None))
    circle.rows += ledger.leaver_claim(holder, leaver, shares[leaver])
    debts = [
        new_debt(back.id, f"left:{leaver}:{creditor}", creditor, back.cycle, back.due_date, pence)
        for creditor, pence in shares.items()
        if pence
    ]
    circle.owe(holder, debts)
    if debts:
        _stand_apart(circle, back, sum(debt.original_pence for debt in debts))
    else:
        _fall_away(circle, back)


def _left_open(debtor: Member, theirs: Contribution, done_pence: int) -> list[tuple[Debt, int]]:
    """The open debts on a promise, each with what of it is this promise's: no more than was done, in all.

    Money pays the oldest debt first, so what came for one contribution may have paid several promises; taken
    back, all of it is owed to the house on that one. What is beyond the promise stays the debtor's own; so
    does what the house is owed on one that no pot has counted, for that money never was in its pot.
    """
    found = []
    on_it = [one for one in debtor.open_debts() if one.contribution == theirs.id]
    if theirs.counted_in is None:
        on_it = [one for one in on_it if one.creditor != HOUSE]
    for debt in sorted(on_it, key=lambda one: one.creditor == HOUSE):
        pence = min(debt.left_pence, done_pence)
        done_pence -= pence
        if pence:
            found.append((debt, pence))
    return found


def _without(debtor: Member, ended: Iterable[tuple[Debt, int]]) -> Member:
    return with_debts(debtor, [debt.with_(left_pence=debt.left_pence - pence) for debt, pence in ended])


def _stand_apart(circle: Circle, contribution: Contribution, owed_pence: int) -> None:
    """A contribution to a cycle that is no more, with a debt in its place, or one more: so much is
    promised by it now. What was paid early is credit."""
    circle.release(contribution, contribution.uid)
    freed = circle.contributions[contribution.cycle, contribution.uid]
    promised_pence = owed_pence + (freed.amount_pence if freed.apart else 0)
    freed = freed.with_(counted_in=circle.turns[freed.cycle].id, apart=True, amount_pence=promised_pence)
    freed = freed.with_(act_at=freed.act_at or circle.now)
    circle.put(freed if freed.state == "short" else freed.moved("short"))


def _fall_away(circle: Circle, contribution: Contribution) -> None:
    """A promise that neither side has performed is none any more.

    A debit that is under way is followed to its end: what it brings is the payer's credit. One that stands
    for a debt to somebody else goes on doing so.
    """
    if contribution.state in {"waived", "short"}:
        return
    circle.release(contribution, contribution.uid)
    found = circle.contributions[contribution.cycle, contribution.uid]
    act_at = found.act_at if found.live_attempt else None
    circle.put(found.moved("waived").with_(apart=True, act_at=act_at))


def _end_with_what_is_in_its_pot(circle: Circle, contribution: Contribution) -> None:
    """What was paid of a promise stays in its pot, and somebody owes it to its payer: the promise is that
    alone now, so that what should go back to them is missed there. If nothing was paid, it falls away."""
    if contribution.state != "due":
        return
    if not contribution.in_pot_pence:
        _fall_away(circle, contribution)
        return
    act_at = contribution.act_at if contribution.live_attempt else None
    done = contribution.with_(amount_pence=contribution.in_pot_pence, act_at=act_at)
    circle.put(done.moved("covered"))


def _owe_the_rest(circle: Circle, leaver: str) -> None:
    """After one's turn: each promise that is left is owed to the one whose turn it is, on its old date."""
    if circle.members[leaver].state == "defaulted":
        raise AlreadyHadTurn()
    for other in circle.others(leaver):
        cycle = circle.position(other)
        theirs = circle.contributions[cycle, leaver]
        if circle.had_turn(other) or theirs.state != "due":
            continue
        pence = theirs.left_pence
        circle.rows += ledger.shortfall(leaver, other, pence)
        debt = new_debt(theirs.id, _left_owing(leaver, other), other, cycle, theirs.due_date, pence)
        circle.owe(leaver, [debt])
        counted_in = circle.turns[cycle].id
        circle.put(theirs.moved("short").with_(apart=True, counted_in=counted_in))
    circle.move(leaver, "defaulted")


def _left_owing(leaver: str, other: str) -> str:
    """What makes the debt to the other of who leaves after their turn."""
    return f"left:{leaver}:{other}"


# --- everybody leaves ---------------------------------------------------------------------------------------


def wind_up(circle: Circle, approval: str) -> Decision:
    """End a running circle for everybody, by the rule at the top of this module. Raises NotRunning."""
    if circle.group.state != "active":
        raise NotRunning(state=circle.group.state)
    people = [seat.uid for seat in circle.group.seated()]
    waiting = [uid for uid in people if not circle.had_turn(uid)]
    done: dict[str, set[str]] = {uid: set() for uid in waiting}
    for uid in waiting:
        own = circle.position(uid)
        for other in circle.others(uid):
            if not circle.had_turn(other):
                _fall_away(circle, circle.contributions[own, other])
            elif not _claim_once(circle, uid, other):
                done[uid].add(other)
        _fall_away(circle, circle.contributions[own, uid])
    for uid in waiting:
        circle.end_turn(circle.position(uid), done[uid])
    circle.group = circle.group.moved("wound_up")
    payload = {"approval": approval, "waiting": waiting}
    answer = {"group": circle.group.id, "state": "wound_up"}
    return circle.decision("group_wound_up", "group_wound_up", payload, answer)


# --- somebody takes a place over ----------------------------------------------------------------------------


def substitute(circle: Circle, leaver: str, heir: Member, due: list[Contribution], approval: str) -> Decision:
    """Somebody else takes the leaver's place before its turn: both sides of every promise.

    They pay in what the leaver paid, at once, and the leaver gets it as it comes; what the leaver left open
    they owe in their stead. `due` are the newcomer's contributions to each cycle, as a lock would make them.
    Raises NotRunning, WrongMembershipState, AlreadyHadTurn.
    """
    _require_running(circle.group)
    own = circle.position(leaver)
    if circle.had_turn(leaver):
        raise AlreadyHadTurn()
    newcomer = heir.moved("active").with_(position=own)
    circle.members[heir.uid] = newcomer
    today = london_day(circle.now)
    by_cycle = {one.cycle: one for one in due}
    for cycle in circle.group.schedule:
        theirs = circle.contributions[cycle.number, leaver]
        other = cycle.recipient
        if other is not None and _pays_directly(circle, leaver, other):
            circle.put(by_cycle[cycle.number].with_(state="waived", apart=True, act_at=None))
            circle.release(circle.contributions[own, other], leaver)
            continue
        _take_over(circle, theirs, by_cycle[cycle.number].with_(due_date=max(today, cycle.due_date)), today)
    for other in circle.others(leaver):
        back = circle.contributions[own, other]
        circle.put(back.with_(recipient=heir.uid))
    circle.turns[own] = circle.turns[own].with_(recipient=heir.uid)
    schedule = [one.with_(recipient=heir.uid) if one.number == own else one for one in circle.group.schedule]
    circle.group = circle.group.with_(schedule=schedule)
    circle.move(leaver, "left")
    circle.group = circle.group.with_seat(Seat(uid=heir.uid, state="active", position=own))
    payload = {"member": leaver, "substitute": heir.uid, "position": own, "approval": approval}
    answer = {"group": circle.group.id, "uid": heir.uid, "state": "active", "position": own}
    return circle.decision(f"place_taken_over:{leaver}", "place_taken_over", payload, answer)


def _pays_directly(circle: Circle, leaver: str, other: str) -> bool:
    """Whether the other has left after their turn, and owes or has paid the leaver for a turn to come.

    Then both sides of the pair are between these two: nothing of it is taken over, nor what the turn's pot
    has of the other. The turn may have been changed since, so that the debt is looked for and not the cycle.
    """
    if other not in circle.members:
        return False
    cause = _left_owing(other, leaver)
    return any(debt.id == debt_id(debt.contribution, cause) for debt in circle.members[other].debts)


def _taken_over(leaver: str, creditor: str) -> str:
    """What makes the debt to a creditor of who takes the leaver's promise over."""
    return f"heir:{leaver}:{creditor}"


def _take_over(circle: Circle, theirs: Contribution, mine: Contribution, today: Any) -> None:
    """One promise of the leaver's becomes the newcomer's: to pay it, or to pay back what was paid of it."""
    leaver, heir = theirs.uid, mine.uid
    debtor = circle.members[leaver]
    done_pence = _done_pence(circle, theirs)
    left_open = _left_open(debtor, theirs, done_pence)
    done_pence -= sum(pence for _, pence in left_open)
    shares = {leaver: done_pence} if done_pence else {}
    for debt, pence in left_open:
        circle.rows += ledger.debt_taken_over(heir, leaver, pence)
        shares[debt.creditor] = shares.get(debt.creditor, 0) + pence
    circle.members[leaver] = _without(debtor, left_open)
    circle.rows += ledger.leaver_claim(heir, leaver, done_pence)
    if theirs.state == "short":
        circle.put(theirs.moved("covered").with_(act_at=None))
    else:
        _end_with_what_is_in_its_pot(circle, theirs)
    circle.owe(
        heir,
        [
            new_debt(mine.id, _taken_over(leaver, creditor), creditor, mine.cycle, today, pence)
            for creditor, pence in shares.items()
        ],
    )
    still_due_pence = 0 if theirs.counted_in else theirs.left_pence
    if still_due_pence:  # what was paid of it already is the leaver's to get back
        circle.put(mine.with_(amount_pence=still_due_pence))
    elif shares:
        counted_in = theirs.counted_in or circle.turns[theirs.cycle].id
        mine = mine.with_(amount_pence=sum(shares.values()), counted_in=counted_in)
        circle.put(mine.with_(due_date=today, act_at=circle.now, state="short", apart=True))
    else:
        circle.put(mine.with_(state="waived", apart=True, act_at=None))
