"""A running circle, loaded whole enough to decide who leaves, takes over, or changes turns in it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from shared.domain.contributions import contribution_ref
from shared.domain.documents import Ref
from shared.domain.groups import Cycle, Group, group_ref
from shared.domain.ids import contribution_id, payout_id
from shared.domain.leaving import Circle
from shared.domain.members import member_ref
from shared.domain.payouts import Payout, payout_ref
from shared.services.context import Context
from shared.services.transact import Loaded

Pairs = set[tuple[int, str]]
"""Contributions by cycle and payer."""


def pairs_of(group: Group, uid: str) -> Pairs:
    """One member's promises: what they pay at each turn, and what each pays at theirs."""
    seat = group.seat(uid)
    own = seat.position if seat is not None else None
    theirs = {(cycle.number, uid) for cycle in group.schedule}
    return theirs | {(own, other.uid) for other in group.contributors() if own is not None}


def all_pairs(group: Group) -> Pairs:
    people = [seat.uid for seat in group.contributors()]
    return {(cycle.number, uid) for cycle in group.schedule for uid in people}


def refs_of(group: Group, pairs: Pairs) -> list[Ref[Any]]:
    """What lies on the table: all members and turns, and the contributions of these pairs."""
    gid = group.id
    return [
        *(member_ref(gid, seat.uid) for seat in group.contributors()),
        *(contribution_ref(gid, contribution_id(gid, *pair)) for pair in sorted(pairs)),
        *(payout_ref(gid, payout_id(gid, cycle.number, 1)) for cycle in group.schedule),
    ]


def on_the_table(ctx: Context, loaded: Loaded, gid: str, pairs: Pairs) -> Circle:
    """The circle with all members and turns, and the contributions of these pairs. Raises AlsoLoad."""
    group = loaded.get(group_ref(gid))
    people = [seat.uid for seat in group.contributors()]
    loaded.need(*refs_of(group, pairs))
    return Circle(
        group=group,
        members={uid: loaded.get(member_ref(gid, uid)) for uid in people},
        contributions={
            pair: loaded.get(contribution_ref(gid, contribution_id(gid, *pair))) for pair in sorted(pairs)
        },
        turns={cycle.number: live_turn(loaded, gid, cycle) for cycle in group.schedule},
        now=ctx.clock.now(),
    )


def live_turn(loaded: Loaded, gid: str, cycle: Cycle) -> Payout:
    """The payout of a cycle that counts: a voided one is followed by the next, if the cycle takes place."""
    number = 1
    while True:
        payout = loaded.get(payout_ref(gid, payout_id(gid, cycle.number, number)))
        if payout.state != "void" or cycle.fell_away:
            return payout
        number += 1


def turns(loaded: Loaded, group: Group, cycles: Iterable[int]) -> dict[int, Payout]:
    return {number: live_turn(loaded, group.id, group.cycle(number)) for number in cycles}
