"""What each member is to put in and to get in the end, by the pairs of promises alone (DESIGN.md §§ 5 and 7).

A model of its own: it hears who left, took over or changed turns, and looks at what had been paid until then.
It knows nothing of rows, claims or debts to come.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

Document = Mapping[str, Any]

SEATED = {"approved", "agreed", "active", "finished", "defaulted"}


class Standing(Protocol):
    """A circle as it stood just before a commit."""

    @property
    def group(self) -> Document: ...

    def contribution(self, cycle: int, uid: str) -> Document: ...

    def debts(self, uid: str) -> list[Document]: ...

    def had_turn(self, cycle: int) -> bool: ...

    def was_taken_back(self, debt: str) -> bool: ...

    def first_creditor(self, debt: str) -> str: ...


@dataclass
class Pairs:
    """Pence that each member is to put in, and to get before fees, by everything that was promised."""

    puts: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    gets: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    forgiven: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    gave_up: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    claimed_from: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    claimed_for: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    heirs: dict[str, str] = field(default_factory=dict)

    def let_go(self, debtor: str, creditor: str, pence: int) -> None:
        """A creditor lets a debt go: as if it had been paid to them, and given back."""
        self.forgiven[debtor] += pence
        self.gave_up[creditor] += pence

    def locked(self, group: Document) -> None:
        """Everybody promises the amount at everybody's turn, their own included."""
        amount = group["terms"]["amount_pence"]
        here = [one["recipient"] for one in group["schedule"]]
        for payer in here:
            for recipient in here:
                self._promise(payer, recipient, amount)

    def claimed(self, debtor: str, creditor: str, pence: int) -> None:
        """A decided dispute claims it besides: whoever leaves or is replaced, it stays between these two."""
        self.claimed_from[debtor] += pence
        self.claimed_for[creditor] += pence

    def _promise(self, payer: str, recipient: str, pence: int) -> None:
        self.puts[payer] += pence
        self.gets[recipient] += pence

    def left(self, before: Standing, leaver: str, after_turn: bool) -> None:
        """After one's turn every promise stands. Before it, each pair for itself."""
        if after_turn:
            return
        places = _places(before.group)
        stand = {
            other for other in places if other != leaver and not self._part(before, leaver, other, places)
        }
        self._promise(leaver, leaver, -before.group["terms"]["amount_pence"])
        self._own_pot(before, leaver, places[leaver], stand)

    def wound_up(self, before: Standing) -> None:
        """The same for all who wait for their turn; between two of them nothing is left."""
        places = _places(before.group)
        amount = before.group["terms"]["amount_pence"]
        for uid in [one for one, cycle in places.items() if not before.had_turn(cycle)]:
            stand = set()
            for other in places:
                if other == uid or not before.had_turn(places[other]):
                    self._promise(other, uid, -amount)
                elif not self._part(before, uid, other, places):
                    stand.add(other)
            self._own_pot(before, uid, places[uid], stand)

    def _own_pot(self, before: Standing, uid: str, cycle: int, stand: set[str]) -> None:
        """Money of former members in the pot of a turn that ends goes back, to who owes it to them. And so do
        parts of those whose pairs stand."""
        seated = _places(before.group)
        for one in stand:
            self._promise(uid, uid, -before.contribution(cycle, one)["in_pot_pence"])
        for seat in before.group["seats"]:
            if seat["state"] in SEATED or seat["position"] is None:
                continue
            now = seat["uid"]
            while now in self.heirs:
                now = self.heirs[now]
            theirs = before.contribution(cycle, seat["uid"])
            if now not in seated or now in stand:
                self._promise(uid, uid, -theirs["in_pot_pence"])
            elif theirs["state"] == "due":  # what they had back of it, they owe to who owes it to them
                self._promise(now, now, theirs["amount_pence"] - theirs["in_pot_pence"])

    def taken_over(self, before: Standing, leaver: str, heir: str) -> None:
        """The heir puts in and gets all that the leaver was to; the leaver gets back what they paid.

        But who left after their turn owes the leaver, or has paid them: that pair stays between those two.
        """
        places, amount = _places(before.group), before.group["terms"]["amount_pence"]
        cycles = {one["number"] for one in before.group["schedule"]}
        owe = [other for other in places if _owes_for_a_turn(before, other, leaver, cycles)]
        stay = {places[other] for other in owe}
        paid = sum(_to_come_back(before, cycle, leaver) for cycle in cycles - stay)
        kept = amount * len(stay)
        self.heirs[leaver] = heir
        self.puts[heir], self.puts[leaver] = self.puts[leaver] - kept, paid + kept
        self.gets[heir], self.gets[leaver] = self.gets[leaver] - kept, paid + kept
        for other in owe:  # a part that they had paid ahead comes back from its pot
            self._promise(leaver, leaver, -before.contribution(places[leaver], other)["in_pot_pence"])

    def _part(self, before: Standing, leaver: str, other: str, places: Mapping[str, int]) -> bool:
        """What the leaver did for the other goes back to them; the rest of the pair falls away. False where
        the other has done their part already: then the pair stands."""
        amount = before.group["terms"]["amount_pence"]
        theirs = before.contribution(places[other], leaver)
        done = _performed(before, places[other], leaver)
        owed = [debt for debt in _debts_on(before, theirs) if debt["creditor"] != other]
        # The reserve, the house or who had the place before paid the other in the leaver's stead.
        others_stood_in = sum(debt["left_pence"] for debt in owed)
        if before.had_turn(places[other]) or _is_counted(theirs):
            if before.contribution(places[leaver], other)["apart"]:
                return False  # they left after their turn, or took over the place of who had paid
            to_other = sum(debt["left_pence"] for debt in _debts_on(before, theirs)) - others_stood_in
            # What is owed beyond the promise stands for money that had paid another one.
            others_stood_in = min(others_stood_in, amount - done - to_other)
        self.puts[leaver] += done - amount
        self.gets[other] += done + others_stood_in - amount
        self.puts[other] += done + others_stood_in - amount
        self.gets[leaver] += done - amount
        return True


