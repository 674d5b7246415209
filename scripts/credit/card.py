"""The model card: what the shipped scores are, are not, and how good; from the documents alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

TEXT: Final = """\
# Model card

Written by `scripts/train_credit` from the documents beside it.

**What they are.** `applicant` scores who wants to join a circle; `member_1m` to `member_6m` score a member
by 1, 2, 3 and 6 months of what the circle has seen. Each is a table of log-odds per feature, monotone where
sense has a direction, and additive: points lost are exact, and come back when their reason is mended.

**What they are for.** Ordering people by risk, choosing whom a person looks at (below {base} points: one in
five of the training rows), early turns, and the size of a reserve. A score refuses nobody.

**Proxies.** No public data of rotating savings exist. `applicant` learnt from instalment loans of a German
bank of 1973 to 1975, bad ones drawn more often than they came; `member_*` from Taiwan's credit cards of 2005.
The order of people carries over better than the probabilities: take those as relative until our own outcomes
recalibrate them. Most circles are shorter and smaller than those loans. What a person has left over a month
stands where the bank granted an instalment. Money is counted in months of average earnings (1974: 20,381 DM a
year; now: £39,039).

**Not used.** Age, sex, marital status, nationality; nor purpose, housing and property, which nobody should
have to mend. Other features can still stand for protected ones: the approval ratios are watched (at 80 %
approval, worst-off group ÷ best-off group, groups of fifty or more).

| model | AUC | among up to date | Gini | KS | Brier | ECE | slope | approval ratio |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
{rows}

Figures are of rows not learnt from ({protocols}): AUC is the mean of the folds, the others of all together.

**Bands.** A to E hold a fifth of those predictions each; E is below {base} points. 60 points double the odds.

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
        base=next(iter(read.values()))["scale"]["base_points"],
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


def _row(name: str, about: Mapping[str, Any]) -> str:
    figures = about["metrics"]
    settled = f"{figures['auc_of_settled']:.3f}" if "auc_of_settled" in figures else "–"
    ratios = ", ".join(f"{group} {ratio:.2f}" for group, ratio in about["approval_ratios"].items())
    cells = [f"{figures['auc']:.4f}", settled]
    cells += [f"{figures[key]:.3f}" for key in ("gini", "ks", "brier", "ece", "slope")]
    return f"| {name} | {' | '.join(cells)} | {ratios} |"
