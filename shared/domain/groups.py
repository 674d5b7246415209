"""Groups: an ajo circle from the first idea to the last pot; its terms, seats, agreement and schedule."""

from __future__ import annotations

import hashlib
from collections.abc import Container, Mapping
from datetime import date, datetime, timedelta
from typing import Final, Literal

from shared.domain.calendar import FREQUENCIES, add_working_days, next_working_day, nominal_date, why_moved
from shared.domain.decision import Decision
from shared.domain.documents import Day, Document, Ref, States, Value
from shared.domain.errors import (
    AgreementChanged,
    AlreadyMember,
    GroupFull,
    GroupNotOpen,
    InvitationInvalid,
    NoSuchThing,
    NotEveryoneAgreed,
    OrganiserNeeded,
    PlaceTaken,
    WrongAmount,
    WrongFrequency,
    WrongMembershipState,
    WrongReserve,
    WrongSize,
    WrongStartDate,
)
from shared.domain.journal import News
from shared.domain.members import ASKING, MEMBERSHIP, SEATED, Member
from shared.domain.money import AMOUNTS_PENCE, CURRENCY, Pence, pounds
from shared.domain.permissions import Role
from shared.domain.words import DefaultPolicy, Frequency, GroupRole, GroupState, MembershipState, OrderMethod

GROUP: Final = States(
    "group",
    {
        "draft": "recruiting cancelled",
        "recruiting": "locked cancelled",
        "locked": "active cancelled",
        "active": "completed wound_up",
        "completed": "",
        "cancelled": "",
        "wound_up": "",
    },
)

FORMING: Final = frozenset({"draft", "recruiting"})
"""States before the lock: nobody has paid anything yet."""

SIZE_MIN: Final = 5
SIZE_MAX: Final = 10

LOCK_LEAD_WORKING_DAYS: Final = 9
"""Working days from lock to the first due date: a new Bacs mandate needs 7, notice is given on the 8th."""

START_WITHIN_DAYS: Final = 366
"""A first date further away than a year is a slip of the finger."""

PAYOUT_AFTER_WORKING_DAYS: Final = 5
"""Working days from due date to payout: 3 until a card payment clears in the UK, 2 to try once more."""


class Terms(Value):
    """What a group agrees on before it starts. Amounts in pence per member and cycle."""

    name: str
    purpose: str = ""
    amount_pence: int
    currency: Literal["gbp"] = CURRENCY
    frequency: str
    members: int
    first_due_date: Day
    order_method: OrderMethod = "random"
    default_policy: DefaultPolicy = "wait"
    wait_days: int = 14
    grace_days: int = 2
    platform_fee_pence: Pence = 0
    added_fee_pence: Pence = 0  # a fixed fee on top of each contribution
    reserve_pence: Pence = 0
    show_payers: Literal["names", "counts"] = "counts"
    visibility: Literal["public", "invited"] = "invited"
    cycles_done: int = 0  # lived through elsewhere, before the circle was brought here

    @property
    def pot_pence(self) -> int:
        """A full pot, before agreed fees: every member contributes, the recipient included."""
        return self.members * self.amount_pence


def check_terms(terms: Terms, today: date) -> None:
    """Raises WrongAmount, WrongSize, WrongFrequency or WrongStartDate."""
    if terms.amount_pence not in AMOUNTS_PENCE:
        raise WrongAmount(field="amount_pence", amount_pence=terms.amount_pence)
    if not SIZE_MIN <= terms.members <= SIZE_MAX:
        raise WrongSize(field="members", members=terms.members)
    if terms.frequency not in FREQUENCIES:
        raise WrongFrequency(field="frequency", frequency=terms.frequency)
    if terms.reserve_pence and (
        terms.default_policy != "reserve" or terms.reserve_pence > terms.amount_pence
    ):
        raise WrongReserve(field="reserve_pence", amount_pence=terms.amount_pence)
    earliest, latest = today + timedelta(days=1), today + timedelta(days=START_WITHIN_DAYS)
    _check_start(terms, earliest, latest)


