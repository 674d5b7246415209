"""A trained model as a JSON document: additive tables of log-odds, its schema and its hash checked."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from math import isfinite
from pathlib import Path
from typing import Any, Final

from shared.domain.errors import Broken
from shared.domain.record import record

SCHEMA: Final = "ajo.score/1"
FOLDER: Final = Path(__file__).parent / "artefacts"

Reading = float | str | None
"""What is known of one feature; None where nothing is."""


class ArtefactRefused(Broken):
    """A model that is not what was trained. The start stops: a wrong score is worse than none."""

    code = "artefact_refused"
    sentence = "The model {name} cannot be used: {problem}."


@record
class Shape:
    """What one feature adds to the log-odds of default, cell by cell.

    A number lies in cell i where cuts[i-1] <= number < cuts[i]; a category in the cell of its place in
    `categories`. `missing` is for None and for unknown categories: None where training has seen neither.
    """

    feature: str
    factor: str
    cuts: tuple[float, ...]
    categories: tuple[str, ...]
    effects: tuple[float, ...]
    missing: float | None

    def cell(self, reading: Reading) -> int | None:
        """The reading's cell, or one past the last for what is missing or unknown; None where it is no number
        and should be."""
        if self.categories:
            known = isinstance(reading, str) and reading in self.categories
            return self.categories.index(str(reading)) if known else len(self.effects)
        if isinstance(reading, (int, float)) and isfinite(reading):
            return bisect_right(self.cuts, reading)
        return len(self.effects) if reading is None else None

    def effect(self, reading: Reading) -> float | None:
        """The effect in log-odds, or None where the reading says nothing that training has seen."""
        cell = self.cell(reading)
        if cell is None:
            return None
        return self.effects[cell] if cell < len(self.effects) else self.missing


@record
class Scale:
    """Whole points: `base_points` at `base_log_odds`, fewer the higher the risk."""

    points_per_log_odds: float
    base_points: int
    base_log_odds: float


@record
class Band:
    """`pd_below`: the band holds probabilities below this one and not below the band before."""

    name: str
    pd_below: float


@record
class Artefact:
    """One model. `version` names it and the hash of its content; `about` holds its data, metrics and licence.

    `reference`: the readings that points are lost against; `reference_points`: what each factor takes there.
    """

    name: str
    version: str
    intercept: float
    shapes: tuple[Shape, ...]
    reference: Mapping[str, Reading]
    reference_points: Mapping[str, int]
    scale: Scale
    bands: tuple[Band, ...]
    about: Mapping[str, Any]


def digest(document: Mapping[str, Any]) -> str:
    """sha256 of the canonical JSON of everything but the digest itself."""
    content = {key: value for key, value in document.items() if key != "sha256"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return sha256(text.encode()).hexdigest()


def write(document: Mapping[str, Any]) -> str:
    """The document with its hash, as the text of a file: the same document gives the same bytes."""
    full = {**document, "sha256": digest(document)}
    return json.dumps(full, indent=1, sort_keys=True, ensure_ascii=True, allow_nan=False) + "\n"


def read(text: str, name: str = "given") -> Artefact:
    """Check and understand one document. Raises ArtefactRefused."""
    try:
        document = json.loads(text)
        _require(isinstance(document, dict), "it is not a JSON object")
        _require(document.get("schema") == SCHEMA, f"its schema is not {SCHEMA}")
        _require(document.get("sha256") == digest(document), "its hash does not match its content")
        return _understand(document)
    except ArtefactRefused:
        raise
    except (ValueError, KeyError, TypeError) as wrong:
        raise ArtefactRefused(name=name, problem=str(wrong) or type(wrong).__name__) from wrong


@lru_cache
def load(name: str) -> Artefact:
    """A shipped model, read once per instance. Raises ArtefactRefused, also where there is no such file."""
    try:
        text = (FOLDER / f"{name}.json").read_text(encoding="utf-8")
    except (OSError, ValueError) as wrong:
        raise ArtefactRefused(name=name, problem="its file cannot be read") from wrong
    return read(text, name)


def check_shipped() -> tuple[str, ...]:
    """Read every shipped model, for the start of a function; their versions. Raises ArtefactRefused."""
    return tuple(load(file.stem).version for file in sorted(FOLDER.glob("*.json")))


def _understand(document: Mapping[str, Any]) -> Artefact:
    shapes = tuple(_shape(shape) for shape in document["shapes"])
    scale = _scale(document["scale"])
    artefact = Artefact(
        name=_text(document["name"]),
        version=f"{_text(document['name'])}-{_text(document['revision'])}+{document['sha256'][:8]}",
        intercept=_number(document["intercept"]),
        shapes=shapes,
        reference=dict(document["reference"]),
        reference_points=_points_at(document["reference"], shapes, scale),
        scale=scale,
        bands=tuple(Band(_text(band["name"]), _number(band["pd_below"])) for band in document["bands"]),
        about=dict(document["about"]),
    )
    limits = [band.pd_below for band in artefact.bands]
    _require(limits == sorted(set(limits)) and limits[-1:] == [1.0], "its bands do not rise to 1")
    return artefact


def _points_at(reference: Mapping[str, Reading], shapes: tuple[Shape, ...], scale: Scale) -> dict[str, int]:
    names = [shape.feature for shape in shapes]
    _require(bool(names) and len(set(names)) == len(names), "it has no shapes, or a feature stands twice")
    _require(set(reference) == set(names), "its reference and its shapes differ")
    effects: dict[str, float] = {}
    for shape in shapes:
        effect = shape.effect(reference[shape.feature])
        if effect is None:
            raise ValueError(f"its reference says nothing about {shape.feature}")
        effects[shape.factor] = effects.get(shape.factor, 0.0) + effect
    return {factor: round(effect * scale.points_per_log_odds) for factor, effect in effects.items()}


def _scale(document: Mapping[str, Any]) -> Scale:
    scale = Scale(
        points_per_log_odds=_number(document["points_per_log_odds"]),
        base_points=int(_number(document["base_points"])),
        base_log_odds=_number(document["base_log_odds"]),
    )
    _require(scale.points_per_log_odds > 0, "its points do not fall with the risk")
    return scale


def _shape(document: Mapping[str, Any]) -> Shape:
    missing = document["missing"]
    shape = Shape(
        feature=_text(document["feature"]),
        factor=_text(document["factor"]),
        cuts=tuple(_number(cut) for cut in document.get("cuts", ())),
        categories=tuple(_text(name) for name in document.get("categories", ())),
        effects=tuple(_number(effect) for effect in document["effects"]),
        missing=None if missing is None else _number(missing),
    )
    cells = len(shape.categories) or len(shape.cuts) + 1
    _require(len(shape.effects) == cells, f"{shape.feature} has not one effect per cell")
    _require(not (shape.cuts and shape.categories), f"{shape.feature} is both number and category")
    _require(list(shape.cuts) == sorted(set(shape.cuts)), f"the cuts of {shape.feature} do not rise")
    _require(
        len(set(shape.categories)) == len(shape.categories), f"a category of {shape.feature} stands twice"
    )
    return shape


def _require(holds: bool, problem: str) -> None:
    if not holds:
        raise ValueError(problem)


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not isfinite(value):
        raise ValueError(f"{value!r} is not a number")
    return float(value)


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"{value!r} is not a name")
    return value
