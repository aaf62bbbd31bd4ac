"""Models against one another, query by query, from their evidence alone: paired tests, effect sizes, and tiers.

Several seeds of a model are averaged query by query first, so that a test speaks about the model and not about one
training; how much seeds differ is reported apart. Where a video has several captions, the unit is the video: its
captions are easy or hard together, and counting them one by one would claim more than was seen. A score of captions is
no mean over videos: what a video adds is what leaving it out takes away (`bench.metrics.captions.evidence`).

Source: Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of Statistics 6 (1979).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bench.errors import UsageError
from bench.metrics import class_measurements
from bench.metrics.captions import evidence as captions
from bench.metrics.curves import curve_statistics, curve_values, is_curve
from bench.metrics.names import parse_name
from bench.metrics.retrieval import (
    ANY_HIT,
    BEST_CAPTION,
    KS,
    captions_of_videos,
    directions_of,
    expected_hits,
    full_name,
    hit_rule,
    ranks_from_zero,
)
from bench.metrics.statistics import Comparison, compare, p_value_bound, paired_test
from bench.results import Evidence

_HOPELESS = 1e-12
"""A p-value below stays below `LEVEL` after Holm's correction over any number of rows that fit on a board."""
LEVEL = 0.05
"""Differences with a p-value below are called significant."""
_METRIC = re.compile(
    rf"(?P<direction>{BEST_CAPTION}(?= )|t2v|v2t)(?:/(?:{ANY_HIT})?| )(?:R@(?P<k>[1-9][0-9]{{0,8}})|MeanR)"
)
_OTHER_KINDS = re.compile(r"BLEU@[1-4]|METEOR|ROUGE-L|CIDEr|(?:mean_class/|main/)?top[0-9]+|(?:Avg)?Hit@[0-9]+")
Metrics = Callable[[Evidence], tuple[str, ...]]
Values = Callable[[Evidence, str], np.ndarray]
KINDS: Mapping[str, tuple[Metrics, Values]] = {
    "captions": (captions.names_of, captions.video_shares),
    "classes": (class_measurements.metrics_of, class_measurements.values_of),
}
"""Evidence other than ranks: which measurements can be compared, and what each video adds to one, in parts of 1."""


@dataclass(frozen=True)
class Paired:
    """Model A against model B in one measurement.

    Attributes:
        metric: its name, such as `t2v/R@1`.
        unit: of the values: `percent` or `rank`.
        values: (seeds of A,) and (seeds of B,) values of the measurement, one per run.
        comparison: difference A minus B with interval and p-value, in `unit`.
        effect: the difference in standard deviations of the paired differences (Cohen's d_z); None where these do not
            vary.
        wins, losses, ties: units in which A is better, B is better, and neither.
    """

    metric: str
    unit: str
    values: tuple[tuple[float, ...], tuple[float, ...]]
    comparison: Comparison
    effect: float | None
    wins: int
    losses: int
    ties: int


def metrics_of(evidence: Evidence) -> tuple[str, ...]:
    """Returns the measurements that can be compared from `evidence`, by name; of ranks, the recalls and their areas."""
    if evidence.kind in KINDS:
        return KINDS[evidence.kind][0](evidence)
    if is_curve(evidence):
        return tuple(map(str, curve_statistics(evidence)))
    ways = directions_of(evidence)
    return tuple(full_name(way, f"{hit_rule(evidence.counts[way])}R@{k}") for way in ways for k in KS)


def has_values(metric: str) -> bool:
    """Returns whether a measurement is a mean over queries, so that two models can be compared query by query."""
    name = parse_name(metric)
    known = _METRIC.fullmatch(metric) or _OTHER_KINDS.fullmatch(metric)
    return known is not None or (name is not None and name.of_curve)


