"""An evaluation for people: a table on the terminal, and one HTML page that stands by itself."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

COLUMNS: Final = {
    "auc": "AUC",
    "auc_sd": "± fold",
    "gini": "Gini",
    "ks": "KS",
    "h": "H",
    "brier": "Brier",
    "log_loss": "log loss",
    "ece": "ECE",
    "slope": "slope",
    "auc_of_settled": "AUC, up to date",
}

STYLE: Final = """
body{font:15px/1.5 system-ui,sans-serif;max-width:66rem;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse;margin:1rem 0}
td,th{padding:.25rem .7rem;text-align:right;border-bottom:1px solid #ddd}
td:first-child,th:first-child{text-align:left}.no{color:#b00020}figure{display:inline-block;margin:0}
img{max-width:31rem;width:100%}
"""


def show(report: Mapping[str, Any], console: Console) -> None:
    """What was found, the figures of every model, and the targets."""
    console.print(f"[bold]{report['dataset']}[/]: {_about(report)}")
    for finding in report["findings"]:
        console.print(f"  · {finding}", markup=False)
    if not report["models"]:
        return
    console.print(_rich(["model", *_columns(report).values()], _figures(report)))
    console.print(_rich(["target", "asked", "reached", ""], _targets(report)))
    for sentence in _sentences(report):
        console.print(f"  {sentence}", markup=False)


def write_html(report: Mapping[str, Any], pictures: Sequence[Path], path: Path) -> None:
    parts = [f"<h1>{escape(report['dataset'])}</h1><p>{escape(_about(report))}</p>"]
    parts.append("<ul>" + "".join(f"<li>{escape(finding)}</li>" for finding in report["findings"]) + "</ul>")
    if report["models"]:
        parts.append(_html(["model", *_columns(report).values()], _figures(report)))
        parts += [f"<p>{escape(sentence)}</p>" for sentence in _sentences(report)]
        parts.append(_html(["target", "asked", "reached", ""], _targets(report)))
        parts.append(_html(["group", "", "approved", "÷ best group"], _approval(report)))
    for picture in pictures:
        data = base64.b64encode(picture.read_bytes()).decode()
        parts.append(f'<figure><img alt="{picture.stem}" src="data:image/png;base64,{data}"></figure>')
    title = escape(report["dataset"])
    head = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>'
    )
    path.write_text(head + "".join(parts) + "</html>\n", encoding="utf-8")


def _about(report: Mapping[str, Any]) -> str:
    protocol = f"{report['folds']}-fold × {report['repeats']}, seed {report['seed']}"
    people = f"{report['rows']:,} rows, {report['bad_rate']:.1%} bad"
    return f"{people}, {len(report['features'])} features, {protocol}"


def _columns(report: Mapping[str, Any]) -> dict[str, str]:
    known = next(iter(report["models"].values()))
    return {key: name for key, name in COLUMNS.items() if key in known}


def _figures(report: Mapping[str, Any]) -> list[list[str]]:
    columns = _columns(report)
    return [
        [model, *(f"{figures[key]:.3f}" for key in columns)] for model, figures in report["models"].items()
    ]


def _targets(report: Mapping[str, Any]) -> list[list[str]]:
    return [
        [line["what"], _asked(line), f"{line['reached']:.4f}", "met" if line["met"] else "not met"]
        for line in report["targets"]
    ]


def _asked(line: Mapping[str, Any]) -> str:
    low, high = line["at_least"], line["at_most"]
    if low is not None and high is not None:
        return f"{low} to {high}"
    return f"≥ {low}" if low is not None else f"≤ {high}"


def _approval(report: Mapping[str, Any]) -> list[list[str]]:
    return [
        [group, label, f"{figures['approved']:.1%}", f"{figures['ratio']:.2f}"]
        for group, labels in report["models"]["served"]["approval"].items()
        for label, figures in labels.items()
    ]


def _sentences(report: Mapping[str, Any]) -> list[str]:
    chance = report["models"]["served"]["ece_of_chance"]
    sentences = [
        f"The price of explanations: {report['price_of_explanations_auc']:+.4f} AUC (challenger − served).",
        f"A perfectly calibrated model would show an ECE of {chance:.3f} on so many people.",
    ]
    for pair, tests in report["comparisons"].items():
        for way, test in tests.items():
            verdict = "non-inferior" if test["is_non_inferior"] else "not shown to be non-inferior"
            sentences.append(
                f"{pair.replace('_and_', ' − ')}, {way.replace('_', ' ')}: {test['difference']:+.4f} "
                f"(90 % interval {test['low']:+.4f} to {test['high']:+.4f}): {verdict}."
            )
    if published := report["published_auc"]:
        sentences.append("Published: " + ", ".join(f"{name} {auc}" for name, auc in published.items()) + ".")
    if forward := report.get("forward"):
        settled = forward.get("auc_of_settled")
        sentences.append(
            f"Forward in time: bad {forward['bad_rate_before']:.1%} → {forward['bad_rate_after']:.1%}, "
            f"AUC {forward['auc_pooled']:.3f}"
            + (f" ({settled:.3f} among those up to date)" if settled else "")
            + f", ECE {forward['ece']:.3f} "
            f"({forward['ece_with_intercept_moved']:.3f} with the intercept moved), PSI {forward['psi']:.3f}."
        )
    return sentences


def _rich(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(box=None, pad_edge=False)
    for i, name in enumerate(head):
        table.add_column(name, justify="left" if i == 0 else "right")
    for row in rows:
        table.add_row(*row)
    return table


def _html(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = "".join(
        f'<tr class="{"no" if row[-1] == "not met" else ""}">'
        + "".join(f"<td>{escape(cell)}</td>" for cell in row)
        + "</tr>"
        for row in rows
    )
    return f"<table><tr>{top}</tr>{body}</table>"