def _check_start(terms: Terms, earliest: date, latest: date) -> None:
    if not earliest <= terms.first_due_date <= latest:
        raise WrongStartDate(
            field="first_due_date", first_due_date=terms.first_due_date, earliest=earliest, latest=latest
        )


class Cycle(Value):
    """One round: when contributions are due, when the pot is paid, and to whom."""

    number: int
    nominal_date: Day
    due_date: Day
    moved_because: str | None
    payout_date: Day
    recipient: str | None = None
    closed: bool = False
    fell_away: bool = False  # its recipient left before their turn


class Seat(Value):
    """A place on the roster: the group's own word on who is in it."""

    uid: str
    state: MembershipState
    role: GroupRole = "member"
    position: int | None = None
    agreed_hash: str | None = None
    agreed_at: datetime | None = None
    brought_turn: int | None = None  # the turn that an imported circle came with
    came_by: str | None = None  # the invitation that named them, by its fingerprint
    ranking: list[int] = []  # cycles, the most wanted first; empty: any will do
    placed_because: str | None = None  # how the place came about, for its holder


class PastTurn(Value):
    """One place of an imported circle: what its holder paid in each cycle before, and got at their turn.

    Whose it is, is known by their address as long as the circle forms, and then by who took it.
    """

    turn: int
    paid_pence: list[Pence]
    received_pence: Pence
    address: str | None = None  # its holder's, as a fingerprint
    invitation: str | None = None  # the one that opens it; every earlier one is dead


class Draw(Value):
    """A drawn order: the commitment from before anyone joined, and the seed once the group is locked."""

    commitment: str
    seed: str | None = None


class Group(Document):
    """groups/{group}: terms, roster and schedule. From lock on, terms, order and schedule are frozen."""

    id: str
    state: GroupState
    terms: Terms
    organiser: str
    seats: list[Seat]
    draw: Draw
    order: list[str] = []  # the organiser's, where the method is theirs
    past: list[PastTurn] = []  # of an imported circle, as its members have attested it
    schedule: list[Cycle] = []
    created_at: datetime
    locked_at: datetime | None = None
    act_at: datetime | None = None

    @property
    def path(self) -> str:
        return group_ref(self.id).path

    def moved(self, to: GroupState) -> Group:
        """The group in its next state; whom it waited for is of no use then. Raises UnknownTransition."""
        GROUP.check(self.state, to)
        return self.with_(state=to, past=[one.with_(address=None, invitation=None) for one in self.past])

    def seat(self, uid: str) -> Seat | None:
        """The person's present seat or request; former ones do not count."""
        return next((seat for seat in self.seats if seat.uid == uid and seat.state in SEATED | ASKING), None)

    def seated(self) -> list[Seat]:
        return [seat for seat in self.seats if seat.state in SEATED]

    def contributors(self) -> list[Seat]:
        """Everybody who ever had a turn on the calendar: money of former members may be in a pot."""
        return [seat for seat in self.seats if seat.position is not None]

    @property
    def agreed_hash(self) -> str | None:
        """The agreement by which the circle was locked; None before that. Who left while it formed may have
        accepted another one."""
        return next((seat.agreed_hash for seat in self.contributors() if seat.agreed_hash), None)

    @property
    def is_through(self) -> bool:
        """Whether no pot is to come any more: every cycle is closed."""
        return bool(self.schedule) and all(cycle.closed for cycle in self.schedule)

    @property
    def open_cycle(self) -> Cycle | None:
        """The first cycle whose pot has not arrived; None before the lock, and when all have."""
        return next((cycle for cycle in self.schedule if not cycle.closed), None)

    def cycle(self, number: int) -> Cycle:
        return self.schedule[number - 1]

    def with_seat(self, seat: Seat) -> Group:
        """The group with this seat added, or in the place of the person's present one."""
        others = [one for one in self.seats if one.uid != seat.uid or one.state not in SEATED | ASKING]
        return self.with_(seats=[*others, seat])


