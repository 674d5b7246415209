"""Any CSV as a portfolio: reads it however it was written, and says what was found and left out."""

from __future__ import annotations

import csv
import io
import re
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from scripts.credit.additive import Feature, Floats
from scripts.credit.metrics import auc
from scripts.credit.portfolios import Forward, Portfolio

ROWS_MAX: Final = 50_000
"""More are sampled: the third digit of the figures is certain by then, and the run stays within minutes."""

RARER_MIN: Final = 10
"""Of the rarer outcome: with fewer there is nothing to learn from and try on."""

LEVELS_MAX: Final = 50
LEVEL_SHARE_MIN: Final = 0.005
"""Names that are rarer than this, or beyond the fifty commonest, become 'other'."""

LEAK_FROM: Final = 0.99
SUSPECT_FROM: Final = 0.95
"""AUC of a column by itself. Nothing that is known beforehand tells outcomes so well."""

NUMBER_MAX: Final = 1e30
"""Trees hold numbers of 32 bits, which end at 3e38; larger ones keep their place as the largest."""

NUMERIC_SHARE: Final = 0.95
"""A column of text is one of numbers, or of dates, when so many of its values read as such."""

NUMBERS: Final = (
    (r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|[-+]?inf(inity)?", ",", "."),
    (r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?|[-+]?\d+(\.\d+)?", ",", "."),
    (r"[-+]?(\d{1,3}(\.\d{3})+|\d+)(,\d+)?", ".", ","),
)
"""How numbers are written: pattern, mark of thousands, decimal mark; plain ones first."""

BAD: Final = ("1", "1.0", "bad", "default", "defaulted", "yes", "y", "true", "t", "charged off", "b", "late")
AFFIRMED: Final = ("1", "1.0", "yes", "y", "true", "t")
GOOD: Final = re.compile(
    r"(^|[^a-z])((re)?paid|(re)?pays|repay\w*|good|perform\w*|solvent|creditworth\w*)([^a-z]|$)",
    re.IGNORECASE,
)
"""A column so called says what went well: its yes is not the bad one."""

PROTECTED: Final = re.compile(
    r"(^|[^a-z])(sex|gender|age|marital|marriage|married|race|ethnic\w*|national\w*|religion|foreign\w*)([^a-z]|$)",
    re.IGNORECASE,
)
IDENTIFIER: Final = re.compile(
    r"(^|[^a-z])(id|nr|number|index|key|uuid|rownames|unnamed)([^a-z]|$)", re.IGNORECASE
)


@dataclass
class Table:
    """A table on its way to a portfolio, and what was found on the way."""

    frame: pd.DataFrame
    findings: list[str]

    def drop(self, columns: Sequence[str], why: str) -> None:
        if columns:
            self.frame = self.frame.drop(columns=list(columns))
            self.findings.append(f"Left out, {why}: {_listed(columns)}.")


def portfolio_of(path: Path, target: str, bad: str | None = None) -> Portfolio:
    """The CSV as a portfolio. One without enough of both outcomes has no features: there is nothing to learn.

    Raises SystemExit with one sentence where there is no table, no such column, or no two-valued target.
    """
    table = read_any(path)
    outcome = _target(table, target, bad)
    _tidy(table)
    times = _times(table)
    groups = {name: _grouped(table.frame[name]) for name in table.frame if PROTECTED.search(_words(name))}
    table.drop(list(groups), "protected characteristics, used to measure fairness alone")
    _drop_useless(table, outcome)
    features = _features(table)
    rarer = int(min(outcome.sum(), len(outcome) - outcome.sum()))
    if rarer < RARER_MIN:
        table.findings.append(f"Rows with the rarer outcome: {rarer}, too few to learn from and to try on.")
        features = []
    if not features:
        table.findings.append("Nothing is left that a model could learn from.")
    few = len(outcome) < 5_000
    return Portfolio(
        name=path.stem,
        frame=table.frame,
        y=outcome,
        features=features,
        raw=table.frame,
        groups=groups,
        folds=max(2, min(5, rarer // 5)),
        repeats=2 if few else 1,
        forward=_forward(table.frame, outcome, features, times),
        findings=table.findings,
    )


# --- reading ------------------------------------------------------------------------------------------------


def read_any(path: Path) -> Table:
    if not path.is_file():
        sys.exit(f"There is no file {path}.")
    findings: list[str] = []
    text = _decoded(path.read_bytes(), findings)
    if not text.strip():
        sys.exit(f"{path} is empty.")
    separator = _separator(text)
    if separator != ",":
        findings.append(f"Columns are separated by {separator!r}.")
    settings: dict[str, Any] = {"sep": separator, "skipinitialspace": True, "dtype": str}
    try:
        frame = pd.read_csv(io.StringIO(text), **settings)
    except pd.errors.ParserError:
        frame = pd.read_csv(io.StringIO(text), **settings, engine="python", on_bad_lines="skip")
        lost = sum(1 for line in text.splitlines() if line.strip()) - 1 - len(frame)
        findings.append(f"Lines with more fields than there are columns, skipped: {lost:,}.")
    frame.columns = pd.Index([str(column).strip() for column in frame.columns])
    return Table(frame, findings)


def _decoded(content: bytes, findings: list[str]) -> str:
    wide = content[:2] in (b"\xff\xfe", b"\xfe\xff")
    for encoding in ("utf-16" if wide else "utf-8-sig", "cp1252"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding != "utf-8-sig":
            findings.append(f"The file is not UTF-8; read as {encoding}.")
        return text
    findings.append("The file is not UTF-8; read as latin-1.")
    return content.decode("latin-1")


def _separator(text: str) -> str:
    try:
        return csv.Sniffer().sniff("\n".join(text.splitlines()[:20]), delimiters=",;\t|").delimiter
    except csv.Error:
        return ","  # a single column, or too odd to tell


# --- the target ---------------------------------------------------------------------------------------------


def _target(table: Table, name: str, bad: str | None) -> Floats:
    """The column as 1 for bad and 0 for good; its rows with nothing in it are left out."""
    place = {column.lower(): column for column in table.frame.columns}
    if name.lower() not in place:
        sys.exit(f"There is no column {name}; there are {_listed(list(table.frame.columns))}.")
    column = place[name.lower()]
    known = table.frame[column].notna()
    if not known.all():
        table.findings.append(f"Rows without {column}, left out: {(~known).sum():,}.")
        table.frame = table.frame[known].reset_index(drop=True)
    values = table.frame.pop(column).str.strip()
    counts = values.value_counts()
    if not len(counts):
        sys.exit(f"No row says what came of it: there is nothing in {column}.")
    if len(counts) > 2:
        if bad is None or bad not in counts.index:
            sys.exit(
                f"{column} has {len(counts)} values ({_listed(list(counts.index))}): name one with --bad."
            )
        table.findings.append(f"{column} has {len(counts)} values; all but {bad} count as good.")
    chosen = bad or _bad_of(column, list(counts.index))
    outcome = (values == chosen).to_numpy(dtype=np.float64)
    table.findings.append(
        f"{column} = {chosen} is taken as bad: {outcome.sum():,.0f} of {len(outcome):,} rows."
    )
    return _sampled(table, outcome)


def _bad_of(column: str, values: Sequence[str]) -> str:
    """The value that sounds bad, else the rarer one; of a column that is called good or paid, not its yes."""
    chosen = next((value for value in values if value.lower() in BAD), values[-1])
    turned = chosen.lower() in AFFIRMED and GOOD.search(_words(column)) and len(values) == 2
    return next(value for value in values if value != chosen) if turned else chosen


def _sampled(table: Table, outcome: Floats) -> Floats:
    if len(outcome) <= ROWS_MAX:
        return outcome
    rows = np.sort(np.random.default_rng(0).permutation(len(outcome))[:ROWS_MAX])
    table.findings.append(f"{len(outcome):,} rows; {ROWS_MAX:,} drawn by chance are used.")
    table.frame = table.frame.iloc[rows].reset_index(drop=True)
    return outcome[rows]


# --- columns ------------------------------------------------------------------------------------------------


def _tidy(table: Table) -> None:
    """Text that means numbers or dates becomes numbers; nothing, in its many spellings, becomes missing."""
    frame = table.frame.apply(lambda column: column.str.strip())
    frame = frame.replace(["", "?", "-", "NA", "N/A", "n/a", "null", "NULL", "None", "nan", "NaN"], np.nan)
    numbers = {name: number for name in frame if (number := _numbers(frame[name])) is not None}
    table.frame = frame.assign(**numbers).copy()
    repeated = int(frame.duplicated().sum())
    if repeated:
        table.findings.append(f"Rows that repeat an earlier one, kept: {repeated:,}.")
    missing = frame.isna().mean()
    table.findings += [f"{name}: {share:.0%} missing." for name, share in missing.items() if share > 0]


def _numbers(column: pd.Series[Any]) -> pd.Series[Any] | None:
    """Also £1,234.50 and 1.234,50 and 12 %: None where the column is not one of numbers."""
    known = column.dropna().str.replace(r"[£$€%\s_]", "", regex=True)
    for pattern, thousands, decimal in NUMBERS:
        if len(known) and known.str.fullmatch(pattern).mean() >= NUMERIC_SHARE:
            plain = known.str.replace(thousands, "").str.replace(decimal, ".")
            read = pd.to_numeric(plain, errors="coerce").replace([np.inf, -np.inf], np.nan)
            return read.clip(-NUMBER_MAX, NUMBER_MAX).reindex(column.index)
    return None


def _times(table: Table) -> Floats | None:
    """Days of the first column of dates. Such columns are no features: the calendar does not come again."""
    found: dict[str, Floats] = {}
    for name in table.frame.select_dtypes(exclude="number"):
        known = table.frame[name].dropna()
        if not len(known) or known.str.contains(r"\d{2}[-/.]\d{1,2}").mean() < NUMERIC_SHARE:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # formats are guessed
            day_first = bool(known.str.match(r"(1[3-9]|2\d|3[01])[-/.]").any())
            dates = pd.to_datetime(table.frame[name], errors="coerce", format="mixed", dayfirst=day_first)
        if dates[known.index].notna().mean() >= NUMERIC_SHARE:
            found[name] = (dates - pd.Timestamp(0)).dt.days.to_numpy(dtype=np.float64)
    table.drop(list(found), "dates, used for the test forward in time alone")
    return next(iter(found.values()), None)


def _drop_useless(table: Table, outcome: Floats) -> None:
    frame = table.frame
    table.drop([name for name in frame if frame[name].nunique(dropna=False) < 2], "always the same")
    table.drop([name for name in table.frame if _is_identifier(name, table.frame[name])], "names of rows")
    alone = {name: _alone(table.frame[name], outcome) for name in table.frame}
    table.findings += [
        f"{name} alone has an AUC of {power:.3f}: was it known beforehand? It was kept."
        for name, power in alone.items()
        if SUSPECT_FROM <= power < LEAK_FROM
    ]
    leaks = [name for name, power in alone.items() if power >= LEAK_FROM]
    table.drop(leaks, f"leaking the outcome (an AUC of {LEAK_FROM} or more alone)")


def _is_identifier(name: str, column: pd.Series[Any]) -> bool:
    """A name per row: text that is nearly always new, or whole numbers that are, in a column called so."""
    new = column.nunique() / max(1, column.notna().sum())
    if not pd.api.types.is_numeric_dtype(column):
        return bool(new > 0.9) and column.nunique() > LEVELS_MAX
    counted = column.dropna().diff().dropna()
    is_count = len(counted) > LEVELS_MAX and bool((counted == 1).all())
    return is_count or (bool(new > 0.9) and bool(IDENTIFIER.search(_words(name))))


def _alone(column: pd.Series[Any], outcome: Floats) -> float:
    """AUC of the column by itself; names stand in the order of their bad rates in the other half."""
    if len(set(outcome)) < 2:
        return 0.5
    if pd.api.types.is_numeric_dtype(column):
        power = auc(outcome, column.fillna(column.median()).to_numpy(dtype=np.float64))
        return max(power, 1 - power)
    half = np.arange(len(outcome)) % 2 == 0
    text = column.fillna("missing")
    rates = pd.Series(outcome[half]).groupby(text[half].to_numpy()).mean()
    if len(set(outcome[~half])) < 2:
        return 0.5
    return auc(outcome[~half], text[~half].map(rates).fillna(outcome.mean()).to_numpy(dtype=np.float64))


def _features(table: Table) -> list[Feature]:
    features = []
    for name in table.frame.columns:
        if pd.api.types.is_numeric_dtype(table.frame[name]):
            features.append(Feature(name))
            continue
        text = table.frame[name].fillna("missing")
        shares = text.value_counts(normalize=True).head(LEVELS_MAX)
        common = text.isin(shares.index[shares >= LEVEL_SHARE_MIN])
        if not common.all():
            table.findings.append(f"{name}: {text[~common].nunique():,} rare names are one, 'other'.")
        table.frame[name] = text.where(common, "other")
        features.append(Feature(name, "category"))
    return features


def _grouped(column: pd.Series[Any]) -> pd.Series[Any]:
    if pd.api.types.is_numeric_dtype(column) and column.nunique() > 10:
        return pd.qcut(column, 4, duplicates="drop").astype(str)
    return column.astype(str)


def _forward(
    frame: pd.DataFrame, outcome: Floats, features: Sequence[Feature], times: Floats | None
) -> Forward | None:
    """The last third by date, by a model of what came before it."""
    if times is None or not features:
        return None
    late = times > np.nanquantile(times, 2 / 3)
    parts = (outcome[~late], outcome[late])
    if any(min(part.sum(), len(part) - part.sum()) < RARER_MIN for part in parts):
        return None
    return Forward(frame[~late], parts[0], frame[late], parts[1], features)


def _words(name: str) -> str:
    """applicantAge and APPLICANT_AGE read as applicant age."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", name).lower()


def _listed(names: Sequence[Any], most: int = 12) -> str:
    shown = ", ".join(str(name) for name in list(names)[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
