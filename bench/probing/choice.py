"""The linear probe whole: C chosen on a held-out part of the training videos, then fitted on all of them.

C is tried in steps of 10 from 1e-3 to 1e4. The held-out part is a fifth of every class that has at least two videos,
drawn by a seed; where videos are of groups, whole groups until a fifth is reached, and nothing of a class of one group.
The best C is that of the highest top1 on it (a prediction counts when it is among a video's labels,
ties in expectation), among equals that of the lowest cross-entropy. Where no class has two videos there is nothing to
hold out, and C is the largest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bench.data.groups import whole_groups
from bench.errors import InvalidData, ModelError, UsageError
from bench.metrics.classification import count_classes, hits, opened, truth_of
from bench.probing.problem import ProbeWeights, Problem, problem_of
from bench.probing.solvers import Fit, Solver, solve
from bench.reading.numbers import number_of

STRENGTHS = tuple(10.0**power for power in range(-3, 5))
"""The values of C that are tried, the smallest first."""
HELD_OUT = 0.2
ABSENT = -1e4
"""Log-probability of a class without training videos: below all that a probe gives to a class it knows."""

Tried = Callable[[int, int], None]
"""Told after each fit how many of how many are done."""


@dataclass(frozen=True)
class Labelled:
    """Embeddings of training videos with their classes.

    Attributes:
        embeddings: (n, d) float32, finite.
        labels: (n,) classes of each video, the main one first; a probe learns the main one.
        class_names: names of the classes, whether or not each has a video.
        groups: (n,) the source that each video comes from; () where each stands for itself.
    """

    embeddings: np.ndarray
    labels: tuple[tuple[int, ...], ...]
    class_names: tuple[str, ...]
    groups: tuple[int, ...] = ()

    @property
    def main(self) -> np.ndarray:
        """(n,) int64: the main class of each video."""
        return np.array([own[0] for own in self.labels], dtype=np.int64)

    def at(self, places: np.ndarray) -> Labelled:
        """Returns the videos at `places`, in that order."""
        groups = tuple(self.groups[i] for i in places) if self.groups else ()
        return Labelled(self.embeddings[places], tuple(self.labels[i] for i in places), self.class_names, groups)


@dataclass(frozen=True)
class Probe:
    """A fitted linear probe.

    Attributes:
        fit: on all training videos.
        present: (K,) int64, the classes that had training videos, rising.
        n_classes: number of classes, those without training videos among them.
        held_out: top1 in percent on the held-out part for each C that was tried; empty where nothing was held out.
    """

    problem: Problem
    fit: Fit
    present: np.ndarray
    n_classes: int
    held_out: dict[float, float]

    def log_probabilities(self, embeddings: np.ndarray) -> np.ndarray:
        """Returns (m, classes) float32 for embeddings (m, d) float32 of any length; absent classes get `ABSENT`."""
        return _log_probabilities(self.problem, self.fit.weights, _by_class(self.present, self.n_classes), embeddings)


def normalised(embeddings: np.ndarray) -> np.ndarray:
    """Returns (n, d) float32: rows at length 1. Raises: ModelError for a row of zeros."""
    lengths = np.linalg.norm(embeddings.astype(np.float64), axis=1, keepdims=True)
    zeros = np.flatnonzero(lengths[:, 0] == 0.0)
    if zeros.size:
        raise ModelError(
            f"{zeros.size} of {number_of(len(embeddings), 'embedding')} are all zeros (first at row {zeros[0]}): they "
            "have no direction. Check the model, or the features of these videos."
        )
    return np.asarray(embeddings / lengths, dtype=np.float32)


def fitted_probe(data: Labelled, seed: int, device: str, tried: Tried, solver: Solver = solve) -> Probe:
    """Returns the probe of `data` under the C that its held-out part likes best.

    Raises: InvalidData when fewer than two classes have videos; ModelError when a row is all zeros, or no minimum is
    found.
    """
    rows = replace(data, embeddings=normalised(data.embeddings))
    present = np.unique(rows.main)
    if len(present) < 2:
        raise InvalidData(
            f"a linear probe needs training videos of at least two classes; {number_of(len(rows.labels), 'video')} of "
            f"{len(present)} are here. Raise --limit, or check the labels of split train."
        )
    held = held_out_places(rows.main, seed, rows.groups)
    total = len(STRENGTHS) + 1
    scores: dict[float, tuple[float, float]] = {}
    if held.size:
        left = rows.at(np.setdiff1d(np.arange(len(rows.labels)), held))
        for done, (c, score) in enumerate(_sweep(left, rows.at(held), device, solver), start=1):
            scores[c] = score
            tried(done, total)
    best = max(scores, key=lambda c: (scores[c], -c)) if scores else STRENGTHS[-1]
    problem = problem_of(rows.embeddings, np.searchsorted(present, rows.main), device)
    fit = solver(problem, best, None)
    tried(total, total)
    return Probe(problem, fit, present, len(rows.class_names), {c: score[0] for c, score in scores.items()})


def _sweep(left: Labelled, held: Labelled, device: str, solver: Solver) -> list[tuple[float, tuple[float, float]]]:
    """Returns for each C how good it is on `held`: top1 in percent, then minus the cross-entropy."""
    present = np.unique(left.main)
    problem = problem_of(left.embeddings, np.searchsorted(present, left.main), device)
    classes = _by_class(present, len(left.class_names))
    truth, main = truth_of(held.labels, held.class_names), held.main
    weights: ProbeWeights | None = None
    goodness = []
    for c in STRENGTHS:
        weights = solver(problem, c, weights).weights
        scores = _log_probabilities(problem, weights, classes, held.embeddings)
        right = float(100.0 * hits(opened(count_classes(scores, truth, "")), 1).mean())
        goodness.append((c, (right, float(scores[np.arange(len(main)), main].mean()))))
    return goodness


def held_out_places(main: np.ndarray, seed: int, groups: Sequence[int] = ()) -> np.ndarray:
    """Returns the places of the held-out videos, rising: a fifth of each class, at least one where it has two.

    Args:
        main: (n,) int64, the main class of each video.
        groups: (n,) the source that each video comes from; whole ones are held out. () where each stands for itself.
    """
    sources = np.unique(groups, return_inverse=True)[1] if len(groups) else np.arange(len(main))
    members: dict[int, Counter[int]] = {}
    for source, label in zip(sources.tolist(), main.tolist(), strict=True):
        members.setdefault(source, Counter())[label] += 1
    order = np.random.default_rng([seed, 1]).permutation(len(members))
    sizes = np.bincount(main)
    share = np.where(sizes >= 2, np.maximum(1, np.rint(HELD_OUT * sizes)), 0)
    held = whole_groups(order.tolist(), members, share.tolist())
    return np.flatnonzero(np.isin(sources, list(held)))


def few_shots(main: np.ndarray, shots: int, seed: int) -> np.ndarray:
    """Returns the places of `shots` videos of each class that has any, rising, drawn by `seed`.

    More shots of the same seed hold fewer of them, so that a curve over shots adds videos and replaces none.

    Raises: UsageError when a class has fewer.
    """
    order = np.random.default_rng([seed, 2]).permutation(len(main))
    rank, sizes = _rank_in_class(main, order)
    smallest = int(sizes[sizes > 0].min())
    if shots > smallest:
        raise UsageError(f"shots={shots}: the smallest class has {smallest} training videos. Use at most {smallest}.")
    return np.flatnonzero(rank < shots)


def _rank_in_class(main: np.ndarray, order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns (n,) which of its class each video is when drawn in `order`, and (classes,) how many there are."""
    sizes = np.bincount(main)
    drawn = order[np.argsort(main[order], kind="stable")]
    rank = np.empty(len(main), dtype=np.int64)
    rank[drawn] = np.arange(len(main)) - np.repeat(sizes.cumsum() - sizes, sizes)
    return rank, sizes


def _by_class(present: np.ndarray, n_classes: int) -> Sequence[int]:
    """Returns for each class its column among those present, -1 for an absent one."""
    columns = np.full(n_classes, -1, dtype=np.int64)
    columns[present] = np.arange(len(present))
    return columns.tolist()


def _log_probabilities(
    problem: Problem, weights: ProbeWeights, columns: Sequence[int], embeddings: np.ndarray
) -> np.ndarray:
    import torch

    rows = torch.from_numpy(normalised(embeddings)).to(problem.rows.device)
    known = problem.logits(rows, weights).log_softmax(dim=1).cpu().numpy()
    scores = np.full((len(known), len(columns)), ABSENT, dtype=np.float32)
    places = np.array(columns)
    scores[:, places >= 0] = known[:, places[places >= 0]]
    return scores
