"""The pictures of an evaluation: ROC, calibration, KS, score bands and, where there are two times, drift."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import roc_curve

from scripts.credit.additive import Floats
from scripts.credit.evaluation import SERVED, Evaluation
from scripts.credit.exported import BANDS
from scripts.credit.metrics import equal_mass_bins

COLOURS: Final = ("#1b4f8f", "#c8553d", "#6a994e", "#8d6a9f", "#b08900")


def draw(evaluation: Evaluation, folder: Path) -> list[Path]:
    """One PNG per picture, into the folder."""
    pictures: Mapping[str, Callable[[Any, Evaluation], None]] = {
        "roc": _roc,
        "calibration": _calibration,
        "ks": _ks,
        "bands": _bands,
        **({"drift": _drift} if evaluation.forward else {}),
    }
    paths = []
    for name, picture in pictures.items():
        figure, axes = plt.subplots(figsize=(5.2, 4.2), layout="constrained")
        picture(axes, evaluation)
        axes.spines[["top", "right"]].set_visible(False)
        paths.append(folder / f"{name}.png")
        figure.savefig(paths[-1], dpi=120, metadata={"Software": None})
        plt.close(figure)
    return paths


def _pooled(evaluation: Evaluation, model: str = SERVED) -> tuple[Floats, Floats]:
    p = evaluation.predictions[model]
    return np.tile(evaluation.portfolio.y, len(p)), p.ravel()


def _roc(axes: Any, evaluation: Evaluation) -> None:
    for model, colour in zip(evaluation.predictions, COLOURS, strict=False):
        false, true, _ = roc_curve(*_pooled(evaluation, model))
        auc = evaluation.report["models"][model]["auc"]
        axes.plot(false, true, color=colour, lw=1.4, label=f"{model} {auc:.3f}")
    axes.plot([0, 1], [0, 1], color="#999999", lw=0.8, ls=":")
    axes.set(title="ROC (AUC, mean of folds)", xlabel="good refused", ylabel="bad refused")
    axes.legend(frameon=False, fontsize=8)


def _calibration(axes: Any, evaluation: Evaluation) -> None:
    y, p = _pooled(evaluation)
    bins = equal_mass_bins(p)
    axes.plot([0, 1], [0, 1], color="#999999", lw=0.8, ls=":")
    axes.plot([p[i].mean() for i in bins], [y[i].mean() for i in bins], "o-", color=COLOURS[0], ms=4, lw=1)
    figures = evaluation.report["models"][SERVED]
    axes.set(
        title=f"Calibration, served (slope {figures['slope']:.2f}, ECE {figures['ece']:.3f})",
        xlabel="predicted probability of bad",
        ylabel="observed share of bad",
    )


def _ks(axes: Any, evaluation: Evaluation) -> None:
    y, p = _pooled(evaluation)
    grid = np.sort(np.unique(p))
    shares = [
        np.searchsorted(np.sort(p[y == outcome]), grid, side="right") / (y == outcome).sum()
        for outcome in (0, 1)
    ]
    widest = int(np.argmax(shares[0] - shares[1]))
    for share, name, colour in zip(shares, ("good", "bad"), (COLOURS[2], COLOURS[1]), strict=True):
        axes.plot(grid, share, color=colour, label=name)
    axes.vlines(grid[widest], shares[1][widest], shares[0][widest], color="#333333", lw=1)
    ks = evaluation.report["models"][SERVED]["ks"]
    axes.set(title=f"KS, served: {ks:.3f}", xlabel="predicted probability of bad", ylabel="share at or below")
    axes.legend(frameon=False)


def _bands(axes: Any, evaluation: Evaluation) -> None:
    y, p = _pooled(evaluation)
    bins = equal_mass_bins(p, len(BANDS))
    rates = [y[i].mean() for i in bins]
    bars = axes.bar(list(BANDS)[: len(bins)], rates, color=COLOURS[0], width=0.65)
    axes.bar_label(bars, [f"{rate:.1%}" for rate in rates], fontsize=8)
    axes.set(title="Score bands, served: a fifth of the people each", ylabel="observed share of bad")


def _drift(axes: Any, evaluation: Evaluation) -> None:
    if evaluation.forward is None:
        return
    edges = np.linspace(0, 1, 31)
    for p, name, colour in zip(evaluation.forward, ("learnt on", "a time later"), COLOURS, strict=False):
        axes.hist(
            p, bins=edges, weights=np.full(len(p), 1 / len(p)), histtype="step", color=colour, label=name
        )
    forward = evaluation.report["forward"]
    axes.set(
        title=f"Forward in time: PSI {forward['psi']:.3f}, AUC {forward['auc_pooled']:.3f}",
        xlabel="predicted probability of bad",
        ylabel="share of the people",
    )
    axes.legend(frameon=False)
