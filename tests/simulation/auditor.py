"""The auditor: an independent model of DESIGN.md § 5, which knows no service and shares no code with them.

It is shown every commit to the store, whole, and looks at the processor's objects itself. It folds the
journal by its own table of accounts and checks each invariant after every step; at rest it also checks that
everything due was tried, published and resolved, and that everybody put in and got what the pairs of
promises come to (`pairs`). It imports nothing of the platform.
"""

from __future__ import annotations

import calendar
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import holidays

from tests.simulation import orders
from tests.simulation.pairs import Pairs

Document = Mapping[str, Any]

INVARIANTS: dict[str, str] = {
    "entries-balance": "1: a fact has no entries or two; each positive; debits = credits in each book",
    "never-overdrawn": "2: no account but the house's stands below zero on its own side",
    "books-agree": "3: cash = what is held; debts = the open debts; owed = what is due to each; the house",
    "balances-are-the-fold": "4: the balances document is the fold of the journal",
    "facts-create-only": "5: facts are never changed, and never reversed beyond what they state",
    "one-of-each": "6: one live attempt, one turn payout, one pot per member, one transfer per payout",
    "cleared-money-only": "7: only cleared money pays out, of one's own group, to the right account",
    "our-id-on-everything": "8: what we make at the processor carries our id; what is not ours is not booked",
    "all-or-nothing": "9: state, entries, outbox row and fact commit together",
    "everything-published": "10: every fact is published in the end, and marked only if it was",
    "one-creditor": "11: a debt has one debtor and one creditor; money pays the oldest first",
    "each-movement-one-fact": "12: each line at the processor is one fact, to the penny, its fee too",
}
"""The invariants of DESIGN.md § 5, by the name under which they are violated."""

ALSO: dict[str, str] = {
    "state-table": "DESIGN.md § 6: no transition outside the tables",
    "calendar": "due dates are those that a calendar gives",
    "liveness": "at rest everything due was tried, and every payout resolved",
    "right-end": "at rest everybody has put in and got what was promised, or it stands as a debt",
    "two-people": "DESIGN.md § 7: what needs two people was consented to by others than who asked",
    "open-cycle": "§ 7: a swap loses against a cycle that is open",
    "order": "§ 7: the turns are as the circle's kind of order says: lots, wishes, its organiser's, trust",
    "agreement": "§ 7: who is in a locked circle accepted its agreement as it is, since they came to stay",
    "forgotten": "nobody is erased who owes, is owed, is being paid, has credit, has promised to save, or "
    "has a place in a circle that forms; nobody gets one who was erased",
    "one-organiser": "a circle that forms or runs has one organiser, and only they give the role away",
    "caps": "§ 7: nobody has promised more circles, or more a month, than the caps; what is over is let go",
    "floor": "§ 5: no circle starts, and no decided dispute has the house pay, where it has too little left",
    "left-alone": "§ 7: nothing is taken in a freeze, nor more than the plan says, but where its member asks",
    "unhandled": "no handler fails with what is neither a refusal nor expected",
    "quarantine": "nothing is quarantined but what belongs there",
    "reconciled": "the platform's own reconciliation finds what the auditor finds",
}
"""What the auditor checks besides."""

OF_PEOPLE = (
    "two-people",
    "open-cycle",
    "left-alone",
    "order",
    "agreement",
    "forgotten",
    "one-organiser",
    "caps",
    "floor",
)
"""What people do, once in a run."""

SABOTAGED = (*INVARIANTS, "right-end", *OF_PEOPLE)
"""Each of these has a sabotage that breaks it on purpose."""

_MEMBERS = {"cash": 1, "pot": -1, "payable": -1, "credit": -1, "reserve": -1}
_CLAIMS = {"debt": 1, "fees:processor": 1, "loss": 1, "owed": -1, "house": -1, "fees:platform": -1}

_CONTRIBUTION = {
    "due": {"covered", "short", "waived"},
    "covered": {"due", "waived", "short"},  # the last two: paid early, into a pot that fell away
    "short": {"covered", "due"},  # 'due': its reservation was voided
    "waived": {"due"},  # the same
}
_ATTEMPT = {
    "submitting": {"requires_action", "processing", "settled", "failed"},
    "requires_action": {"processing", "settled", "failed", "cancelled"},
    "processing": {"settled", "failed"},
    "settled": {"refunded", "disputed"},
    "disputed": {"won", "lost"},
    "won": {"disputed", "refunded"},
    "failed": set(),
    "cancelled": set(),
    "refunded": {"disputed"},
    "lost": {"won", "disputed"},
}
_PAYOUT = {
    "scheduled": {"parked", "reserved", "void"},  # 'void': its recipient left before their turn
    "parked": {"scheduled", "reserved", "void"},  # looked at and found ready in one commit
    "reserved": {"submitting", "void", "received"},  # 'received': nothing was left to send
    "submitting": {"sent", "failed", "unknown"},
    "failed": {"submitting", "void"},
    "unknown": {"sent", "failed"},
    "sent": {"received", "bank_failed", "partly_reversed", "reversed"},
    "bank_failed": {"sent", "received", "bank_failed", "partly_reversed", "reversed"},  # by way of 'sent'
    "received": {"bank_failed"},
    "partly_reversed": {"reversed"},
    "void": set(),
    "reversed": set(),
}
_GROUP = {
    "draft": {"recruiting", "cancelled"},
    "recruiting": {"locked", "cancelled"},
    "locked": {"active", "cancelled"},
    "active": {"completed", "wound_up"},
    "completed": set(),
    "cancelled": set(),
    "wound_up": set(),
}
_MEMBERSHIP = {
    "invited": {"approved", "declined", "expired"},
    "requested": {"approved", "rejected", "expired", "left"},
    "approved": {"agreed", "removed", "left"},
    "agreed": {"active", "removed", "left"},
    "active": {"finished", "left", "removed", "defaulted"},
    "defaulted": {"finished"},
}
_ENDED = {"left", "rejected", "removed"}
_BEGINNING = {"requested", "approved"}
_FORMING = {"requested", "approved", "agreed"}
_LEAST_CHARGE_PENCE = 30
_CIRCLES_MAX = 5
_MONTHLY_PENCE_MAX = 500_000
_FLOOR_PENCE = 100_000
_LIVE = {"submitting", "requires_action", "processing"}
_NO_MONEY_LEFT_YET = {"scheduled", "parked", "reserved", "void"}
_RESOLVED = {"received", "void", "reversed", "partly_reversed"}


class Change(Protocol):
    """What one commit did to one document."""

    @property
    def path(self) -> str: ...
    @property
    def before(self) -> Document | None: ...
    @property
    def after(self) -> Document | None: ...


@dataclass(frozen=True, slots=True)
class _Found:
    """A document as it was found, as if one commit had made it."""

    path: str
    after: Document | None
    before: Document | None = None


class Processor(Protocol):
    """The processor's objects, as they lie in its own memory."""

    platform: str
    counter: int
    now: int
    objects: dict[str, dict[str, Any]]
    ids: dict[str, dict[str, list[str]]]


@dataclass(frozen=True, slots=True)
class Violation:
    """An invariant that does not hold: which, how, at which step, and the last facts before it."""

    invariant: str
    what: str
    step: int
    last_facts: tuple[str, ...]