def group_ref(group: str) -> Ref[Group]:
    return Ref(Group, f"groups/{group}")


# --- who may ------------------------------------------------------------------------------------------------


def roles_in(group: Group, uid: str) -> frozenset[Role]:
    """What a person is in this group, for the permission table. A request to join gives no role yet."""
    seat = group.seat(uid)
    inside = seat is not None and seat.state in SEATED
    return frozenset({Role.SIGNED_IN} | ({Role(seat.role)} if seat is not None and inside else set()))


def require_recruiting(group: Group) -> None:
    if group.state != "recruiting":
        raise GroupNotOpen(state=group.state)


# --- joining ------------------------------------------------------------------------------------------------


WAITING_MAX: Final = 20
"""Requests that wait for one circle: twice its size; whoever is behind them has little hope."""


def ask_to_join(group: Group, uid: str, *, waiting_list: bool = False) -> Group:
    """The group with one more request; where it is full, only of who wants to wait for a place.

    Raises GroupNotOpen, AlreadyMember, GroupFull.
    """
    require_recruiting(group)
    if group.past:
        raise GroupNotOpen(state="for the people that it came with")
    if group.seat(uid) is not None:
        raise AlreadyMember()
    waiting = [seat for seat in group.seats if seat.state in ASKING]
    if len(waiting) >= WAITING_MAX:
        raise GroupFull(members=group.terms.members)
    if len(group.seated()) >= group.terms.members and not waiting_list:
        raise GroupFull(members=group.terms.members)
    return group.with_seat(Seat(uid=uid, state="requested"))


def free_place(group: Group, turn: int) -> PastTurn:
    """A place of an imported circle that its holder has not taken yet. Raises GroupNotOpen, NoSuchThing,
    PlaceTaken."""
    require_recruiting(group)
    place = next((one for one in group.past if one.turn == turn), None)
    if place is None:
        raise NoSuchThing(thing="turn of an imported circle")
    if any(one.brought_turn == turn for one in group.seated()):
        raise PlaceTaken(turn=turn)
    return place


def with_invitation(group: Group, turn: int, invitation: str) -> Group:
    """The group with a place of its past opened by this invitation, and by no other."""
    past = [one.with_(invitation=invitation) if one.turn == turn else one for one in group.past]
    return group.with_(past=past)


def is_spent(group: Group, invitation: str, turn: int | None) -> bool:
    """Whether an invitation opens this group no more: its place has a newer one, or who came by it was
    removed, and asks like anybody."""
    newest = next((one.invitation for one in group.past if one.turn == turn), None)
    removed = any(seat.came_by == invitation and seat.state == "removed" for seat in group.seats)
    return removed or newest not in {None, invitation}


def take_place(group: Group, uid: str, turn: int | None, invitation: str) -> Group:
    """The group with a place taken by somebody whom the organiser has named: nobody needs to approve them.

    `turn` is the place that an imported circle came with, `invitation` the fingerprint of the code that they
    came by. Raises GroupNotOpen, InvitationInvalid, AlreadyMember, GroupFull.
    """
    require_recruiting(group)
    if is_spent(group, invitation, turn):
        raise InvitationInvalid()
    seat = group.seat(uid)
    if bool(group.past) != (turn is not None):
        raise GroupNotOpen(state="for the people that it came with")
    if seat is not None and seat.state in SEATED:
        raise AlreadyMember()
    if turn is not None and any(one.brought_turn == turn for one in group.seated()):
        raise GroupFull(members=group.terms.members)
    if len(group.seated()) >= group.terms.members:
        raise GroupFull(members=group.terms.members)
    return group.with_seat(Seat(uid=uid, state="approved", brought_turn=turn, came_by=invitation))


