"""Families of comparisons: p-values corrected for their number, and rows in tiers that a test set cannot tell apart.

Source: Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of Statistics 6 (1979).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from bench.metrics.statistics import p_value_bound, paired_test

_HOPELESS = 1e-12
"""A p-value below stays below `LEVEL` after Holm's correction over any number of rows that fit on a board."""
LEVEL = 0.05
"""Differences with a p-value below are called significant."""


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
    tier_of = [1] * len(rows)
    means = [np.mean(np.stack(row), axis=0) for row in rows]
    first = 0
    while first < len(rows):
        below = range(first + 1, len(rows))
        adjusted = holm([p_value_of(means[first] - means[i]) for i in below])
        opens = next((i for i, p in zip(below, adjusted, strict=True) if p < LEVEL), len(rows))
        tier_of[first:opens] = [tier_of[first]] * (opens - first)
        if opens < len(rows):
            tier_of[opens] = tier_of[first] + 1
        first = opens
    return tier_of


def p_value_of(differences: np.ndarray) -> float:
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