def _places(group: Document) -> dict[str, int]:
    """Who is in the circle, by the cycle of their turn."""
    return {
        seat["uid"]: seat["position"]
        for seat in group["seats"]
        if seat["state"] in SEATED and seat["position"] is not None
    }


def _owes_for_a_turn(before: Standing, other: str, leaver: str, cycles: set[int]) -> bool:
    """Whether the other owed the leaver for the leaver's turn, whichever it was then: they owe it still, have
    paid, or the house has in their stead."""
    owed = [debt for debt in before.debts(other) if before.first_creditor(debt["id"]) == leaver]
    debts = [debt["contribution"] for debt in owed]
    return bool(debts) and any(before.contribution(cycle, other)["id"] in debts for cycle in cycles)


def _to_come_back(before: Standing, cycle: int, uid: str) -> int:
    """What somebody who is replaced gets back of a cycle: all that they put in, but where its turn has fallen
    away: that came back to them then, also what they had paid to whom they took over from."""
    contribution = before.contribution(cycle, uid)
    if contribution["state"] == "waived":
        return int(contribution["in_pot_pence"])
    return _performed(before, cycle, uid)


def _is_counted(contribution: Document) -> bool:
    return contribution["counted_in"] is not None and contribution["state"] != "waived"


def _debts_on(before: Standing, contribution: Document) -> list[Document]:
    """What is, or was, owed for a promise. On one that no pot has counted yet the house has no claim for its
    sake: that is money which had paid another promise, and was taken back."""
    owed = [debt for debt in before.debts(contribution["uid"]) if debt["contribution"] == contribution["id"]]
    if contribution["counted_in"] is None:
        return [debt for debt in owed if debt["creditor"] != "house"]
    return owed


def _performed(before: Standing, cycle: int, uid: str) -> int:
    """What somebody had put in for a cycle: into its pot, or later, on what they left open of it, or to who
    had put it in before them.

    Money that had paid other promises, too, and was taken back may leave less than nothing of it: that stays
    the debtor's own.
    """
    contribution = before.contribution(cycle, uid)
    done: int = contribution["in_pot_pence"]
    for debt in _debts_on(before, contribution):
        done -= debt["left_pence"]
        if not before.was_taken_back(debt["id"]):
            done += debt["original_pence"]
    return max(0, done)