@dataclass
class Group:
    """One circle as the auditor knows it: its own fold, its documents, what moved for it."""

    debits: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    credits: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    held_pence: int = 0  # cash − pot − payable − credit − reserve
    house_gap_pence: int = 0  # house − fees:processor − loss + fees:platform
    owes: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    is_owed: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    first_creditors: dict[str, str] = field(default_factory=dict)  # of each debt: the house may follow them
    turns: defaultdict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    pots: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    top_ups: dict[tuple[str, int], str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)  # top-up → the movement that pays for it
    reversed_by: dict[str, str] = field(default_factory=dict)
    pairs: Pairs = field(default_factory=Pairs)
    contributions: dict[tuple[int, str], str] = field(default_factory=dict)  # by cycle and payer: the path
    payouts: defaultdict[int, list[str]] = field(default_factory=lambda: defaultdict(list))  # turns by cycle
    taken_back: set[str] = field(default_factory=set)  # debts that a dispute or refund made
    accepted: dict[str, str] = field(
        default_factory=dict
    )  # before the lock: who → which agreement, by its hash
    frozen: dict[str, date] = field(default_factory=dict)  # contribution → until when nothing is taken

    def of(self, account: str) -> int:
        """What stands on an account, on its own side."""
        return _sign(account) * (self.debits[account] - self.credits[account])

    def accounts(self, word: str) -> list[str]:
        return [one for one in {*self.debits, *self.credits} if one.partition(":")[0] == word]


def _sign(account: str) -> int:
    """+1 for an account that grows by debits, −1 for one that grows by credits; 0 for none of ours."""
    word = account.partition(":")[0]
    return _MEMBERS.get(word) or _CLAIMS.get(account) or (_CLAIMS.get(word, 0) if word != "fees" else 0)


