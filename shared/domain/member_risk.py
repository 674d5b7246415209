"""Member risk: what a running circle stands to lose, the reserve for it, and who may take an early turn.

Only who has had the pot can leave the others short: before one's own turn a default loses nobody anything,
because promises fall away in pairs. So exposure is what a member will still owe once the pot is theirs.
Probabilities are parts per million, money is whole pence, and nothing stored is a float.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from shared.domain.assessments import MILLION, NoScore, Score
from shared.domain.documents import Value
from shared.domain.financial_statement import divide_up
from shared.domain.money import Pence
from shared.domain.record import record

Ppm = Annotated[int, Field(strict=True, ge=0, le=MILLION)]
Count = Annotated[int, Field(strict=True, ge=0)]
Position = Annotated[int, Field(strict=True, ge=1)]


@record
class RiskRules:
    """House policy. Where a figure comes from data, it is proxy data: no rotating savings are public."""

    version: str = "member-risk-1"

    prior_cycles: int = 6
    late_percent: int = 50
    """How many observed cycles weigh as much as what was known before, and what a late payment counts of a
    missed one. Of the weights tried on UCI Taiwan (30,000 card holders, six months), the best at 6 months
    was 6 (log loss .466, AUC .728); late at half is within .002 of the best there and the best at 1 to 2."""

    neutral_ppm: int = 221_200
    """For who has no score: the default rate of that portfolio, which is neither for nor against."""

    loss_given_default_ppm: int = MILLION
    """All of it, until our own recoveries show otherwise."""

    gate_percent: int = 5
    """A turn is open to a member whose expected loss after it is at most this share of the pot."""

    reserve_confidence_percent: int = 90
    """The reserve covers the loss in so many of a hundred like circles."""


RULES: Final = RiskRules()

# --- the probability that a member stops paying -------------------------------------------------------------


class History(Value):
    """What the circle has seen of a member: cycles paid on time, paid late, and not paid."""

    on_time: Count = 0
    late: Count = 0
    missed: Count = 0

    @property
    def cycles(self) -> int:
        return self.on_time + self.late + self.missed


class MemberPd(Value):
    """The probability, and what it rests on."""

    pd_ppm: Ppm
    basis: Literal["model", "history", "neutral_and_history"]


def member_pd(
    applicant: Score | NoScore | None,
    history: History,
    model: Score | NoScore | None = None,
    rules: RiskRules = RULES,
) -> MemberPd:
    """The member model's probability where it gave one; else the applicant's, moved by the history:
    (prior cycles × prior + missed + late × weight) ÷ (prior cycles + cycles seen), a half rounded up."""
    if isinstance(model, Score):
        return MemberPd(pd_ppm=model.pd_ppm, basis="model")
    scored = isinstance(applicant, Score)
    prior_ppm = applicant.pd_ppm if isinstance(applicant, Score) else rules.neutral_ppm
    weighed = rules.prior_cycles * prior_ppm + history.missed * MILLION
    weighed += history.late * MILLION * rules.late_percent // 100
    pd_ppm = _half_up(weighed, rules.prior_cycles + history.cycles)
    return MemberPd(pd_ppm=pd_ppm, basis="history" if scored else "neutral_and_history")


def _half_up(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)


# --- what a circle stands to lose ---------------------------------------------------------------------------


def exposure_after_turn_pence(contribution_pence: int, members: int, position: int) -> int:
    """What a member still owes right after their own turn: contribution × remaining cycles."""
    return contribution_pence * (members - position)


def expected_loss_pence(pd_ppm: int, exposure_pence: int, rules: RiskRules = RULES) -> int:
    """PD × exposure × LGD, rounded up to the penny: a risk is never nothing."""
    return divide_up(pd_ppm * exposure_pence * rules.loss_given_default_ppm, MILLION**2)


class SeatRisk(Value):
    """`exposure_pence`: arrears, and what is still to pay after the later of now and the own turn."""

    member: str
    pd_ppm: int
    exposure_pence: int
    expected_loss_pence: int


class ReserveAdvice(Value):
    """`reserve_pence` covers the loss with `confidence_percent`, taking defaults as independent, and is never
    below the expected loss. `per_payout_pence` builds it from the payouts that are left."""

    expected_loss_pence: int
    reserve_pence: int
    confidence_percent: int
    per_payout_pence: int
    worst_pence: int
    """If every member who can, does."""


def advise_reserve(seats: Sequence[SeatRisk], payouts_left: int, rules: RiskRules = RULES) -> ReserveAdvice:
    """From the exact distribution of the loss: with ten members there are at most 1,024 outcomes. Members who
    know each other fail together more often than this says, so staff see the worst case beside it."""
    expected = sum(seat.expected_loss_pence for seat in seats)
    losses = _loss_distribution(seats, rules)
    reserve = max(expected, _quantile(losses, rules.reserve_confidence_percent))
    return ReserveAdvice(
        expected_loss_pence=expected,
        reserve_pence=reserve,
        confidence_percent=rules.reserve_confidence_percent,
        per_payout_pence=divide_up(reserve, max(1, payouts_left)),
        worst_pence=max(losses),
    )


def _loss_distribution(seats: Sequence[SeatRisk], rules: RiskRules) -> Mapping[int, int]:
    """Loss in pence → its weight, out of MILLION to the power of the seats: exact, in whole numbers."""
    losses = {0: 1}
    for seat in seats:
        loss = expected_loss_pence(MILLION, seat.exposure_pence, rules)
        grown: defaultdict[int, int] = defaultdict(int)
        for so_far, weight in losses.items():
            grown[so_far] += weight * (MILLION - seat.pd_ppm)
            grown[so_far + loss] += weight * seat.pd_ppm
        losses = grown
    return {loss: weight for loss, weight in losses.items() if weight}


def _quantile(losses: Mapping[int, int], percent: int) -> int:
    """The least loss that is not exceeded with the given probability."""
    total, reached = sum(losses.values()), 0
    for loss in sorted(losses):
        reached += losses[loss]
        if reached * 100 >= total * percent:
            return loss
    return max(losses)


# --- early turns --------------------------------------------------------------------------------------------


class Candidate(Value):
    """A member before the order is made."""

    member: str
    pd_ppm: Ppm
    arrears_pence: Pence = 0


class Placement(Value):
    """`earliest`: the first position that is open to the member. `is_open`: theirs is, or a reserve has to
    stand in for it, as large as what the circle expects to lose by it."""

    member: str
    position: int
    earliest: int
    is_open: bool
    pd_ppm: Ppm


def earliest_position(candidate: Candidate, members: int, rules: RiskRules = RULES) -> int:
    """The first turn after which the expected loss is within the gate. The amount cancels out: exposure and
    pot are both so many contributions. The last turn, after which nothing is owed, is open to everybody,
    and alone to who is in arrears."""
    if candidate.arrears_pence:
        return members
    risk = candidate.pd_ppm * rules.loss_given_default_ppm
    for position in range(1, members):
        if risk * (members - position) * 100 <= rules.gate_percent * members * MILLION**2:
            return position
    return members


def trust_order(candidates: Sequence[Candidate], rules: RiskRules = RULES) -> tuple[Placement, ...]:
    """The `trust` order: the surest first, equals as they come (draw them first). If any order opens every
    turn, this one does, as who must wait longest stands last."""
    members = len(candidates)
    by_trust = sorted(candidates, key=lambda c: (earliest_position(c, members, rules), c.pd_ppm))
    return tuple(
        Placement(
            member=candidate.member,
            position=position,
            earliest=earliest_position(candidate, members, rules),
            is_open=position >= earliest_position(candidate, members, rules),
            pd_ppm=candidate.pd_ppm,
        )
        for position, candidate in enumerate(by_trust, start=1)
    )


def reserve_to_stand_in_pence(
    placements: Sequence[Placement], contribution_pence: int, rules: RiskRules = RULES
) -> int:
    """What has to be kept of each pot, so that the reserve of a whole round covers the expected loss of the
    turns that are not open to their holders. Nothing where all are."""
    members = len(placements)
    closed_pence = sum(
        expected_loss_pence(
            one.pd_ppm, exposure_after_turn_pence(contribution_pence, members, one.position), rules
        )
        for one in placements
        if not one.is_open
    )
    return divide_up(closed_pence, members)


# --- the portfolio ------------------------------------------------------------------------------------------


class Holding(Value):
    """One seat in one running circle, as staff see it. `band`: the score's, None where there is none."""

    group: str
    member: str
    band: str | None
    pd_ppm: Ppm
    exposure_pence: Pence


