"""Who has which turn, by what the agreement says of the order (DESIGN.md § 7) and nothing else.

A model of its own, as `pairs` is: it hears how a circle stood before its lock and what the lock made of it,
and says what of that breaks the rule. It knows nothing of how the platform finds an order.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any

Document = Mapping[str, Any]

UNKNOWN_PER_CENT = 22.12
"""How many of a hundred people of whom nothing is known are taken to stop paying: house policy."""

OPEN_UP_TO_PER_CENT = 5
"""A turn is open to who is expected to leave at most so much of the pot unpaid after it: house policy."""

_TOLD = re.compile(r"^by your record turns from (\d+) on are open to you(; this one is earlier, .*)?$")


def lots(seed: bytes, people: Iterable[str]) -> list[str]:
    """The people as drawn: whoever knows the seed can repeat it."""
    return sorted(people, key=lambda uid: sha256(seed + uid.encode()).hexdigest())


def best(rankings: Mapping[str, Sequence[int]], drawn: Sequence[str]) -> list[str]:
    """The order with the smallest sum of ranks; of several, the one that serves who was drawn first first.

    Turn by turn: for each set of people who have had theirs, the best order of just them.
    """
    so_far: dict[int, tuple[int, tuple[int, ...]]] = {0: (0, ())}
    for turn in range(1, len(drawn) + 1):
        with_turn: dict[int, tuple[int, tuple[int, ...]]] = {}
        for had, (ranks, order) in so_far.items():
            for lot, uid in enumerate(drawn):
                if not had >> lot & 1:
                    rank = rankings[uid].index(turn) if rankings[uid] else 0
                    found = (ranks + rank, (*order, lot))
                    now = had | 1 << lot
                    with_turn[now] = min(found, with_turn.get(now, found))
        so_far = with_turn
    ((_, order),) = so_far.values()
    return [drawn[lot] for lot in order]


def what_is_wrong(
    before: Document,
    locked: Document,
    committed: str | None,
    unknown: Collection[str],
    behind: Collection[str],
) -> str | None:
    """What breaks the rule in the order of a circle that was just locked; None if nothing does.

    `committed` is what was shown of the seed before anybody joined. `unknown` are people of whom the platform
    has seen nothing, `behind` those who have been in arrears anywhere since before this moment.
    """
    people = [seat["uid"] for seat in before["seats"] if seat["state"] == "agreed"]
    order = [cycle["recipient"] for cycle in locked["schedule"]]
    places = {seat["uid"]: seat["position"] for seat in locked["seats"] if seat["state"] == "active"}
    if sorted(order) != sorted(people) or places != {uid: at for at, uid in enumerate(order, start=1)}:
        return f"{order} is no order of {people}, or not that of their places {places}"
    if before["past"]:
        brought = {seat["brought_turn"]: seat["uid"] for seat in before["seats"] if seat["state"] == "agreed"}
        wanted = [brought[turn] for turn in sorted(brought)]
        return None if order == wanted else f"{order}, and the circle came with {wanted}"
    seed = bytes.fromhex(locked["draw"]["seed"])
    if sha256(seed).hexdigest() != committed:
        return "the seed is not the one that was committed"
    drawn = lots(seed, people)
    seats = {seat["uid"]: seat for seat in before["seats"] if seat["state"] == "agreed"}
    match before["terms"]["order_method"]:
        case "organiser":
            wanted = list(before["order"])
        case "preference":
            wanted = best({uid: seat["ranking"] for uid, seat in seats.items()}, drawn)
        case "trust":
            return _distrusted(locked, order, drawn, unknown, behind)
        case _:
            wanted = drawn
    return None if order == wanted else f"{order}, by the rule {wanted}"


def _distrusted(
    locked: Document,
    order: Sequence[str],
    drawn: Sequence[str],
    unknown: Collection[str],
    behind: Collection[str],
) -> str | None:
    """The earlier a turn is open to somebody, the earlier theirs is; among the unknown the lot decides; and
    the reserve covers what is expected to be lost by turns that are not open to their holders."""
    told = {seat["uid"]: _TOLD.match(seat["placed_because"] or "") for seat in locked["seats"]}
    open_from = {uid: int(found[1]) for uid in order if (found := told[uid])}
    if len(open_from) < len(order) or sorted(order, key=lambda uid: open_from[uid]) != list(order):
        return f"{order}, and turns are open to them from {open_from}"
    if [uid for uid in order if uid in unknown] != [uid for uid in drawn if uid in unknown]:
        return f"{order}: of those who are unknown, {sorted(unknown)}, the lot decides: {drawn}"
    members, expected_pence = len(order), 0.0
    for turn, uid in enumerate(order, start=1):
        unpaid_per_cent = UNKNOWN_PER_CENT * (members - turn)
        is_open = turn == members or unpaid_per_cent <= OPEN_UP_TO_PER_CENT * members
        if uid in unknown and uid not in behind and is_open != (turn >= open_from[uid]):
            return f"{uid} is unknown, and turns are open to them from {open_from[uid]} of {members}"
        if uid in behind and open_from[uid] < members:
            return f"{uid} is in arrears, and turns are open to them from {open_from[uid]} of {members}"
        if uid in unknown and turn < open_from[uid]:
            expected_pence += unpaid_per_cent / 100 * locked["terms"]["amount_pence"]
    reserve_pence = locked["terms"]["reserve_pence"]
    if reserve_pence * members < expected_pence:
        return f"a reserve of {reserve_pence} a pot does not cover the {expected_pence:.0f} at stake"
    return None
