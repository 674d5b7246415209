"""Any CSV can be read, and what was found in it is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from scripts.credit.any_table import NUMBER_MAX, ROWS_MAX, portfolio_of
from scripts.credit.portfolios import Portfolio
from tests.credit.people import people


def a_table(rows: int = 200, **columns: Any) -> pd.DataFrame:
    frame, y = people(rows)
    return frame.assign(**columns, paid=np.where(y == 1, "no", "yes"))


def portfolio(frame: pd.DataFrame, tmp_path: Path, bad: str | None = "no", **how: Any) -> Portfolio:
    path = tmp_path / "some people.csv"
    frame.to_csv(path, index=False, **how)
    return portfolio_of(path, "paid", bad)


def names(of: Portfolio) -> list[str]:
    return [feature.name for feature in of.features]


def said(of: Portfolio) -> str:
    return "\n".join(of.findings)


def test_a_plain_table(tmp_path: Path) -> None:
    frame = a_table()
    read = portfolio(frame, tmp_path)
    assert names(read) == ["debt", "income", "noise", "account", "home"]
    assert [feature.kind for feature in read.features] == ["number"] * 3 + ["category"] * 2
    assert read.y.sum() == (frame["paid"] == "no").sum()
    assert read.frame["income"].isna().sum() == frame["income"].isna().sum()
    assert "income: " in said(read)


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_separators(separator: str, tmp_path: Path) -> None:
    read = portfolio(a_table(), tmp_path, sep=separator)
    assert len(names(read)) == 5
    assert f"Columns are separated by {separator!r}." in read.findings


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-8-sig"])
def test_encodings(encoding: str, tmp_path: Path) -> None:
    frame = a_table(home="Müller")
    frame.loc[::2, "home"] = "Öztürk"
    read = portfolio(frame, tmp_path, encoding=encoding)
    assert set(read.frame["home"]) == {"Müller", "Öztürk"}
    assert ("not UTF-8" in said(read)) == (encoding != "utf-8-sig")


@pytest.mark.parametrize(
    ("spelt", "number"),
    [
        ("1234.5", 1234.5),
        ("£1,234.50", 1234.5),
        ("1.234,5", 1234.5),
        ("12,5", 12.5),
        ("12 %", 12),
        ("-3e2", -300),
        (" 7 ", 7),
    ],
)
def test_numbers_however_they_are_spelt(spelt: str, number: float, tmp_path: Path) -> None:
    frame = a_table(amount=spelt)
    frame.loc[::2, "amount"] = (
        spelt.replace("3", "4").replace("7", "8").replace("12 ", "13 ").replace(",5", ",6")
    )
    read = portfolio(frame, tmp_path, sep=";")
    assert read.frame["amount"].iloc[1] == number


def test_infinities_and_blanks_are_missing(tmp_path: Path) -> None:
    frame = a_table()
    frame["noise"] = frame["noise"].astype(str)
    frame.loc[:9, "noise"] = ["inf", "-inf", "", "?", "NA", "n/a", "null", "None", "nan", "-"]
    read = portfolio(frame, tmp_path)
    assert read.frame["noise"].iloc[:10].isna().all()


def test_what_cannot_be_learnt_from_is_left_out_and_named(tmp_path: Path) -> None:
    frame = a_table(
        customer_id=range(1_000, 1_200), reference=[f"R{i:05}" for i in range(200)], branch="London"
    )
    frame["recovered"] = np.where(frame["paid"] == "no", 100, 0)
    frame["status"] = np.where(frame["paid"] == "no", "written off", "closed")
    read = portfolio(frame, tmp_path)
    assert len(names(read)) == 5
    assert "always the same: branch" in said(read)
    assert "names of rows: customer_id, reference" in said(read)
    assert "leaking the outcome (an AUC of 0.99 or more alone): recovered, status" in said(read)


def test_a_column_that_may_leak_is_kept_with_a_warning(tmp_path: Path) -> None:
    frame = a_table(rows=400)
    chance = np.random.default_rng(0).normal(size=400)
    frame["suspect"] = (frame["paid"] == "no") * 3.0 + chance
    read = portfolio(frame, tmp_path)
    assert "suspect" in names(read)
    assert "suspect alone has an AUC of 0.9" in said(read)


def test_protected_characteristics_are_groups_and_never_features(tmp_path: Path) -> None:
    columns: dict[str, Any] = {
        "Gender": "f",
        "applicantAge": range(18, 218),
        "MARITAL_STATUS": "single",
        "language": "en",
    }
    frame = a_table(**columns)
    frame.loc[::2, ["Gender", "MARITAL_STATUS", "language"]] = ["m", "married", "cy"]
    read = portfolio(frame, tmp_path)
    assert set(read.groups) == {"Gender", "applicantAge", "MARITAL_STATUS"}
    assert "language" in names(read)
    assert read.groups["applicantAge"].nunique() == 4


@pytest.mark.parametrize("spelling", ["%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y"])
def test_dates_make_a_test_forward_in_time(spelling: str, tmp_path: Path) -> None:
    days = pd.date_range("2024-01-01", periods=600)
    shuffled = np.random.default_rng(0).permutation(600)
    frame = a_table(rows=600).assign(opened=days[shuffled].strftime(spelling))
    read = portfolio(frame, tmp_path)
    assert "opened" not in names(read)
    assert read.forward is not None
    assert (len(read.forward.train), len(read.forward.test)) == (400, 200)
    assert set(read.forward.test.index) == set(np.flatnonzero(shuffled >= 400))


def test_many_names_become_other(tmp_path: Path) -> None:
    frame = a_table(rows=1_000)
    frame["town"] = [f"town {i % 100 if i % 2 else 0}" for i in range(1_000)]
    read = portfolio(frame, tmp_path)
    assert read.frame["town"].nunique() <= 51
    assert "rare names are one, 'other'" in said(read)


@pytest.mark.parametrize(
    ("values", "bad", "share"),
    [
        (["0", "1", "0", "0"], None, 0.75),
        (["Good", "Bad", "Bad", "Bad"], None, 0.75),
        (["Fully Paid", "Charged Off", "Fully Paid", "Fully Paid"], None, 0.25),
        (["red", "blue", "red", "red"], None, 0.25),
        (["red", "blue", "red", "red"], "red", 0.75),
        (["a", "b", "c", "c"], "a", 0.25),
    ],
)
def test_which_outcome_is_bad(values: list[str], bad: str | None, share: float, tmp_path: Path) -> None:
    frame = a_table()
    frame["paid"] = values * 50
    read = portfolio(frame, tmp_path, bad)
    assert read.y.mean() == share
    assert "is taken as bad" in said(read)


@pytest.mark.parametrize(
    ("column", "bad"),
    [("paid back", "No"), ("isGoodLoan", "No"), ("repaid", "No"), ("default", "Yes"), ("unpaid", "Yes")],
)
def test_the_yes_of_a_column_that_says_what_went_well_is_not_bad(
    column: str, bad: str, tmp_path: Path
) -> None:
    path = tmp_path / "t.csv"
    frame = a_table().drop(columns="paid")
    frame.assign(**{column: ["Yes", "Yes", "Yes", "No"] * 50}).to_csv(path, index=False)
    assert f"{column} = {bad} is taken as bad" in said(portfolio_of(path, column))


def test_rows_without_an_outcome_are_left_out(tmp_path: Path) -> None:
    frame = a_table()
    frame.loc[:4, "paid"] = None
    read = portfolio(frame, tmp_path)
    assert len(read.y) == len(read.frame) == 195
    assert "Rows without paid, left out: 5." in read.findings


@pytest.mark.parametrize("bad_rows", [0, 1, 9])
def test_with_too_few_of_an_outcome_there_is_nothing_to_learn(bad_rows: int, tmp_path: Path) -> None:
    frame = a_table()
    frame["paid"] = ["1"] * bad_rows + ["0"] * (200 - bad_rows)
    read = portfolio(frame, tmp_path, None)
    assert read.features == []
    assert "too few to learn from" in said(read)


def test_lines_that_are_too_long_are_skipped_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    text = a_table().to_csv(index=False)
    path.write_text(text + "1,2,3,4,5,6,7,8,9\n" * 3, encoding="utf-8")
    read = portfolio_of(path, "paid", "no")
    assert len(read.y) == 200
    assert "Lines with more fields than there are columns, skipped: 3." in read.findings


def test_numbers_beyond_what_trees_can_hold_stay_the_largest(tmp_path: Path) -> None:
    frame = a_table(huge=[1e300, -1e300] * 100)
    assert portfolio(frame, tmp_path).frame["huge"].abs().max() == NUMBER_MAX


def test_a_large_table_is_sampled(tmp_path: Path) -> None:
    rows = ROWS_MAX * 2 + 10_000
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=rows).round(3), "paid": rng.choice(["yes", "no"], rows)})
    read = portfolio(frame, tmp_path)
    assert len(read.y) == len(read.frame) == ROWS_MAX
    assert "110,000 rows; 50,000 drawn by chance are used." in read.findings


@pytest.mark.parametrize(
    ("content", "target", "sentence"),
    [
        (None, "y", "There is no file"),
        ("", "y", "is empty"),
        ("x,y\n1,0\n2,1\n", "z", "There is no column z; there are x, y"),
        ("x,y\n1,a\n2,b\n3,c\n", "y", "y has 3 values .*name one with --bad"),
        ("x,y\n", "y", "No row says what came of it"),
        ("x,y\n1,\n2,\n", "y", "No row says what came of it"),
    ],
)
def test_what_cannot_be_evaluated_is_one_sentence(
    content: str | None, target: str, sentence: str, tmp_path: Path
) -> None:
    path = tmp_path / "t.csv"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(SystemExit, match=sentence):
        portfolio_of(path, target)