class Line(Value):
    """`pd_ppm` is the mean by seat, a half rounded up."""

    name: str
    seats: int
    exposure_pence: int
    expected_loss_pence: int
    pd_ppm: int


class Portfolio(Value):
    total: Line
    by_band: tuple[Line, ...]
    riskiest_groups: tuple[Line, ...]
    without_score: int


UNSCORED: Final = "unscored"


def portfolio(holdings: Sequence[Holding], rules: RiskRules = RULES, groups_max: int = 10) -> Portfolio:
    """Totals, bands by name, and the groups with the largest expected loss."""
    bands: defaultdict[str, list[Holding]] = defaultdict(list)
    groups: defaultdict[str, list[Holding]] = defaultdict(list)
    for holding in holdings:
        bands[holding.band or UNSCORED].append(holding)
        groups[holding.group].append(holding)
    lines = [_line(name, held, rules) for name, held in groups.items()]
    lines.sort(key=lambda line: (-line.expected_loss_pence, line.name))
    return Portfolio(
        total=_line("all", holdings, rules),
        by_band=tuple(_line(name, bands[name], rules) for name in sorted(bands)),
        riskiest_groups=tuple(lines[:groups_max]),
        without_score=len(bands.get(UNSCORED, ())),
    )


def _line(name: str, holdings: Sequence[Holding], rules: RiskRules) -> Line:
    return Line(
        name=name,
        seats=len(holdings),
        exposure_pence=sum(holding.exposure_pence for holding in holdings),
        expected_loss_pence=sum(expected_loss_pence(h.pd_ppm, h.exposure_pence, rules) for h in holdings),
        pd_ppm=_half_up(sum(holding.pd_ppm for holding in holdings), max(1, len(holdings))),
    )


