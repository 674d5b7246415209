"""The order of turns, by the four methods (DESIGN.md § 7), and the reason for each place in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from shared.domain.errors import NotAPermutation, OrderNotByThisMethod, OrderNotReady, TurnsNotOpen
from shared.domain.groups import Group, require_recruiting
from shared.domain.member_risk import Candidate, reserve_to_stand_in_pence, trust_order
from shared.domain.money import pounds
from shared.domain.rotation import drawn_order

Order = tuple[list[str], dict[str, str]]
"""The members by their turns, and to each the reason for their place."""


def make_order(group: Group, seed: bytes, candidates: Mapping[str, Candidate]) -> Order:
    """The order by the group's method; the drawn one decides among equals.

    Raises OrderNotReady, and TurnsNotOpen where trust would give turns that no record supports.
    """
    drawn = drawn_order(seed, [seat.uid for seat in group.seated()])
    match group.terms.order_method:
        case "preference":
            return _by_preference({seat.uid: seat.ranking for seat in group.seated()}, drawn)
        case "organiser":
            return _by_organiser(group, drawn)
        case "trust":
            return _by_trust(group, [candidates[uid] for uid in drawn])
    return drawn, {uid: f"drawn: place {place} of {len(drawn)}" for place, uid in enumerate(drawn, start=1)}


def rank(group: Group, uid: str, ranking: Sequence[int]) -> Group:
    """The group with one member's ranking of the cycles, the most wanted first.

    Raises GroupNotOpen, OrderNotByThisMethod, NotAPermutation.
    """
    _require_method(group, "preference")
    require_permutation(ranking, list(range(1, group.terms.members + 1)), "ranking")
    seat = group.seat(uid)
    return group if seat is None else group.with_seat(seat.with_(ranking=list(ranking)))


def set_order(group: Group, order: Sequence[str]) -> Group:
    """The group with the organiser's order. It is part of the agreement: who accepted before reads it anew.

    Raises GroupNotOpen, OrderNotByThisMethod, OrderNotReady (places are free), NotAPermutation.
    """
    _require_method(group, "organiser")
    people = [seat.uid for seat in group.seated()]
    if len(people) < group.terms.members:
        raise OrderNotReady(missing=f"{group.terms.members - len(people)} places are free")
    require_permutation(order, people, "order")
    return group.with_(order=list(order))


def require_permutation(given: Sequence[object], whole: Sequence[object], field: str) -> None:
    """Raises NotAPermutation unless each of `whole` stands in `given` once, and nothing else."""
    if sorted(map(str, given)) != sorted(map(str, whole)):
        raise NotAPermutation(field=field, count=len(whole))


def _require_method(group: Group, method: str) -> None:
    require_recruiting(group)
    if group.terms.order_method != method:
        raise OrderNotByThisMethod(method=group.terms.order_method)


def _by_organiser(group: Group, drawn: Sequence[str]) -> Order:
    if sorted(group.order) != sorted(drawn):
        raise OrderNotReady(missing="the organiser has not set it for these members")
    return list(group.order), dict.fromkeys(group.order, "set by the organiser, and accepted by everybody")


def _by_trust(group: Group, candidates: Sequence[Candidate]) -> Order:
    """The gate: a turn that is not open to its holder is theirs only if the reserve that everybody agreed to
    covers what the circle expects to lose by it."""
    placements, terms = trust_order(candidates), group.terms
    closed = [str(one.position) for one in placements if not one.is_open]
    needed_pence = reserve_to_stand_in_pence(placements, terms.amount_pence)
    if terms.reserve_pence < needed_pence:
        raise TurnsNotOpen(turns=", ".join(closed), reserve=pounds(needed_pence))
    return [one.member for one in placements], {
        one.member: f"by your record turns from {one.earliest} on are open to you"
        + ("" if one.is_open else "; this one is earlier, and the circle's reserve stands in for it")
        for one in placements
    }


def _by_preference(rankings: Mapping[str, Sequence[int]], drawn: Sequence[str]) -> Order:
    order = best_assignment([[_wish(rankings[uid], cycle) for cycle in _cycles(drawn)] for uid in drawn])
    people = [drawn[member] for member in order]
    return people, {
        uid: f"your choice {_wish(rankings[uid], cycle) + 1} of {len(people)}"
        if rankings[uid]
        else "you did not rank the cycles"
        for cycle, uid in enumerate(people, start=1)
    }


def _cycles(people: Sequence[str]) -> range:
    return range(1, len(people) + 1)


def _wish(ranking: Sequence[int], cycle: int) -> int:
    """How far down in somebody's ranking a cycle stands; who ranks none minds none."""
    return list(ranking).index(cycle) if ranking else 0


def best_assignment(costs: Sequence[Sequence[int]]) -> list[int]:
    """Who takes which column, column by column, so that the sum of `costs[who][column]` is least.

    Exact, by subsets: 2^N states, of which ten members have 1,024. Among equal sums the earliest rows come
    first.
    """
    size = len(costs)
    everybody = (1 << size) - 1

    @cache
    def least(taken: int) -> int:
        column = taken.bit_count()
        if taken == everybody:
            return 0
        return min(
            costs[who][column] + least(taken | 1 << who) for who in range(size) if not taken >> who & 1
        )

    chosen: list[int] = []
    taken = 0
    for column in range(size):
        who = next(
            one
            for one in range(size)
            if not taken >> one & 1 and costs[one][column] + least(taken | 1 << one) == least(taken)
        )
        chosen.append(who)
        taken |= 1 << who
    return chosen