def answer_request(group: Group, uid: str, to: Literal["approved", "rejected"]) -> Group:
    """The group with a request answered.

    Raises GroupNotOpen, NoSuchThing, GroupFull, WrongMembershipState.
    """
    require_recruiting(group)
    seat = group.seat(uid)
    if seat is None:
        raise NoSuchThing(thing="request to join")
    if not MEMBERSHIP.allows(seat.state, to):
        raise WrongMembershipState(needed="requested", state=seat.state)
    if to == "approved" and len(group.seated()) >= group.terms.members:
        raise GroupFull(members=group.terms.members)
    return group.with_seat(seat.with_(state=to))


def give_up_place(group: Group, uid: str, to: Literal["left", "removed"]) -> Group:
    """A forming group with the place free again of somebody who was let in; nobody has paid anything yet.

    Raises NoSuchThing, WrongMembershipState (they have only asked), OrganiserNeeded.
    """
    seat = group.seat(uid)
    if seat is None:
        raise NoSuchThing(thing="member")
    if seat.state not in {"approved", "agreed"}:
        raise WrongMembershipState(needed="approved", state=seat.state)
    if seat.role == "organiser":
        raise OrganiserNeeded()
    return group.with_seat(seat.with_(state=to))


def with_role(group: Group, uid: str, role: GroupRole) -> Group:
    """The group with somebody in another role. Who becomes organiser takes it over from the present one.

    Raises NoSuchThing, and WrongMembershipState for who is in the circle no more, or owes it after leaving.
    """
    seat = group.seat(uid)
    if seat is None or seat.state in ASKING:
        raise NoSuchThing(thing="member")
    if seat.state not in {"approved", "agreed", "active"}:
        raise WrongMembershipState(needed="active", state=seat.state)
    if role == "organiser":
        former = group.seat(group.organiser)
        if former is not None:
            group = group.with_seat(former.with_(role="member"))
        group = group.with_(organiser=uid)
    return group.with_seat(seat.with_(role=role))


# --- the agreement ------------------------------------------------------------------------------------------

_POLICY_WORDS: Final = {
    "wait": "If someone has not paid by the payout date, the pot waits up to {wait_days} days, and is then "
    "paid with what has cleared; what is missing is owed to the person who received less. If one member "
    "never pays {amount}, the pot of {pot} is paid {wait_days} days late as {short}, and {amount} is owed.",
    "pay_cleared": "The pot is paid on its payout date with what has cleared; what is missing is owed to the "
    "person who received less, and reaches them as it comes in. If one member has not paid {amount}, the "
    "pot of {pot} is paid as {short}; the {amount} follows when it is paid, however late.",
    "reserve": "{reserve} is kept from each pot as the group's reserve. It fills what is missing as far as "
    "it goes, and is owed that by who did not pay; the rest is owed to the person who received less. What is "
    "left of the reserve at the end goes back in equal parts, to the penny.",
}

_ORDER_WORDS: Final = {
    "random": "The order is drawn by lot when the group is locked. The fingerprint of the draw's seed is "
    "{commitment}; the seed is shown after the draw, so that anyone can repeat it.",
    "preference": "Each member ranks the cycles; the order with the smallest sum of ranks is taken, and "
    "where several have it, a lot decides. The fingerprint of its seed is {commitment}.",
    "organiser": "The organiser sets the order before the group is locked; you accept it with the rest.",
    "trust": "Early turns go to members whose record supports them; among equals a lot decides. Where "
    "nobody's record supports an early turn, the circle starts only if its reserve covers the risk. The "
    "fingerprint of the lot's seed is {commitment}.",
}


