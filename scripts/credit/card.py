"""The model card: what the shipped scores are, are not, and how good; from the documents alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from scripts.credit.exported import POINTS_TO_DOUBLE_ODDS
from scripts.credit.metrics import GROUP_MIN
from shared.domain.assessments import MILLION, RULES
from shared.domain.scoring import applicant, artefact
from shared.domain.scoring.assessed import point_scale

TEXT: Final = """\
# Model card

Written by `scripts/train_credit` from the documents beside it.

**What they are.** `applicant` scores who wants to join a circle; `member_1m` to `member_6m` score a member
by 1, 2, 3 and 6 months of what the circle has seen. Each is a table of log-odds per feature, monotone where
sense has a direction, and additive: points lost are exact, and come back when their reason is mended.

**What they are for.** Ordering people by risk, choosing whom a person looks at, early turns, and the size of
a reserve. {lines} A score refuses nobody.

**Proxies.** No public data of rotating savings exist. `applicant` learnt from instalment loans of a German
bank of 1973 to 1975, bad ones drawn more often than they came; `member_*` from Taiwan's credit cards of 2005.
The order of people carries over better than the probabilities: take those as relative until our own outcomes
recalibrate them. Most circles are shorter and smaller than those loans. What a person has left over a month
stands where the bank granted an instalment. Money is counted in months of average earnings (1974:
{earnings_then} DM a year; now: {earnings}).

**Not used.** Age, sex, marital status, nationality; nor purpose, housing and property, which nobody should
have to mend. Other features can still stand for protected ones: the approval ratios are watched (at 80 %
approval, worst-off group ÷ best-off group, groups of {group_min} or more).

| model | AUC | among up to date | Gini | KS | Brier | ECE | slope | approval ratio |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
{rows}

Figures are of rows not learnt from ({protocols}): AUC is the mean of the folds, the others of all together.

**Bands.** A to E hold a fifth of those predictions each; E is below {base} points. Every {doubling} points
halve the odds of default.

**Data and licence.** {licences}.

| model | version | data, sha256 | code, sha256 |
| --- | --- | --- | --- |
{versions}

The same data, code and packages ({packages}) give the same bytes on the same kind of processor.
"""


def card(documents: Mapping[str, str]) -> str:
    """The card of these documents."""
    read = {name: json.loads(text) for name, text in documents.items()}
    about = {name: document["about"] for name, document in read.items()}
    first = next(iter(about.values()))
    return TEXT.format(
        lines=_lines(artefact.read(documents[applicant.MODEL])),
        earnings_then=f"{applicant.AVERAGE_EARNINGS_DM_YEARLY:,}",
        earnings=f"£{applicant.AVERAGE_EARNINGS_PENCE_YEARLY // 100:,}",
        group_min=GROUP_MIN,
        base=" or ".join(sorted({str(document["scale"]["base_points"]) for document in read.values()})),
        doubling=POINTS_TO_DOUBLE_ODDS,
        rows="\n".join(_row(name, figures) for name, figures in about.items()),
        protocols="; ".join(sorted({figures["protocol"].split(",")[0] for figures in about.values()})),
        licences="; ".join(sorted({figures["data"]["licence"] for figures in about.values()})),
        versions="\n".join(
            f"| {name} | {name}-{read[name]['revision']}+{read[name]['sha256'][:8]} "
            f"| {figures['data']['sha256'][:16]} | {figures['code'][:16]} |"
            for name, figures in about.items()
        ),
        packages=", ".join(f"{name} {number}" for name, number in first["packages"].items()),
    )


def _lines(model: artefact.Artefact) -> str:
    """Where the machine approves alone and where it advises against, as the rules in force have it."""
    scale = point_scale(model.scale)
    approve, advise = (
        (ppm / MILLION, scale.points_at(ppm)) for ppm in (RULES.approve_pd_max_ppm, RULES.decline_pd_from_ppm)
    )
    return (
        f"By the score an applicant is approved from {approve[1]} points on (a probability of at most\n"
        f"{approve[0]:.2f}); below that a person decides, with advice against it below {advise[1]} points\n"
        f"(above {advise[0]:.2f})."
    )


def _row(name: str, about: Mapping[str, Any]) -> str:
    figures = about["metrics"]
    settled = f"{figures['auc_of_settled']:.3f}" if "auc_of_settled" in figures else "–"
    ratios = ", ".join(f"{group} {ratio:.2f}" for group, ratio in about["approval_ratios"].items())
    cells = [f"{figures['auc']:.4f}", settled]
    cells += [f"{figures[key]:.3f}" for key in ("gini", "ks", "brier", "ece", "slope")]
    return f"| {name} | {' | '.join(cells)} | {ratios} |"