def values_of(evidence: Evidence, metric: str) -> np.ndarray:
    """Returns (n,) float64: what each unit adds to `metric`: hits or shares from 0 to 1, or the rank, counted from 1.

    A unit is a query, or a video with its captions where a video has several.

    Raises: UsageError when the metric has no value per query, or the evidence no such direction.
    """
    if evidence.kind in KINDS:
        return KINDS[evidence.kind][1](evidence, metric)
    name = parse_name(metric)
    if is_curve(evidence) and name and name.of_curve and metric in metrics_of(evidence):
        return curve_values(evidence, name)
    match = _METRIC.fullmatch(metric)
    if not match or match["direction"] not in evidence.counts:
        known = ", ".join(metrics_of(evidence))
        raise UsageError(
            f"metric {metric!r} has no value for each query to compare. Use {known}, R@K for any other K, or MeanR."
        )
    counts = evidence.counts[match["direction"]]
    values = expected_hits(counts, int(match["k"])) if match["k"] else ranks_from_zero(counts) + 1.0
    captions = captions_of_videos(evidence) if match["direction"] == "t2v" else None
    if captions is None:
        return values
    sums = np.add.reduceat(values, captions.cumsum() - captions)
    return np.asarray(sums * (len(captions) / len(values)), dtype=np.float64)


def paired(first: Sequence[Evidence], second: Sequence[Evidence], metric: str) -> Paired:
    """Returns model A against model B, each over one or several seeds on the same queries in the same order.

    Raises: UsageError for a metric that cannot be compared.
    """
    a, b = ([values_of(evidence, metric) for evidence in side] for side in (first, second))
    scale, unit = (1.0, "rank") if metric.endswith("MeanR") else (100.0, "percent")
    farthest = math.inf if unit == "rank" else captions.HIGHEST.get(metric, 100.0)
    found = compare(a, b)
    low, high = (min(max(scale * end, -farthest), farthest) for end in found.ci95)
    differences = np.mean(np.stack(a), axis=0) - np.mean(np.stack(b), axis=0)
    spread = float(differences.std(ddof=1)) if len(differences) > 1 else 0.0
    better = differences if unit == "percent" else -differences
    wins, losses = int((better > 1e-12).sum()), int((better < -1e-12).sum())
    return Paired(
        metric=metric,
        unit=unit,
        values=(tuple(scale * float(v.mean()) for v in a), tuple(scale * float(v.mean()) for v in b)),
        comparison=Comparison(
            difference=scale * found.difference,
            ci95=(low, high),
            p_value=found.p_value,
            test=found.test,
            n=found.n,
        ),
        effect=found.difference / spread if spread > 1e-12 else None,
        wins=wins,
        losses=losses,
        ties=len(differences) - wins - losses,
    )


def holm(p_values: Sequence[float]) -> list[float]:
    """Returns the p-values of one family adjusted by Holm's step-down rule, in the order given; at most 1."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for step, i in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - step) * p_values[i]))
        adjusted[i] = largest
    return adjusted


def tiers(rows: Sequence[Sequence[np.ndarray]]) -> list[int]:
    """Returns the tier of each row, from 1. Rows come best first, each with one (n,) array of values per seed.

    The first row of a tier is compared with every row below it; the first of these that differs significantly, after
    Holm's correction over these comparisons, opens the next tier.
    """
    found = [1] * len(rows)
    means = [np.mean(np.stack(row), axis=0) for row in rows]
    first = 0
    while first < len(rows):
        below = range(first + 1, len(rows))
        adjusted = holm([_p_value(means[first] - means[i]) for i in below])
        opens = next((i for i, p in zip(below, adjusted, strict=True) if p < LEVEL), len(rows))
        found[first:opens] = [found[first]] * (opens - first)
        if opens < len(rows):
            found[opens] = found[first] + 1
        first = opens
    return found


def _p_value(differences: np.ndarray) -> float:
    """Returns the p-value of the paired test, or a bound on it that is far below every level that matters.

    A board of some hundred rows makes ten thousand comparisons, most of them between rows that are far apart.
    """
    bound = p_value_bound(differences)
    return bound if bound < _HOPELESS else paired_test(differences)[0]


def mean_and_std(values: Sequence[float]) -> tuple[float, float | None]:
    """Returns the mean over seeds and their sample standard deviation, None for one seed."""
    mean = math.fsum(values) / len(values)
    if len(values) < 2:
        return mean, None
    return mean, math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))