def agreement_text(group: Group, schedule: list[Cycle]) -> str:
    """What every member accepts, in plain words: amount, dates, order, fees and what happens if one fails."""
    terms = group.terms
    dates = "\n".join(
        f"{cycle.number}. due {cycle.due_date}, paid out {cycle.payout_date}" for cycle in schedule
    )
    fee = f"{pounds(terms.platform_fee_pence)} is kept from each pot as the platform's fee."
    return "\n\n".join(
        [
            f"Agreement of the savings circle {group.id}",
            f"{terms.members} members each put in {pounds(terms.amount_pence)} {terms.frequency}. Each time "
            f"one member takes the whole pot of {pounds(terms.pot_pence)}, until all have had their turn. "
            "Every member contributes every time, also at their own turn.",
            f"The cycles:\n{dates}",
            *_past_words(group),
            _order_words(group),
            _POLICY_WORDS[terms.default_policy].format(
                wait_days=terms.wait_days,
                amount=pounds(terms.amount_pence),
                pot=pounds(terms.pot_pence),
                short=pounds(terms.pot_pence - terms.amount_pence),
                reserve=pounds(terms.reserve_pence),
            ),
            fee if terms.platform_fee_pence else "No fee is kept from the pots.",
            *_added_fee_words(terms),
            f"A contribution is late {terms.grace_days} days after its due date. Late money is always "
            "accepted and goes to the oldest shortfall first. After your own turn there is no way out: what "
            "you received is owed. This is a promise among members; nobody stands in for it.",
        ]
    )


def _added_fee_words(terms: Terms) -> list[str]:
    if not terms.added_fee_pence:
        return []
    fee, whole = pounds(terms.added_fee_pence), pounds(terms.amount_pence + terms.added_fee_pence)
    return [
        f"A fixed fee of {fee} is added to each contribution, and {whole} is taken each time: it pays "
        "what the payment company charges. It is taken once for each contribution, is no part of any pot, "
        "and goes back with a contribution that is refunded. Where credit pays the whole contribution, no "
        "fee is added."
    ]


def _past_words(group: Group) -> list[str]:
    """What the members of an imported circle attest by accepting: the past that it came with."""
    if not group.past:
        return []
    lines = "\n".join(
        f"Turn {one.turn}: paid {', '.join(map(pounds, one.paid_pence))}; "
        f"received {pounds(one.received_pence)}"
        for one in group.past
    )
    return [
        f"This circle ran before it came here. Its first {group.terms.cycles_done} cycles are done, and no "
        f"money of them was ever held here. By accepting you confirm what was paid in each:\n{lines}\n"
        "What was paid short is owed to the person whose turn it was. It is kept from the debtor's own pot, "
        "or paid by them at any time; nothing is taken by itself."
    ]


def _order_words(group: Group) -> str:
    if group.past:
        return "The order is the one that the circle came with."
    words = _ORDER_WORDS[group.terms.order_method].format(commitment=group.draw.commitment)
    if group.terms.order_method == "organiser" and group.order:
        words += f" It is: {', '.join(group.order)}."
    return words


def agreement_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def current_hash(group: Group, holidays: Container[object]) -> str:
    """That of the agreement as it reads now, which is accepted before the lock or with a place taken over."""
    return agreement_hash(agreement_text(group, draft_schedule(group.terms, holidays)))


def draft_schedule(terms: Terms, holidays: Container[object]) -> list[Cycle]:
    """The cycles' dates: nominal ones moved to the next working day, and the payout dates after them."""
    cycles = []
    for index in range(terms.members):
        nominal = nominal_date(terms.first_due_date, _frequency(terms), index - terms.cycles_done)
        due = next_working_day(nominal, holidays)
        cycles.append(
            Cycle(
                number=index + 1,
                nominal_date=nominal,
                due_date=due,
                moved_because=why_moved(nominal, holidays),
                payout_date=add_working_days(due, PAYOUT_AFTER_WORKING_DAYS, holidays),
                closed=index < terms.cycles_done,
            )
        )
    return cycles


def _frequency(terms: Terms) -> Frequency:
    if terms.frequency == "weekly":
        return "weekly"
    if terms.frequency == "monthly":
        return "monthly"
    raise WrongFrequency(field="frequency", frequency=terms.frequency)


def accept(group: Group, uid: str, hash_read: str, holidays: Container[object], now: datetime) -> Group:
    """The group with one member's acceptance. Raises GroupNotOpen, NoSuchThing, AgreementChanged,
    WrongMembershipState."""
    require_recruiting(group)
    seat = group.seat(uid)
    if seat is None or seat.state not in {"approved", "agreed"}:
        raise WrongMembershipState(needed="approved", state=seat.state if seat else "none")
    if hash_read != current_hash(group, holidays):
        raise AgreementChanged()
    return group.with_seat(seat.with_(state="agreed", agreed_hash=hash_read, agreed_at=now))


