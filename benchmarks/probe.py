"""The whole choice of C of a linear probe, against scikit-learn's fits from a cold start at equal loss.

python benchmarks/probe.py
python benchmarks/probe.py --videos 2000 --dim 256 --classes 50
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from timing import arguments, start, synchronize, table

from bench.probing.choice import STRENGTHS, normalised
from bench.probing.problem import Problem, problem_of
from bench.probing.solvers import Fit, solve

SAME = 1e-4
"""Losses that differ by less, as a share, are equal."""
TOLERANCES = (1e-4, 1e-5, 1e-6, 1e-7, 1e-8)
"""Tolerances that scikit-learn is given, its default first."""


@dataclass(frozen=True)
class Timed:
    """A fit, or the loss that a fit reached, with the seconds it took."""

    loss: float
    iterations: int
    seconds: float
    tolerance: float = 0.0


def embeddings(videos: int, dim: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns normalised rows (videos, dim) float32 with falling spectrum and a common part, and their classes."""
    rng = np.random.default_rng(0)
    axes = np.linalg.qr(rng.normal(size=(dim, dim)))[0] * np.arange(1, dim + 1)[:, None] ** -0.7
    labels = np.arange(videos) % classes
    centres, common = 0.2 * rng.normal(size=(classes, dim)), 0.03 * rng.normal(size=dim)
    return normalised((centres[labels] + rng.normal(size=(videos, dim))) @ axes + common), labels


def clock(device: str) -> float:
    """Returns CPU seconds, or wall seconds once a GPU has done all it was told."""
    synchronize(device)
    return time.process_time() if device == "cpu" else time.perf_counter()


def sweep(problem: Problem, device: str, *, warm: bool) -> list[Timed]:
    """Returns our fits, each from that before it or from zero."""
    found: list[Timed] = []
    fit: Fit | None = None
    for c in STRENGTHS:
        begin = clock(device)
        fit = solve(problem, c, fit.weights if fit and warm else None)
        found.append(Timed(fit.loss, fit.iterations, clock(device) - begin))
    return found


def cold_scikit_learn(rows: np.ndarray, labels: np.ndarray, c: float, lowest: float, first: float) -> Timed:
    """Returns the fit under the largest tolerance that reaches `lowest`; the time is that of this fit alone.

    Args:
        first: where to begin: what a smaller C needed.
    """
    from sklearn.linear_model import LogisticRegression

    for tolerance in (one for one in TOLERANCES if one <= first):
        model = LogisticRegression(C=c, tol=tolerance, max_iter=10_000)
        begin = time.process_time()
        model.fit(rows, labels)
        seconds = time.process_time() - begin
        loss = loss_of(rows, labels, model.coef_.T, model.intercept_, c)
        if loss <= lowest * (1.0 + SAME):
            break
    return Timed(loss, int(model.n_iter_[0]), seconds, tolerance)


def loss_of(rows: np.ndarray, labels: np.ndarray, matrix: np.ndarray, intercept: np.ndarray, c: float) -> float:
    """Returns the loss of a classifier (dim, classes), (classes,) of the rows themselves, in float64."""
    logits = rows.astype(np.float64) @ matrix.astype(np.float64) + intercept
    logits -= logits.max(axis=1, keepdims=True)
    fit = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(labels)), labels]
    return float(fit.mean() + (matrix.astype(np.float64) ** 2).sum() / (2.0 * c * len(labels)))


def report(chosen: argparse.Namespace) -> str:
    """Returns the table of one size."""
    solve(problem_of(*embeddings(20, 4, 2), chosen.device), 1.0)  # loads what torch loads late
    rows, labels = embeddings(chosen.videos, chosen.dim, chosen.classes)
    begin = clock(chosen.device)
    problem = problem_of(rows, labels, chosen.device)
    made = clock(chosen.device) - begin
    warm, cold = (sweep(problem, chosen.device, warm=warm) for warm in (True, False))
    lines: list[Sequence[object]] = [
        ("C", "loss", "warm s", "iterations", "loss above cold", "cold s", "iterations", "scikit-learn s", "iterations",
         "tol", "its loss above")
    ]  # fmt: skip
    theirs: list[Timed] = []
    for c, ours, from_zero in zip(STRENGTHS, warm, cold, strict=True):
        first = theirs[-1].tolerance if theirs else TOLERANCES[0]
        one = cold_scikit_learn(rows, labels, c, min(ours.loss, from_zero.loss), first)
        theirs.append(one)
        above = ours.loss / from_zero.loss - 1.0
        assert above <= SAME, f"C = {c:g}: a warm start ends {above:.1e} above a cold one; it does not count"
        lines.append(
            (f"{c:g}", f"{ours.loss:.5g}", ours.seconds, ours.iterations, f"{above:.0e}", from_zero.seconds,
             from_zero.iterations, one.seconds, one.iterations, f"{one.tolerance:g}",
             f"{one.loss / ours.loss - 1.0:.0e}")
        )  # fmt: skip
    sums = [made + sum(fit.seconds for fit in fits) for fits in (warm, cold)]
    all_theirs = sum(one.seconds for one in theirs)
    lines.append(("all, with turning", "", sums[0], "", "", sums[1], "", all_theirs, "", "", ""))
    lines.append(("ratio", "", sums[0] / all_theirs, "", "", sums[1] / all_theirs, "", 1.0, "", "", ""))
    return table(lines)


def main() -> None:
    """Prints the table."""
    parser = arguments(__doc__)
    parser.add_argument("--videos", type=int, default=10_024)
    parser.add_argument("--dim", type=int, default=1024)
    parser.add_argument("--classes", type=int, default=200)
    chosen = parser.parse_args()
    what = start(chosen)
    torch.backends.cuda.matmul.allow_tf32 = False
    print(f"{what}; {chosen.videos} x {chosen.dim}, {chosen.classes} classes; {len(STRENGTHS)} values of C")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        print(report(chosen))


if __name__ == "__main__":
    main()
