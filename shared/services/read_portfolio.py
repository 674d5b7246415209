"""The portfolio for staff: what running circles stand to lose, by band and by circle, and what covers it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from typing import Any

from shared.domain.assessments import NoScore, Score
from shared.domain.errors import NoSuchThing
from shared.domain.groups import Group, group_ref
from shared.domain.member_risk import (
    Candidate,
    Holding,
    MemberPd,
    SeatRisk,
    advise_reserve,
    earliest_position,
    expected_loss_pence,
    portfolio,
)
from shared.domain.members import Member
from shared.domain.permissions import Action
from shared.domain.record import record
from shared.ports import Query
from shared.services import access_log
from shared.services.context import Context, Reader
from shared.services.member_pds import contributions_of, latest_score, pd_of
from shared.services.paging import every
from shared.services.transact import read

RUNNING = ("locked", "active")


def of_all(ctx: Context, reader: Reader) -> dict[str, Any]:
    """Exposure and expected loss of every seat. Raises ReasonMissing."""
    access_log.record(ctx, reader, Action.READ_PORTFOLIO, "portfolio")
    known = _Known(ctx)
    holdings = [
        Holding(
            group=group.id,
            member=seat.member.uid,
            band=seat.band,
            pd_ppm=seat.pd.pd_ppm,
            exposure_pence=seat.exposure_pence,
        )
        for state in RUNNING
        for found in every(ctx, Query("groups", where=[("state", "==", state)]))
        for group in [found.document(Group)]
        for seat in _seats(ctx, group, known)
    ]
    return portfolio(holdings).model_dump(mode="json")


def of_one(ctx: Context, reader: Reader, gid: str) -> dict[str, Any]:
    """One circle, seat by seat: probability, exposure, expected loss, the earliest turn that the record of
    its holder opens; and the reserve that would cover it. Raises NoSuchThing, ReasonMissing."""
    group = read(ctx, group_ref(gid)).find(group_ref(gid))
    if group is None:
        raise NoSuchThing(thing="circle")
    access_log.record(ctx, reader, Action.READ_PORTFOLIO, gid)
    seats = list(_seats(ctx, group, _Known(ctx)))
    risks = [seat.risk for seat in seats]
    payouts_left = sum(1 for cycle in group.schedule if not cycle.closed)
    return {
        "group": gid,
        "seats": [seat.view(len(group.schedule)) for seat in seats],
        "exposure_pence": sum(risk.exposure_pence for risk in risks),
        "expected_loss_pence": sum(risk.expected_loss_pence for risk in risks),
        "kept_per_payout_pence": group.terms.reserve_pence,
        "advice": advise_reserve(risks, payouts_left).model_dump(mode="json"),
    }


@record
class _Seat:
    member: Member
    position: int | None
    pd: MemberPd
    band: str | None
    exposure_pence: int

    @property
    def risk(self) -> SeatRisk:
        return SeatRisk(
            member=self.member.uid,
            pd_ppm=self.pd.pd_ppm,
            exposure_pence=self.exposure_pence,
            expected_loss_pence=expected_loss_pence(self.pd.pd_ppm, self.exposure_pence),
        )

    def view(self, members: int) -> dict[str, Any]:
        owes = self.member.owes_pence()
        by_record = Candidate(member=self.member.uid, pd_ppm=self.pd.pd_ppm, arrears_pence=owes)
        earliest = earliest_position(by_record, members) if members else None
        return self.risk.model_dump(mode="json") | {
            "position": self.position,
            "basis": self.pd.basis,
            "band": self.band,
            "arrears_pence": owes,
            "earliest_turn": earliest,
            "is_open": None if earliest is None or self.position is None else self.position >= earliest,
        }


@record
class _Known:
    """What is known of each person, asked for once however many circles they are in."""

    ctx: Context
    people: dict[str, tuple[MemberPd, Score | NoScore | None]] = field(default_factory=dict)

    def of(self, uid: str) -> tuple[MemberPd, Score | NoScore | None]:
        if uid not in self.people:
            score = latest_score(self.ctx, uid)
            self.people[uid] = (pd_of(self.ctx, score, contributions_of(self.ctx, uid)), score)
        return self.people[uid]


def _seats(ctx: Context, group: Group, known: _Known) -> Iterator[_Seat]:
    """Each place of a circle: what its holder still owes once the pot was theirs, and what they owe now."""
    done = sum(1 for cycle in group.schedule if cycle.closed)
    for found in every(ctx, Query(f"groups/{group.id}/members")):
        member = found.document(Member)
        seat = group.seat(member.uid)
        position = seat.position if seat is not None else None
        to_come = 0
        if position is not None and member.state in {"agreed", "active"}:
            to_come = len(group.schedule) - max(done, position)
        pd, score = known.of(member.uid)
        yield _Seat(
            member,
            position,
            pd,
            score.band if isinstance(score, Score) else None,
            group.terms.amount_pence * to_come + member.owes_pence(),
        )
