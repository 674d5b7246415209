"""The command behind scripts/evaluate_credit."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from scripts.credit.any_table import portfolio_of
from scripts.credit.evaluation import SEED, Evaluation, evaluate
from scripts.credit.portfolios import PORTFOLIOS, Portfolio
from scripts.credit.sources import ROOT


def main() -> None:
    asked = _arguments()
    if asked.csv:
        portfolios = [portfolio_of(asked.csv, asked.target, asked.bad)]
    else:
        portfolios = [PORTFOLIOS[name](asked.data) for name in asked.dataset or list(PORTFOLIOS)]
    reports = []
    for portfolio in portfolios:
        evaluation = _evaluated(portfolio, asked)
        reports.append(evaluation.report)
        _write(evaluation, (asked.out or ROOT / "build" / "credit") / portfolio.name, asked.plots)
    if asked.json:
        print(json.dumps(reports if len(reports) > 1 else reports[0], indent=1))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/evaluate_credit", description=__doc__)
    parser.add_argument("--dataset", action="append", choices=sorted(PORTFOLIOS), help="all if none is given")
    parser.add_argument("--csv", type=Path, help="any table, with --target")
    parser.add_argument("--target", help="the column that says what came of it")
    parser.add_argument("--bad", help="the target's value that means bad, if it cannot be told")
    parser.add_argument("--data", help="folder of the data sets (else AJO_CREDIT_DATA, else fetched)")
    parser.add_argument("--out", type=Path, help="folder for figures, plots and the page")
    parser.add_argument("--json", action="store_true", help="the figures as JSON on stdout")
    parser.add_argument("--quick", action="store_true", help="one repeat, and fewer peers")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--no-plots", dest="plots", action="store_false")
    asked = parser.parse_args()
    if bool(asked.csv) != bool(asked.target) or (asked.csv and asked.dataset):
        parser.error("give --dataset, or --csv with --target")
    return asked


def _evaluated(portfolio: Portfolio, asked: argparse.Namespace) -> Evaluation:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        folds = portfolio.folds * (1 if asked.quick else portfolio.repeats)
        task = progress.add_task(portfolio.name, total=folds if portfolio.features else 0)
        return evaluate(
            portfolio,
            quick=asked.quick,
            jobs=asked.jobs,
            seed=asked.seed,
            tick=lambda: progress.advance(task),
        )


def _write(evaluation: Evaluation, folder: Path, plots: bool) -> None:
    from scripts.credit.plots import draw
    from scripts.credit.report import show, write_html

    folder.mkdir(parents=True, exist_ok=True)
    report = evaluation.report
    (folder / "evaluation.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    pictures = draw(evaluation, folder) if plots and report["models"] else []
    write_html(report, pictures, folder / "report.html")
    console = Console(stderr=True)
    show(report, console)
    console.print(f"Written to {folder}", markup=False, highlight=False)


if __name__ == "__main__":
    main()