# --- drift --------------------------------------------------------------------------------------------------


class Distributions(Value):
    """Counts per bin at the time of training and now; the bins are the same."""

    expected: tuple[Count, ...]
    actual: tuple[Count, ...]

    @model_validator(mode="after")
    def _compare(self) -> Self:
        if len(self.expected) != len(self.actual) or len(self.expected) < 2:
            raise ValueError("both have the same bins, two or more")
        if not sum(self.expected) or not sum(self.actual):
            raise ValueError("both have somebody in them")
        return self


WATCH_FROM_PPM: Final = 100_000
ACT_FROM_PPM: Final = 250_000
"""0.1 and 0.25: the trade's rule of thumb (N. Siddiqi, Credit Risk Scorecards)."""


class Stability(Value):
    psi_ppm: int
    verdict: Literal["stable", "watch", "act"]


def population_stability(distributions: Distributions) -> Stability:
    """PSI = Σ (a − e) ln(a ÷ e) over the shares, in millionths. Where a bin is empty on either side, half a
    person is added to every bin of both, as the logarithm of nothing says nothing."""
    counts = (distributions.expected, distributions.actual)
    added = 0.5 if any(0 in side for side in counts) else 0.0
    expected, actual = (_shares(side, added) for side in counts)
    psi = math.fsum((a - e) * math.log(a / e) for e, a in zip(expected, actual, strict=True))
    psi_ppm = round(psi * MILLION)
    verdict: Literal["stable", "watch", "act"] = "stable"
    if psi_ppm >= WATCH_FROM_PPM:
        verdict = "watch" if psi_ppm < ACT_FROM_PPM else "act"
    return Stability(psi_ppm=psi_ppm, verdict=verdict)


def _shares(counts: Sequence[int], added: float) -> list[float]:
    total = sum(counts) + added * len(counts)
    return [(count + added) / total for count in counts]


class Observed(Value):
    """A probability that was given, and what came of it."""

    pd_ppm: Ppm
    defaulted: bool


CASES_MIN: Final = 20
"""Of each outcome: with fewer, the offset would follow single people."""

SURE_FROM_HUNDREDTHS: Final = 196
"""|z| of 1.96: chance alone would show such a difference one time in twenty."""


class Recalibration(Value):
    """`offset_micro` is added to the log-odds (in millionths), so that the probabilities sum to the defaults
    seen; ranks and reasons stay. `is_warranted`: the difference is more than chance would make."""

    offset_micro: int
    cases: int
    defaults: int
    mean_before_ppm: int
    mean_after_ppm: int
    z_hundredths: int
    is_warranted: bool


def recalibrate(observed: Sequence[Observed]) -> Recalibration | None:
    """The intercept shift; None while there are too few defaults, or too few others, to say."""
    defaults = sum(case.defaulted for case in observed)
    if min(defaults, len(observed) - defaults) < CASES_MIN:
        return None
    logits = [_logit(case.pd_ppm) for case in observed]
    offset_micro = round(_offset(logits, defaults) * MILLION)
    before = [_sigmoid(logit) for logit in logits]
    z = (defaults - math.fsum(before)) / math.sqrt(math.fsum(p * (1 - p) for p in before))
    z_hundredths = round(z * 100)
    return Recalibration(
        offset_micro=offset_micro,
        cases=len(observed),
        defaults=defaults,
        mean_before_ppm=_mean_ppm(case.pd_ppm for case in observed),
        mean_after_ppm=_mean_ppm(recalibrated_ppm(case.pd_ppm, offset_micro) for case in observed),
        z_hundredths=z_hundredths,
        is_warranted=abs(z_hundredths) >= SURE_FROM_HUNDREDTHS,
    )


def recalibrated_ppm(pd_ppm: int, offset_micro: int) -> int:
    """The probability with the offset on its log-odds; never quite none and never quite certain."""
    shifted = _sigmoid(_logit(pd_ppm) + offset_micro / MILLION)
    return min(MILLION - 1, max(1, round(shifted * MILLION)))


def _offset(logits: Sequence[float], defaults: int) -> float:
    """Where the sum of the shifted probabilities meets the defaults: it rises with the offset, so halving
    finds it. ±30 holds every pair of probabilities in millionths; 60 halvings leave 10⁻¹⁶."""
    low, high = -30.0, 30.0
    for _ in range(60):
        middle = (low + high) / 2
        if math.fsum(_sigmoid(logit + middle) for logit in logits) < defaults:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _logit(pd_ppm: int) -> float:
    inside = min(MILLION - 1, max(1, pd_ppm))
    return math.log(inside / (MILLION - inside))


def _sigmoid(logit: float) -> float:
    return (1 + math.tanh(logit / 2)) / 2  # as 1/(1+e^-x), without its overflow


def _mean_ppm(ppms: Iterable[int]) -> int:
    values = list(ppms)
    return _half_up(sum(values), len(values))