# --- lock ---------------------------------------------------------------------------------------------------


def lock(
    group: Group,
    order: list[str],
    seed: bytes,
    holidays: Container[object],
    today: date,
    now: datetime,
    reasons: Mapping[str, str] | None = None,
) -> Group:
    """The group locked: the order fixed, every cycle with its recipient, the draw's seed revealed.

    `reasons` says to each why they have their place. Raises GroupNotOpen, NotEveryoneAgreed (to this very
    agreement), WrongStartDate (too late for the first debit's notice).
    """
    require_recruiting(group)
    current = current_hash(group, holidays)
    agreed = [one for one in group.seated() if one.state == "agreed" and one.agreed_hash == current]
    if len(agreed) != group.terms.members:
        raise NotEveryoneAgreed(members=group.terms.members, agreed=len(agreed))
    earliest = add_working_days(today, LOCK_LEAD_WORKING_DAYS, holidays)
    _check_start(group.terms, earliest, today + timedelta(days=START_WITHIN_DAYS))
    schedule = [
        cycle.with_(recipient=uid)
        for cycle, uid in zip(draft_schedule(group.terms, holidays), order, strict=True)
    ]
    positions = {uid: index for index, uid in enumerate(order, start=1)}
    locked = group.moved("locked").with_(
        schedule=schedule,
        draw=group.draw.with_(seed=seed.hex()),
        locked_at=now,
        act_at=now,
    )
    for seat in agreed:
        placed = seat.with_(position=positions[seat.uid], placed_because=(reasons or {}).get(seat.uid))
        locked = locked.with_seat(placed.with_(state="active"))
    # A request that nobody answered ends with recruiting.
    for seat in [one for one in locked.seats if one.state in ASKING]:
        locked = locked.with_seat(seat.with_(state="expired"))
    return locked


# --- running ------------------------------------------------------------------------------------------------

COMPLETION_RECHECK: Final = timedelta(days=7)
"""A circle that waits for the last debt, or for a former member's money, is woken by it; a look a week makes
good for what else ends a debt (infra/decisions/0042-news-wakes-what-waits.md)."""


def activate(group: Group) -> Decision:
    """A locked group starts: from here on notices are given and debits are submitted."""
    fact = News(id="group_active", group=group.id, type="group_active")
    return Decision(facts=[fact], changed=[group.moved("active").with_(act_at=None)])


def close(group: Group, cycle: int, now: datetime) -> Group:
    """The group with a cycle closed: its pot has arrived. With the last one the group wants a look."""
    schedule = [one.with_(closed=True) if one.number == cycle else one for one in group.schedule]
    if schedule == group.schedule:
        return group
    after = group.with_(schedule=schedule)
    return after.with_(act_at=now) if after.is_through else after


def looked_at_now(group: Group, now: datetime) -> Group:
    """The group with its next look now, if it waits for a later one."""
    return group.with_(act_at=now) if group.act_at is not None and group.act_at > now else group


def complete(group: Group, members: list[Member], now: datetime) -> Decision:
    """The group completed, if every cycle is closed and nobody owes; else the next look at it."""
    if not group.is_through:
        # What was under way when somebody left comes in as their credit, which goes back to them.
        former = any(seat.state in {"left", "removed"} for seat in group.contributors())
        return Decision(changed=[group.with_(act_at=now + COMPLETION_RECHECK if former else None)])
    if any(member.owes_pence() for member in members):
        return Decision(changed=[group.with_(act_at=now + COMPLETION_RECHECK)])
    completed = group.moved("completed").with_(act_at=None)
    for seat in group.seated():
        completed = completed.with_seat(seat.with_(state="finished"))
    fact = News(id="group_completed", group=group.id, type="group_completed")
    return Decision(facts=[fact], changed=[completed, *(member.moved("finished") for member in members)])