class Auditor:
    """Looks at every commit and at every object of the processor; the first violation ends a run."""

    def __init__(self, processor: Processor, now: Callable[[], datetime]) -> None:
        self._processor = processor
        self._now = now
        self._documents: dict[str, Document] = {}
        self._groups: defaultdict[str, Group] = defaultdict(Group)
        self._facts: dict[str, Document] = {}  # by group/id
        self._movements: dict[str, str] = {}  # a movement's id → the fact that books it
        self._seen: defaultdict[tuple[str, str], int] = defaultdict(int)
        self._seen_counter = -1
        self._newest: str | None = None
        self._charged: dict[str, str] = {}  # attempt → movement
        self._transfers: defaultdict[str, list[str]] = defaultdict(list)
        self._bank_payouts: defaultdict[str, list[str]] = defaultdict(list)
        self._owed_since: dict[str, int] = {}  # debt → when it arose
        self._borne_pence = 0  # Σ house
        self._borne_just_now: tuple[int, set[int]] = (0, {0})  # what it was at this moment
        self._house_change: Change | None = None  # of the present commit
        self._house_left: list[tuple[int, int]] = []  # by each report: what the house has left
        self._last_facts: list[str] = []
        self._chains: dict[str, tuple[int, str]] = {}
        self.strangers: set[str] = set()  # objects at the processor that others made
        self.published: set[str] = set()  # facts that the topic confirmed or got
        self.quarantine_expected: Callable[[Document], bool] = lambda parked: False
        self.step = 0
        self.checks = 0
        self.violations: list[Violation] = []

    # --- what it is shown -----------------------------------------------------------------------------------

    def committed(self, changes: Sequence[Change]) -> None:
        """One commit, whole."""
        if self.violations:
            return
        self._house_change = None
        by_group: dict[str, list[Change]] = {}
        for change in changes:
            if change.after is None:
                self._documents.pop(change.path, None)
            else:
                self._documents[change.path] = change.after
            root, _, rest = change.path.partition("/")
            if root == "groups":
                by_group.setdefault(rest.partition("/")[0], []).append(change)
            elif root == "quarantine":
                self._parked(change)
            elif root == "users":
                self._forgotten(change)
            elif change.path == "system/house":
                self._house_told(change, {one.path for one in changes})
        for group, its_changes in by_group.items():
            self._group_committed(group, its_changes)

    def _parked(self, change: Change) -> None:
        parked = change.after if change.before is None else None
        if parked is not None and not self._holds(self.quarantine_expected(parked)):
            self._violated("quarantine", parked["reason"])

    def _forgotten(self, change: Change) -> None:
        """Somebody's account is closed: there is nothing between them and anybody."""
        before, after = change.before, change.after
        if before is None or after is None or before["state"] == after["state"] or after["state"] != "closed":
            return
        uid = after["uid"]
        stands = {
            f"{account} in {gid}": group.of(account)
            for gid, group in self._groups.items()
            for account in (f"debt:{uid}", f"owed:{uid}", f"credit:{uid}")
            if group.of(account)
        }
        to_come = [
            path
            for path, one in self.documents("payouts")
            if one["recipient"] == uid and one["state"] not in _RESOLVED
        ]
        forms = [
            path
            for path, one in self._documents.items()
            if path.count("/") == 1 and path.startswith("groups/") and one["state"] in {"draft", "recruiting"}
            for seat in one["seats"]
            if seat["uid"] == uid and seat["state"] in _FORMING
        ]
        if not self._holds(not forms):
            self._violated("forgotten", f"{uid} was erased, and has a place in {forms}, which form")
        if not self._holds(not stands and not to_come and not self.promised(uid)):
            promised = self.promised(uid)
            self._violated("forgotten", f"{uid} was erased: {stands}, promised {promised}, to come {to_come}")

    # --- the house, and what people may promise -------------------------------------------------------------

    def _house_told(self, change: Change, together: set[str]) -> None:
        """A report of the house's own money. Reconciliation's is what the books and the processor say now."""
        self._house_change = change
        house = change.after or {"capital_pence": 0, "borne_pence": 0}
        if "system/reconciliation" in together:
            moment, borne = self._borne_just_now
            sound = house["borne_pence"] in (borne if moment == self._moment else {self._borne_pence})
            if not self._holds(sound and house["capital_pence"] in self._capital_just_now()):
                self._violated("floor", f"the report says {house}; borne are {self._borne_pence}")
        self._house_left.append((self._moment, house["capital_pence"] - house["borne_pence"]))

    def _capital_just_now(self) -> set[int]:
        """What the house had put in before this moment, and what by now."""
        lines = [one for one in self._lines() if one["reporting_category"] in _CAPITAL]
        earlier = [one for one in lines if one["created"] < self._moment]
        return {sum(one["amount"] - one["fee"] for one in those) for those in (lines, earlier)}

    def _may_start(self, gid: str) -> None:
        """The house had enough left by the last report, or by one of this moment, which its reader may not
        have seen."""
        earlier = [left for at, left in self._house_left if at < self._moment][-1:]
        just_now = [left for at, left in self._house_left if at == self._moment]
        if not self._holds(not earlier or max(earlier + just_now) >= _FLOOR_PENCE):
            self._violated("floor", f"{gid} is locked, and the house had {earlier + just_now} left")

    def _house_pays(self, gid: str, fact: Document) -> None:
        """What a decided dispute has the house pay is counted at once, and leaves it its floor."""
        pence = sum(
            entry["pence"] if entry["side"] == "credit" else -entry["pence"]
            for entry in fact["entries"]
            if entry["account"] == "house"
        )
        if not pence or not self._house_left:
            return
        before = (self._house_change and self._house_change.before) or {"borne_pence": 0}
        after = (self._house_change and self._house_change.after) or before
        counted, (_, left) = after["borne_pence"] - before["borne_pence"], self._house_left[-1]
        if not self._holds(counted == pence and left >= _FLOOR_PENCE):
            self._violated("floor", f"{gid}: {fact['id']} pays {pence}, counts {counted}, leaves {left}")

    def promised(self, uid: str) -> dict[str, int]:
        """What each circle that somebody is in, or has agreed to, takes of them in a month, in pence."""
        promised = {}
        for gid in self._groups:
            group = self._documents.get(f"groups/{gid}")
            if group is None or group["state"] not in {"recruiting", "locked", "active"}:
                continue
            if any(seat["uid"] == uid and seat["state"] in _PROMISING for seat in group["seats"]):
                a_year = 52 if group["terms"]["frequency"] == "weekly" else 12
                promised[gid] = -(-group["terms"]["amount_pence"] * a_year // 12)
        return promised

    def _within_caps(self, gid: str, uid: str) -> None:
        promised = self.promised(uid)
        if not self._holds(len(promised) <= _CIRCLES_MAX and sum(promised.values()) <= _MONTHLY_PENCE_MAX):
            self._violated("caps", f"{gid}: {uid} has promised {promised}")

    # --- a store that ran unwatched -------------------------------------------------------------------------

    def take_over(self, documents: Mapping[str, Document]) -> None:
        """The documents of a store that ran unwatched: its journal is folded anew, by the time of each fact.

        What only a commit shows (transitions, what commits together) cannot be seen any more.
        """
        self._documents = dict(documents)
        facts: list[tuple[str, Document]] = []
        for path, document in documents.items():
            parts = path.split("/")
            if parts[0] != "groups" or len(parts) < 4:
                continue
            if parts[2] == "members":
                self._debts(self._groups[parts[1]], parts[1], _Found(path, document), set())
            elif parts[2] == "journal":
                facts.append((parts[1], document))
                self._facts[f"{parts[1]}/{document['id']}"] = document
        for gid, fact in sorted(facts, key=lambda one: one[1]["committed_at"]):
            self._fact(self._groups[gid], gid, fact, [])
        for gid, group in self._groups.items():
            self._folded(group, gid, (), documents.get(f"groups/{gid}/ledger/balances"))
            self._books_agree(group, gid)

    def look(self, step: int) -> None:
        """After a step: whatever is new at the processor."""
        self.step = step
        if self._processor.counter == self._seen_counter or self.violations:
            return
        self._seen_counter = self._processor.counter
        newest = next(reversed(self._processor.objects), None)
        if newest == self._newest:  # it was asked, and made nothing
            return
        self._newest = newest
        for account, kinds in self._processor.ids.items():
            for kind, check in (_OURS if account == self._processor.platform else _THEIRS).items():
                ids = kinds.get(kind)
                if ids is None:
                    continue
                seen = self._seen[account, kind]
                if len(ids) > seen:
                    self._seen[account, kind] = len(ids)
                    for object_id in ids[seen:]:
                        check(self, self._processor.objects[object_id])

    def document(self, path: str) -> Document | None:
        """A document as the last commit left it."""
        return self._documents.get(path)

    def all_documents(self) -> Mapping[str, Document]:
        """Every document, by its path."""
        return self._documents

    def documents(self, kind: str) -> list[tuple[str, Document]]:
        """The documents of a kind in all groups."""
        named = f"/{kind}/"
        found = []
        for path, document in self._documents.items():
            if named in path:  # most are of others
                parts = path.split("/")
                if len(parts) == 4 and parts[2] == kind:
                    found.append((path, document))
        return found

    @property
    def facts(self) -> Mapping[str, Document]:
        """Every fact, by group/id."""
        return self._facts

    def places(self, gid: str, taken: int, places: int) -> None:
        """So many people got a place, of so many places."""
        if not self._holds(taken == places):
            self._violated("right-end", f"{gid}: {taken} people have one of {places} places")

    def wrong(self, invariant: str, what: str) -> None:
        """The platform's own verifier or reconciliation says otherwise than it should."""
        self._violated(invariant, what)

    def never_rests(self, steps_max: int) -> None:
        """So many steps, and still something to do."""
        self._violated("liveness", f"still busy after {steps_max} steps")

    def unhandled(self, name: str, raised: BaseException) -> None:
        """A handler failed with what is no refusal."""
        self._violated("unhandled", f"{name}: {type(raised).__name__}: {raised}")

    # --- one commit of one group ----------------------------------------------------------------------------

    def _group_committed(self, gid: str, changes: list[Change]) -> None:
        group = self._groups[gid]
        new_facts: list[Document] = []
        balances: Document | None = None
        moved = touched = False
        for change in changes:  # a turn that changes hands, or is void, is given up before it is taken
            if "/payouts/" in change.path and change.before is not None:
                group.pots[change.before["recipient"]].discard(change.before["id"])
                group.turns[change.before["cycle"]].discard(change.before["id"])
        members: list[Change] = []
        payouts: list[Change] = []
        for change in changes:
            parts = change.path.split("/")
            kind = parts[2] if len(parts) > 2 else "group"
            if kind == "journal":
                new_facts += self._journal(gid, change)
                continue
            if kind == "ledger":
                balances = change.after
                continue
            touched = True
            if kind == "contributions":
                moved |= self._contribution(group, change)
            elif kind == "payouts":
                moved |= self._payout(group, change)
                payouts.append(change)
            elif kind == "members":
                moved |= self._membership(change)
                members.append(change)
            elif kind == "audit":
                self._sealed(gid, change)
            elif kind == "group":
                moved |= self._circle(change)
        types = {fact["type"] for fact in new_facts}
        for change in members:
            moved |= self._debts(group, gid, change, types)
        if not self._holds(not moved or bool(new_facts)):
            self._violated(
                "all-or-nothing",
                f"{gid}: a state changed without a fact: {[change.path for change in changes]}",
            )
        for fact in new_facts:
            if not self._holds(touched or not fact["entries"]):
                self._violated("all-or-nothing", f"{gid}: {fact['id']} posts money and changes nothing")
            self._fact(group, gid, fact, payouts)
            self._people(group, gid, fact, changes)
        if new_facts or balances is not None:
            self._folded(group, gid, new_facts, balances)
        if new_facts or members:
            self._books_agree(group, gid)

    def _journal(self, gid: str, change: Change) -> list[Document]:
        """A fact that is new; one that was there may change its two marks alone."""
        before, after = change.before, change.after
        if before is None and after is not None:
            self._facts[f"{gid}/{after['id']}"] = after
            self._last_facts = [*self._last_facts[-9:], f"{after['type']} {after['id']}"]
            return [after]
        same = (
            before is not None
            and after is not None
            and all(
                after.get(name) == value
                for name, value in before.items()
                if name not in {"published", "sealed"}
            )
            and after["published"] >= before["published"]
        )
        if not self._holds(same):
            self._violated("facts-create-only", f"{change.path} was changed")
        if after is not None and same:
            key = f"{gid}/{after['id']}"
            self._facts[key] = after
            if not self._holds(not after["published"] or key in self.published):
                self._violated("everything-published", f"{change.path} is marked as published, and was not")
        return []

    def _sealed(self, gid: str, change: Change) -> None:
        """Invariant 10: the chain has no gap, each record names the one before it, none ever changes."""
        record, before = change.after, change.before
        seq, head = self._chains.get(gid, (0, "0" * 64))
        if (
            before is None
            and record is not None
            and self._holds(record["seq"] == seq + 1 and record["previous"] == head)
        ):
            self._chains[gid] = (record["seq"], record["hash"])
            return
        self._violated("everything-published", f"{change.path} does not follow record {seq} of its chain")

    def _contribution(self, group: Group, change: Change) -> bool:
        before, after = change.before, change.after
        if after is None:
            return True
        attempts: list[Document] = after["attempts"]
        if before is None:
            # What a decided dispute claims besides is none of the pairs.
            group.contributions.setdefault((after["cycle"], after["uid"]), change.path)
            return True
        moved = self._transition("contribution", _CONTRIBUTION, change, before["state"], after["state"])
        moved |= any(before[name] != after[name] for name in ("in_pot_pence", "counted_in"))
        if attempts is not before["attempts"] and attempts != before["attempts"]:
            known = {one["id"]: one["state"] for one in before["attempts"]}
            for one in attempts:
                moved |= self._transition(
                    "attempt", _ATTEMPT, change, known.pop(one["id"], "submitting"), one["state"]
                )
            if not self._holds(not known):
                self._violated("state-table", f"{change.path}: attempts vanished: {known}")
            if len(attempts) > len(before["attempts"]):
                moved = True
                self._left_alone(group, before, attempts[-1])
            if not self._holds(sum(one["state"] in _LIVE for one in attempts) <= 1):
                self._violated("one-of-each", f"{change.path}: two live attempts")
        if not self._holds(
            sum(one["in_pot_pence"] for one in attempts) <= after["in_pot_pence"] <= after["amount_pence"]
        ):
            self._violated(
                "one-of-each", f"{change.path}: more in the pot than is owed, or than was collected"
            )
        return moved

    def _left_alone(self, group: Group, contribution: Document, attempt: Document) -> None:
        """In a freeze nothing is taken; under a plan, no more than is due by it. Whoever asks may pay."""
        if contribution["pay_now"]:
            return
        until = group.frozen.get(contribution["id"])
        if not self._holds(until is None or self._now().astimezone(LONDON).date() >= until):
            self._violated("left-alone", f"{contribution['id']} was tried in a freeze until {until}")
        day = contribution["notice"]["collect_on"]
        if contribution["state"] == "due":  # a plan is of what is owed; the pot has its own day
            if not self._holds(day >= contribution["due_date"]):
                self._violated("left-alone", f"{contribution['id']} is taken on {day}, before it is due")
            return
        if not contribution["instalments"]:
            return
        later = sum(one["pence"] for one in contribution["instalments"] if one["due_date"] > day)
        member = self._documents[f"groups/{contribution['group']}/members/{contribution['uid']}"]
        owed = sum(one["left_pence"] for one in member["debts"] if one["contribution"] == contribution["id"])
        taken = attempt["amount_pence"] - attempt["added_fee_pence"]
        least = owed > later and attempt["amount_pence"] == _LEAST_CHARGE_PENCE
        if not self._holds(taken <= owed - later or least):
            self._violated(
                "left-alone",
                f"{contribution['id']}: {taken} taken of {owed}, of which {later} are for later",
            )

    def _payout(self, group: Group, change: Change) -> bool:
        before, after = change.before, change.after
        if after is None:
            self._violated("state-table", f"{change.path} vanished")
            return True
        if before is None and after["kind"] == "turn":
            group.payouts[after["cycle"]].append(change.path)
        if after["kind"] == "turn":
            turns, pots = group.turns[after["cycle"]], group.pots[after["recipient"]]
            for those in (turns, pots):
                (those.discard if after["state"] == "void" else those.add)(after["id"])
            if not self._holds(len(turns) <= 1 and len(pots) <= 1):
                self._violated(
                    "one-of-each", f"{change.path}: a second turn payout of its cycle or its recipient"
                )
        elif after["kind"] == "top_up":
            key = (after["cause"], after["number"])
            first = group.top_ups.setdefault(key, after["id"])
            if not self._holds(first == after["id"]):
                self._violated("one-of-each", f"{change.path}: a second top-up {key}")
        if before is None:
            return True
        return self._transition("payout", _PAYOUT, change, before["state"], after["state"])

    def _membership(self, change: Change) -> bool:
        before, after = change.before, change.after
        if after is not None and after["state"] in _BEGINNING:
            user = self._documents.get(f"users/{after['uid']}")
            if not self._holds(user is None or user["state"] != "closed"):
                self._violated("forgotten", f"{change.path}: {after['state']}, and they were erased")
        if before is None or after is None:
            return True
        if before["state"] in _ENDED and after["state"] in _BEGINNING:
            return self._begins_anew(change.path, before, after)
        return self._transition("membership", _MEMBERSHIP, change, before["state"], after["state"])

    def _begins_anew(self, path: str, before: Document, after: Document) -> bool:
        """Who left a circle that forms, was removed from it, or was not let in, may ask again: a new
        membership, with nothing of the former one but its document."""
        group = self._documents["/".join(path.split("/")[:2])]
        bare = not before["debts"] and not after["debts"] and after["position"] is None
        if not self._holds(group["state"] == "recruiting" and bare and after["role"] == "member"):
            self._violated("state-table", f"{path}: a membership began anew in a {group['state']} circle")
        return True

    def _circle(self, change: Change) -> bool:
        before, after = change.before, change.after
        if before is None or after is None:
            return True
        moved = self._transition("group", _GROUP, change, before["state"], after["state"])
        self._one_organiser(change.path, after)
        if moved and after["state"] == "locked":
            self._calendar(after)
        return moved

    def _one_organiser(self, path: str, group: Document) -> None:
        if group["state"] not in {"recruiting", "locked", "active"}:
            return
        inside = [seat for seat in group["seats"] if seat["state"] in {"approved", "agreed", "active"}]
        organisers = [seat["uid"] for seat in inside if seat["role"] == "organiser"]
        if not self._holds(not inside or organisers == [group["organiser"]]):
            self._violated("one-organiser", f"{path}: {organisers}, by name {group['organiser']}")

    def _transition(
        self, thing: str, table: Mapping[str, set[str]], change: Change, state: str, to: str
    ) -> bool:
        """Whether the state changed; a violation if the table does not allow it."""
        if state == to:
            return False
        if not self._holds(to in table.get(state, ())):
            self._violated("state-table", f"{change.path}: {thing} went from {state} to {to}")
        return True

    # --- debts ----------------------------------------------------------------------------------------------

    def _debts(self, group: Group, gid: str, change: Change, types: set[str]) -> bool:
        """Invariant 11 for one debtor in one commit. Returns whether anything changed."""
        old = {debt["id"]: debt for debt in (change.before or {}).get("debts", ())}
        new = {debt["id"]: debt for debt in (change.after or {}).get("debts", ())}
        if old == new:
            return False
        uid = change.path.rpartition("/")[2]
        voided = "reservation_void" in types
        reduced = set()
        for debt_id, debt in new.items():
            was = old.get(debt_id)
            if was is None:
                fresh = debt_id not in group.first_creditors
                if not self._holds(fresh):
                    self._violated("one-creditor", f"{gid}: debt {debt_id} stands twice")
                group.first_creditors[debt_id] = debt["creditor"]
                self._owed_since[debt_id] = self._moment
                if types & _TAKES_BACK:
                    group.taken_back.add(debt_id)
                creditor = debt["creditor"]
                known = (
                    creditor in {"reserve", "house"} or f"groups/{gid}/members/{creditor}" in self._documents
                )
                if not self._holds(
                    known and creditor != uid and 0 < debt["left_pence"] == debt["original_pence"]
                ):
                    self._violated(
                        "one-creditor", f"{gid}: {uid} owes {debt['left_pence']} to {debt['creditor']}"
                    )
                continue
            taken_over = debt["creditor"] == "house" and "dispute_decided" in types
            if not self._holds(
                all(was[name] == debt[name] for name in ("cycle", "contribution", "original_pence"))
                and (was["creditor"] == debt["creditor"] or taken_over)
            ):
                self._violated("one-creditor", f"{gid}: debt {debt_id} of {uid} is another's now")
            rose = debt["left_pence"] > was["left_pence"]
            if not self._holds(0 <= debt["left_pence"] <= debt["original_pence"] and (not rose or voided)):
                self._violated("one-creditor", f"{gid}: debt {debt_id} of {uid} grew")
            if debt["left_pence"] < was["left_pence"]:
                if types & _ENDS_DEBTS:
                    ended = debt["left_pence"] == 0 or debt["creditor"] == "house"  # beyond its promise
                    if not self._holds(ended):
                        self._violated("one-creditor", f"{gid}: debt {debt_id} of {uid} ended in part")
                else:
                    reduced.add(debt_id)
        for debt_id in old.keys() - new.keys():
            if not self._holds(voided and old[debt_id]["left_pence"] == old[debt_id]["original_pence"]):
                self._violated("one-creditor", f"{gid}: debt {debt_id} of {uid} vanished")
        older_open = False
        for debt in sorted(old.values(), key=lambda one: (one["due_date"], one["cycle"], one["id"])):
            if debt["id"] in reduced and not self._holds(not older_open):
                self._violated("one-creditor", f"{gid}: {uid} paid {debt['id']} while an older debt is open")
            older_open |= debt["id"] in new and new[debt["id"]]["left_pence"] > 0
        for sign, debts in ((-1, old), (1, new)):
            for debt in debts.values():
                group.owes[uid] += sign * debt["left_pence"]
                group.is_owed[debt["creditor"]] += sign * debt["left_pence"]
        return True

    # --- one new fact ---------------------------------------------------------------------------------------

    def _fact(self, group: Group, gid: str, fact: Document, payouts: list[Change]) -> None:
        books = {"members": 0, "claims": 0}
        accounts = set()
        sound = len(fact["entries"]) != 1
        for entry in fact["entries"]:
            account, pence = entry["account"], entry["pence"]
            signed = pence if entry["side"] == "debit" else -pence
            sound &= type(pence) is int and pence > 0 and account not in accounts and _sign(account) != 0
            accounts.add(account)
            books["members" if account.partition(":")[0] in _MEMBERS else "claims"] += signed
        if not self._holds(sound and not any(books.values())):
            self._violated("entries-balance", f"{gid}: {fact['type']} {fact['id']}: {fact['entries']}")
        net_pence = 0  # what the entries say came to, or left, our balance at the processor
        for entry in fact["entries"]:
            account, pence = entry["account"], entry["pence"]
            side = group.debits if entry["side"] == "debit" else group.credits
            side[account] += pence
            signed = pence if entry["side"] == "debit" else -pence
            word = account.partition(":")[0]
            if word == "cash" or account == "house":
                net_pence += signed
            if word in _MEMBERS:
                group.held_pence += signed
            elif word in {"debt", "owed"}:  # whoever stands in the books is held against the debts
                (group.owes if word == "debt" else group.is_owed)[account.partition(":")[2]] += 0
            if account in {"house", "fees:processor", "loss", "fees:platform"}:
                group.house_gap_pence -= signed
            if account == "house":
                self._bears(-signed)
        for account in accounts - {"house"}:
            if not self._holds(group.of(account) >= 0):
                self._violated(
                    "never-overdrawn",
                    f"{gid}: {account} stands at {group.of(account)} after {fact['type']} {fact['id']}",
                )
        self._movement(gid, fact, net_pence)
        if fact["type"] == "payout_reserved":
            for change in payouts:
                if change.after is not None and change.after["state"] == "reserved":
                    self._reserved(gid, change.after)
        elif fact["type"] == "reservation_void":
            self._voided(group, gid, fact)
        for change in payouts:
            if change.before is None and change.after is not None and change.after["kind"] == "top_up":
                group.sources[change.after["id"]] = fact["id"]

    def _bears(self, pence: int) -> None:
        moment, values = self._borne_just_now
        if moment != self._moment:
            values = {self._borne_pence}
        self._borne_pence += pence
        self._borne_just_now = (self._moment, values | {self._borne_pence})

    def _movement(self, gid: str, fact: Document, net_pence: int) -> None:
        """Invariant 12: a fact that moves money at the processor is one line there, to the penny."""
        line = self._processor.objects.get(fact["id"])
        if line is None or line["object"] != "balance_transaction":
            if not self._holds(net_pence == 0):
                self._violated(
                    "each-movement-one-fact",
                    f"{gid}: {fact['type']} {fact['id']} moves {net_pence}, and is no line there",
                )
            return
        taken = self._movements.setdefault(fact["id"], gid)
        fee_pence = fact["payload"].get("fee_pence", 0)
        if not self._holds(
            taken == gid and net_pence == line["amount"] - line["fee"] and fee_pence == line["fee"]
        ):
            self._violated(
                "each-movement-one-fact",
                f"{gid}: {fact['type']} {fact['id']} says {net_pence} net, fee {fee_pence}; "
                f"the line says {line['amount']} less {line['fee']}",
            )
        labels = self._labels_of(line)
        if not self._holds(labels is not None and labels.get("group") == gid):
            self._violated(
                "our-id-on-everything", f"{gid}: {fact['type']} {fact['id']} books what is labelled {labels}"
            )
        if fact["type"] == "contribution_settled" and labels is not None:
            contribution = self._documents.get(f"groups/{gid}/contributions/{labels.get('contribution')}")
            attempts = {one["id"]: one["amount_pence"] for one in (contribution or {}).get("attempts", ())}
            if not self._holds(attempts.get(labels.get("attempt", "")) == line["amount"]):
                self._violated(
                    "our-id-on-everything",
                    f"{gid}: {fact['id']} is of no attempt of ours, or of another amount",
                )

    def _labels_of(self, line: Document) -> Mapping[str, str] | None:
        """Our ids on what a line of the balance is about; None for what others made."""
        objects = self._processor.objects
        source = objects.get(line["source"] or "")
        if source is None or source["id"] in self.strangers:
            return None
        if source["object"] in {"refund", "dispute"}:
            source = objects[source["charge"]]
        if source["object"] == "charge":
            source = objects.get(source["payment_intent"] or "", source)
        if source["object"] == "transfer_reversal":
            source = objects[source["transfer"]]
        return None if source["id"] in self.strangers else source["metadata"]

    def _reserved(self, gid: str, payout: Document) -> None:
        """Invariant 7: each penny of the pot has cleared, says the processor itself."""
        now = self._processor.now
        for counted in payout["counted"]:
            contribution = self._documents[f"groups/{gid}/contributions/{counted['contribution']}"]
            for attempt in contribution["attempts"]:
                if not attempt["in_pot_pence"]:
                    continue
                for movement in (attempt["movement"], *attempt["won_back"][-1:]):
                    line = self._processor.objects.get(movement)
                    if not self._holds(line is not None and line["available_on"] <= now):
                        self._violated(
                            "cleared-money-only",
                            f"{gid}: {payout['id']} counts {movement}, which has not cleared",
                        )
                    labels = self._labels_of(line) if line else None
                    if not self._holds(labels is not None and labels.get("group") == gid):
                        self._violated(
                            "cleared-money-only", f"{gid}: {payout['id']} counts {movement} of another group"
                        )

    def _voided(self, group: Group, gid: str, fact: Document) -> None:
        """Invariant 5: a reversal is the exact opposite, and happens once."""
        first = self._facts.get(f"{gid}/{fact['payload']['reverses']}")
        opposite = {"debit": "credit", "credit": "debit"}
        wanted = {
            (entry["account"], opposite[entry["side"]], entry["pence"])
            for entry in (first["entries"] if first else ())
        }
        got = {(entry["account"], entry["side"], entry["pence"]) for entry in fact["entries"]}
        once = group.reversed_by.setdefault(fact["payload"]["reverses"], fact["id"]) == fact["id"]
        if not self._holds(first is not None and wanted == got and once):
            self._violated(
                "facts-create-only",
                f"{gid}: {fact['id']} is not the exact reverse of {fact['payload']['reverses']}",
            )

    # --- what people do to a circle -------------------------------------------------------------------------

    def _people(self, group: Group, gid: str, fact: Document, changes: list[Change]) -> None:
        """What a fact about people comes to, by the promises alone; and whether they might."""
        payload, before = fact["payload"], _Before(self, group, gid, changes)
        match fact["type"]:
            case "group_locked":
                group.pairs.locked(self._documents[f"groups/{gid}"])
                self._in_order(gid, before.group)
                self._all_accepted(gid, group, payload["order"])
                self._may_start(gid)
            case "agreed":
                self._within_caps(gid, payload["member"])
                group.accepted[payload["member"]] = payload["agreement"]
            case "requested" | "joined":
                group.accepted.pop(payload["member"], None)
            case "order_set" if self._documents[f"groups/{gid}"]["order"] != before.group["order"]:
                group.accepted.clear()  # it is part of what they accept
            case "role_assigned":
                if not self._holds(fact["actor"] == before.group["organiser"]):
                    self._violated("one-organiser", f"{gid}: {fact['actor']} gave away what is not theirs")
            case "member_left" if "after_turn" in payload:
                uid = payload["member"]
                seats = [one for one in before.group["seats"] if one["uid"] == uid]
                position = seats[-1]["position"]  # before it perhaps one of a former membership
                if not self._holds(payload["after_turn"] == before.had_turn(position)):
                    self._violated("right-end", f"{gid}: {uid} left, and their turn was taken for another's")
                group.pairs.left(before, uid, payload["after_turn"])
            case "place_taken_over":
                group.pairs.taken_over(before, payload["member"], payload["substitute"])
                self._within_caps(gid, payload["substitute"])
            case "group_wound_up":
                group.pairs.wound_up(before)
            case "dispute_decided":
                self._house_pays(gid, fact)
                for remedy in payload["remedies"]:
                    if remedy["kind"] == "claim":
                        group.pairs.claimed(remedy["debtor"], remedy["creditor"], remedy["pence"])
            case "written_off":
                group.pairs.let_go(payload["member"], payload["creditor"], payload["pence"])
            case "turns_swapped":
                self._swapped(gid, before, payload["positions"])
            case "hardship_opened":
                until = date.fromisoformat(payload["until"])
                group.frozen |= dict.fromkeys(payload["contributions"], until)
        if fact["type"] in _TWO_PEOPLE or payload.get("reason") in {"removed", "died", "vulnerable"}:
            self._two_people(gid, fact, changes)

    def _all_accepted(self, gid: str, group: Group, people: Sequence[str]) -> None:
        """All of them the same text, and each after they came last, and after it changed last."""
        accepted = [group.accepted.get(uid) for uid in people]
        if not self._holds(None not in accepted and len(set(accepted)) == 1):
            self._violated("agreement", f"{gid} is locked: {dict(zip(people, accepted, strict=True))}")

    def _in_order(self, gid: str, before: Document) -> None:
        """The order by its rule. Who was in arrears at an earlier moment and is still, was so to whoever made
        it; what arose meanwhile they may not have seen."""
        people = {seat["uid"] for seat in before["seats"]}
        elsewhere = [group for other, group in self._groups.items() if other != gid]
        known = {uid for group in elsewhere for _, uid in group.contributions}
        known |= {one["uid"] for path, one in self._documents.items() if path.startswith("assessments/")}
        yesterday = self._now() - timedelta(days=1)
        behind = {
            uid
            for uid in people
            for other in self._groups
            for debt in self._documents.get(f"groups/{other}/members/{uid}", {}).get("debts", ())
            if debt["left_pence"]
            and date.fromisoformat(debt["due_date"]) < yesterday.date()
            and self._owed_since[debt["id"]] < self._moment
        }
        committed = self._facts[f"{gid}/group_created"]["payload"].get("draw_commitment")
        locked = self._documents[f"groups/{gid}"]
        wrong = orders.what_is_wrong(before, locked, committed, people - known, behind)
        if not self._holds(wrong is None):
            self._violated("order", f"{gid} ({before['terms']['order_method']}): {wrong}")

    def _swapped(self, gid: str, before: _Before, positions: list[int]) -> None:
        """Nobody had paid for either turn yet: from the due date on a swap loses."""
        today = (self._now() - CLOCK_SKEW_MAX).astimezone(LONDON).date()
        for cycle in positions:
            due = date.fromisoformat(before.group["schedule"][cycle - 1]["due_date"])
            if not self._holds(not before.had_turn(cycle) and today < due):
                self._violated("open-cycle", f"{gid}: turn {cycle} was swapped on {today}, due on {due}")

    def _two_people(self, gid: str, fact: Document, changes: list[Change]) -> None:
        """With the last consent it is done: all were given, and by nobody for what they asked themselves."""
        told = [change.after for change in changes if "/journal/approval_consented" in change.path]
        approval = (
            self._documents.get(f"approvals/{told[0]['payload']['approval']}") if told and told[0] else None
        )
        givers = [one["given_by"] for one in (approval or {}).get("consents", ())]
        sound = (
            approval is not None
            and approval["state"] == "carried_out"
            and bool(givers)
            and None not in givers
            and len({*givers, approval["asked_by"]}) == len(givers) + 1
        )
        if not self._holds(sound):
            self._violated("two-people", f"{gid}: {fact['type']} {fact['id']} by {approval}")

    # --- the books ------------------------------------------------------------------------------------------

    def _folded(self, group: Group, gid: str, facts: Iterable[Document], balances: Document | None) -> None:
        """Invariant 4: as far as this commit touched it. All of it is compared at rest."""
        stored = balances or self._documents.get(f"groups/{gid}/ledger/balances") or {}
        debits, credits = stored.get("debits", {}), stored.get("credits", {})
        touched = {entry["account"] for fact in facts for entry in fact["entries"]}
        if balances is not None:
            touched |= {*debits, *credits}
        for account in touched:
            if not self._holds(
                debits.get(account, 0) == group.debits[account]
                and credits.get(account, 0) == group.credits[account]
            ):
                self._violated(
                    "balances-are-the-fold",
                    f"{gid}: {account} is {debits.get(account, 0)} Dr {credits.get(account, 0)} Cr, the fold "
                    f"{group.debits[account]} Dr {group.credits[account]} Cr",
                )

    def _books_agree(self, group: Group, gid: str) -> None:
        """Invariant 3."""
        if not self._holds(group.held_pence == 0):
            self._violated(
                "books-agree", f"{gid}: cash is {group.held_pence} off pot + payable + credit + reserve"
            )
        for uid, pence in group.owes.items():
            if not self._holds(group.of(f"debt:{uid}") == pence):
                self._violated(
                    "books-agree", f"{gid}: debt:{uid} is {group.of(f'debt:{uid}')}, the open debts {pence}"
                )
        for creditor, pence in group.is_owed.items():
            if creditor != "house" and not self._holds(group.of(f"owed:{creditor}") == pence):
                self._violated(
                    "books-agree",
                    f"{gid}: owed:{creditor} is {group.of(f'owed:{creditor}')}, their debts {pence}",
                )
        if not self._holds(group.house_gap_pence == group.is_owed["house"]):
            self._violated(
                "books-agree",
                f"{gid}: house is {group.of('house')}; less fees and losses that is "
                f"{group.house_gap_pence}, the debts to it {group.is_owed['house']}",
            )

    # --- the processor --------------------------------------------------------------------------------------

    def _labelled(self, thing: dict[str, Any], *names: str) -> bool:
        """Invariant 8 for one object that we made; False for a stranger's."""
        if thing["id"] in self.strangers:
            return False
        if not self._holds(all((thing["metadata"] or {}).get(name) for name in names)):
            self._violated(
                "our-id-on-everything", f"{thing['object']} {thing['id']} carries {thing['metadata']}"
            )
        return not self.violations

    def _line(self, line: dict[str, Any]) -> None:
        """A new line of our balance: an attempt is charged once."""
        source = self._processor.objects.get(line["source"] or "")
        if source is None or source["object"] != "charge" or line["reporting_category"] == "charge_failure":
            return
        labels = self._labels_of(line)
        if labels is not None and "attempt" in labels:
            first = self._charged.setdefault(labels["attempt"], line["id"])
            if not self._holds(first == line["id"]):
                self._violated(
                    "one-of-each", f"attempt {labels['attempt']} was charged twice: {first}, {line['id']}"
                )

    def _intent(self, intent: dict[str, Any]) -> None:
        self._labelled(intent, "attempt", "group", "contribution")

    def _transfer(self, transfer: dict[str, Any]) -> None:
        """Invariants 6 and 7 where the money leaves: once, ours, cleared, and to the right account."""
        if not self._labelled(transfer, "attempt", "group", "payout"):
            return
        gid, payout_id = transfer["metadata"]["group"], transfer["metadata"]["payout"]
        payout = self._documents.get(f"groups/{gid}/payouts/{payout_id}")
        self._transfers[payout_id].append(transfer["id"])
        out = [self._processor.objects[one] for one in self._transfers[payout_id]]
        if not self._holds(sum(one["amount"] - one["amount_reversed"] > 0 for one in out) == 1):
            self._violated("one-of-each", f"{gid}: payout {payout_id} was transferred {len(out)} times")
        if payout is None or payout["state"] in _NO_MONEY_LEFT_YET:
            self._violated("cleared-money-only", f"{gid}: {payout_id} was sent unreserved")
            return
        user = self._documents.get(f"users/{payout['recipient']}") or {}
        account = (user.get("payout_account") or {}).get("reference")
        if not self._holds(
            transfer["amount"] == payout["amount_pence"] and transfer["destination"] == account
        ):
            self._violated(
                "cleared-money-only",
                f"{gid}: {payout_id} sent {transfer['amount']} to {transfer['destination']}",
            )
        group = self._groups[gid]
        cash_pence = sum(group.of(one) for one in group.accounts("cash"))
        if not self._holds(cash_pence >= transfer["amount"]):
            self._violated(
                "cleared-money-only",
                f"{gid}: {payout_id} sent {transfer['amount']} of {cash_pence} that the group has",
            )
        source = self._processor.objects.get(group.sources.get(payout_id, ""), {})
        if not self._holds(source.get("available_on", 0) <= self._processor.now):
            self._violated(
                "cleared-money-only", f"{gid}: top-up {payout_id} was sent before {source['id']} cleared"
            )

    def _bank_payout(self, payout: dict[str, Any]) -> None:
        if not self._labelled(payout, "attempt", "group", "payout"):
            return
        labels = payout["metadata"]
        those = self._bank_payouts[labels["payout"]]
        those.append(payout["id"])
        ours = self._documents.get(f"groups/{labels['group']}/payouts/{labels['payout']}") or {}
        under_way = [one for one in those if self._processor.objects[one]["status"] not in _BANK_SAID_NO]
        if not self._holds(len(under_way) == 1 and payout["amount"] == ours.get("amount_pence")):
            self._violated(
                "one-of-each",
                f"{labels['payout']} is at the bank {len(under_way)} times, with {payout['amount']}",
            )

    def _person(self, thing: dict[str, Any]) -> None:
        self._labelled(thing, "uid")

    # --- the calendar ---------------------------------------------------------------------------------------

    def _calendar(self, group: Document) -> None:
        """Nominal dates from the first one's day of the month, moved on to the next working day."""
        terms = group["terms"]
        first = date.fromisoformat(terms["first_due_date"])
        for index, cycle in enumerate(group["schedule"]):
            nominal = _nominal(first, terms["frequency"], index - terms["cycles_done"])
            due = nominal
            while not _banks_work(due):
                due += timedelta(days=1)
            paid = date.fromisoformat(cycle["payout_date"])
            if not self._holds(
                cycle["nominal_date"] == nominal.isoformat()
                and cycle["due_date"] == due.isoformat()
                and due < paid
                and _banks_work(paid)
            ):
                self._violated(
                    "calendar",
                    f"cycle {index + 1} from {first} is due {cycle['due_date']}, by the calendar {due}",
                )

    # --- at rest --------------------------------------------------------------------------------------------

    def at_rest(self, defaulters: Mapping[str, set[str]]) -> None:
        """Nothing is under way any more: everything due was tried, and came out right.

        `defaulters` names, by group, who was made never to pay.
        """
        if self.violations:
            return
        for path, document in self._documents.items():
            parts = path.split("/")
            if parts[0] == "commitments":
                held, promised = document["monthly_pence"], self.promised(parts[1])
                if not self._holds(held == promised):
                    self._violated("caps", f"{path} holds {held} at rest, and promised is {promised}")
            if parts[0] == "groups" and len(parts) == 4:
                self._rests(parts[1], parts[2], path, document, defaulters.get(parts[1], set()))
        for key, fact in self._facts.items():
            if not self._holds(fact["published"] > 0 and key in self.published):
                self._violated("everything-published", f"{key} was never published")
        for gid, group in self._groups.items():
            stored = self._documents.get(f"groups/{gid}/ledger/balances")
            self._folded(group, gid, (), stored)
            if stored is None:
                continue
            self._right_end(gid, group)
        self._all_lines()

    def _rests(self, gid: str, kind: str, path: str, document: Document, defaulters: set[str]) -> None:
        if kind == "contributions":
            live = [one["id"] for one in document["attempts"] if one["state"] in _LIVE]
            open_state = document["state"] == "due" or (
                document["state"] == "short" and document["uid"] not in defaulters
            )
            if not self._holds(not live and not open_state):
                self._violated(
                    "liveness", f"{path} of {document['uid']} is {document['state']} at rest, live: {live}"
                )
        elif kind == "payouts" and not self._holds(document["state"] in _RESOLVED):
            self._violated("liveness", f"{path} is {document['state']} at rest: {document['parked_because']}")

    def _right_end(self, gid: str, group: Group) -> None:
        """What each promised is put in or owed, what each was promised got or owed; no pot holds any."""
        circle = self._documents.get(f"groups/{gid}")
        if circle is None or not circle["schedule"]:
            return
        if not self._holds(all(cycle["closed"] for cycle in circle["schedule"])):
            self._violated(
                "liveness",
                f"{gid}: {[one['number'] for one in circle['schedule'] if not one['closed']]} stand open",
            )
        for account in [*group.accounts("pot"), *group.accounts("payable")]:
            if not self._holds(group.of(account) == 0):
                self._violated("right-end", f"{gid}: {group.of(account)} are left in {account}")
        flows = self._flows(gid)
        for uid in sorted({*group.pairs.puts, *group.pairs.gets}):
            put_in = flows["collected", uid] + flows["netted", uid] + flows["from reserve", uid]
            put_in -= group.of(f"credit:{uid}") + flows["credit returned", uid]
            put_in += group.pairs.forgiven[uid]
            owes, promised = group.of(f"debt:{uid}"), group.pairs.puts[uid] - flows["waived", uid]
            promised += group.pairs.claimed_from[uid]
            if not self._holds(put_in + owes == promised):
                self._violated("right-end", f"{gid}: {uid} put in {put_in} and owes {owes} of {promised}")
            pot = group.pairs.gets[uid] - flows["waived", uid] - flows["kept", uid]
            pot += group.pairs.claimed_for[uid]
            owed, got = group.of(f"owed:{uid}"), flows["received", uid] + flows["netted", uid]
            got += group.pairs.gave_up[uid]
            if not self._holds(got + owed == pot):
                self._violated("right-end", f"{gid}: {uid} got {got} and is owed {owed} of a pot of {pot}")

    def _flows(self, gid: str) -> defaultdict[tuple[str, str], int]:
        """What each member put in and got, in pence: by the processor's lines, and by what needs no line."""
        flows: defaultdict[tuple[str, str], int] = defaultdict(int)
        collected: defaultdict[str, Counter[str]] = defaultdict(Counter)  # by contribution, then by attempt
        prefix = f"groups/{gid}/"
        for line in self._lines():
            labels = self._labels_of(line)
            if labels is None or labels.get("group") != gid:
                continue
            if "contribution" in labels:
                collected[labels["contribution"]][labels["attempt"]] += line["amount"]
            else:
                payout = self._documents[f"{prefix}payouts/{labels['payout']}"]
                kind = "returned" if payout["kind"] == "return" else "received"
                flows[kind, payout["recipient"]] -= line["amount"]
        self._on_paper(gid, flows)
        fees = self._fees_on_top(gid)
        for contribution, by_attempt in collected.items():
            document = self._documents[f"{prefix}contributions/{contribution}"]
            self._fee_once(document, by_attempt, fees[contribution])
            flows["collected", document["uid"]] += by_attempt.total() - fees[contribution]
        for path, document in self._documents.items():
            own = path.startswith(f"{prefix}contributions/") and document["uid"] == document["recipient"]
            if own and document["state"] == "waived" and not document["apart"]:
                flows["waived", document["uid"]] += document["amount_pence"] - document["in_pot_pence"]
        for key, fact in self._facts.items():
            if not key.startswith(f"{gid}/"):
                continue
            payload = fact["payload"]
            if fact["type"] == "payout_reserved" and fact["id"] not in self._groups[gid].reversed_by:
                flows["netted", payload["recipient"]] += sum(payload["netted"].values())
                flows["kept", payload["recipient"]] += payload["fee_pence"] + payload["withheld_pence"]
            for share in payload["shares"] if fact["type"] == "given_back" else ():
                if share["what"] == "credit":
                    flows["credit returned", share["member"]] += share["returned_pence"]
                else:
                    flows["from reserve", share["member"]] += share["pence"] - share["returned_pence"]
        return flows

    def _on_paper(self, gid: str, flows: defaultdict[tuple[str, str], int]) -> None:
        """What was put in and got before the circle came here, as all have attested it."""
        group = self._documents[f"groups/{gid}"]
        came = {seat["brought_turn"]: seat["uid"] for seat in group["seats"] if seat["position"] is not None}
        for turn in group["past"]:
            flows["collected", came[turn["turn"]]] += sum(turn["paid_pence"])
            flows["received", came[turn["turn"]]] += turn["received_pence"]

    def _fees_on_top(self, gid: str) -> Counter[str]:
        """What the house keeps of the money for each contribution, by the journal."""
        fees: Counter[str] = Counter()
        for key, fact in self._facts.items():
            if key.startswith(f"{gid}/") and "contribution" in fact["payload"]:
                for entry in fact["entries"]:
                    if entry["account"] == "fees:platform":
                        signed = entry["pence"] if entry["side"] == "credit" else -entry["pence"]
                        fees[fact["payload"]["contribution"]] += signed
        return fees

    def _fee_once(self, contribution: Document, collected: Counter[str], fee_pence: int) -> None:
        """The fee on top is taken once, from money that was noticed with it, and is the last that goes back.

        It may be less: money goes back while another debit, noticed without it, is under way.
        """
        noticed = {one["id"]: one["added_fee_pence"] for one in contribution["attempts"]}
        by_attempts = sum(max(0, min(noticed[one], pence)) for one, pence in collected.items())
        most_pence = min(contribution["added_fee_pence"], by_attempts)
        whole = len(collected) == 1 and not any(one["taken_back"] for one in contribution["attempts"])
        if not self._holds(fee_pence == most_pence if whole else 0 <= fee_pence <= most_pence):
            self._violated(
                "right-end", f"{contribution['id']}: a fee of {fee_pence} on top was kept, not {most_pence}"
            )

    def _lines(self) -> list[dict[str, Any]]:
        processor = self._processor
        ids = processor.ids[processor.platform].get("balance_transaction", [])
        return [processor.objects[one] for one in ids]

    def _all_lines(self) -> None:
        """Invariant 12 as a whole: every line of ours is booked, and the processor's balance is explained."""
        capital_pence = strange_pence = 0
        for line in self._lines():
            net_pence = line["amount"] - line["fee"]
            source = self._processor.objects.get(line["source"] or "") or {"object": None}
            if line["reporting_category"] in _CAPITAL:
                capital_pence += net_pence
            elif source["object"] == "charge" and source["status"] != "succeeded":
                strange_pence += net_pence  # a debit that its bank has not answered yet, or has refused
            elif self._labels_of(line) is None:
                strange_pence += net_pence
            elif not self._holds(line["id"] in self._movements):
                self._violated(
                    "each-movement-one-fact",
                    f"{line['reporting_category']} {line['id']} of {line['source']} is in no journal",
                )
        theirs = sum(line["amount"] - line["fee"] for line in self._lines())
        cash = sum(group.of(one) for group in self._groups.values() for one in group.accounts("cash"))
        house = sum(group.of("house") for group in self._groups.values())
        if not self._holds(theirs == cash + capital_pence + strange_pence - house):
            self._violated(
                "each-movement-one-fact",
                f"the processor holds {theirs}: cash {cash} + capital {capital_pence} + others' "
                f"{strange_pence} - house {house}",
            )

    # --- in common ------------------------------------------------------------------------------------------

    @property
    def _moment(self) -> int:
        """The present one, whatever an instance takes it for: time moves only when nothing is under way."""
        return self._processor.now

    def _holds(self, holds: bool) -> bool:
        """One check more."""
        self.checks += 1
        return holds

    def _violated(self, invariant: str, what: str) -> None:
        """The first violation is the one that counts: what follows may follow from it."""
        if not self.violations:
            self.violations.append(Violation(invariant, what, self.step, tuple(self._last_facts)))


class _Before:
    """A circle as it stood before one commit (`pairs.Standing`)."""

    def __init__(self, auditor: Auditor, group: Group, gid: str, changes: Sequence[Change]) -> None:
        self._auditor, self._group, self._gid = auditor, group, gid
        self._changed = {change.path: change.before for change in changes}

    def _document(self, path: str) -> Document:
        if path in self._changed:
            return self._changed[path] or {}
        return self._auditor.document(path) or {}

    @property
    def group(self) -> Document:
        return self._document(f"groups/{self._gid}")

    def contribution(self, cycle: int, uid: str) -> Document:
        return self._document(self._group.contributions[cycle, uid])

    def debts(self, uid: str) -> list[Document]:
        debts: list[Document] = self._document(f"groups/{self._gid}/members/{uid}")["debts"]
        return debts

    def had_turn(self, cycle: int) -> bool:
        return any(
            self._document(path).get("state", "void") not in {"scheduled", "parked", "void"}
            for path in self._group.payouts[cycle]
        )

    def was_taken_back(self, debt: str) -> bool:
        return debt in self._group.taken_back

    def first_creditor(self, debt: str) -> str:
        return self._group.first_creditors[debt]


_TWO_PEOPLE = {
    "turns_swapped",
    "place_taken_over",
    "plan_agreed",
    "written_off",
    "payout_approved",
    "group_wound_up",
    "fee_changed",
}
_ENDS_DEBTS = {"written_off", "member_left", "place_taken_over", "group_wound_up"}
"""These end debts without money: no order among them."""
_TAKES_BACK = {"contribution_disputed", "contribution_refunded"}
_CAPITAL = {"topup", "topup_reversal"}
_PROMISING = {"agreed", "active", "defaulted"}
_BANK_SAID_NO = {"failed", "canceled"}
LONDON = ZoneInfo("Europe/London")
CLOCK_SKEW_MAX = timedelta(minutes=2)
"""What an instance may take for today around midnight, if its clock is off."""

Check = Callable[[Auditor, dict[str, Any]], None]

_OURS: dict[str, Check] = {
    "customer": Auditor._person,
    "payment_intent": Auditor._intent,
    "balance_transaction": Auditor._line,
    "transfer": Auditor._transfer,
}
_THEIRS: dict[str, Check] = {"account": Auditor._person, "payout": Auditor._bank_payout}


def _nominal(first: date, frequency: str, index: int) -> date:
    if frequency == "weekly":
        return first + timedelta(days=7 * index)
    year, month = divmod(first.year * 12 + first.month - 1 + index, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(first.day, last))


_BANK_HOLIDAYS = holidays.country_holidays("GB", subdiv="ENG")


def _banks_work(day: date) -> bool:
    return day.weekday() < 5 and day not in _BANK_HOLIDAYS
