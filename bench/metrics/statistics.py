"""95 % intervals by resampling videos, and the comparison of two models query by query.

Each video stands for one query in each direction, so resampling videos is resampling queries with replacement. A
resample of n queries matters only through how often each distinct value is drawn, which is multinomial, and its median
only through the middle order statistic: both are drawn directly, with the distribution that a loop over queries has.

Letters for shapes: `n` queries, `R` resamples.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

RESAMPLES = 10_000
SEED = 20181008
"""Seeds every resampling, so that a record can be recomputed to the last digit."""
_CHUNK = 32
"""Resamples drawn at a time: their draws stay in the processor's cache."""
_FREQUENT = 16


@dataclass(frozen=True)
class Statistic:
    """A mean, or a median rank, over queries.

    Attributes:
        values: (n,) float64, one per query.
        median: when true the statistic is floor(median of `values`) + 1, else their mean.
    """

    values: np.ndarray
    median: bool = False

    def value(self) -> float:
        """Returns the statistic of the queries at hand."""
        return float(np.floor(np.median(self.values)) + 1.0) if self.median else float(self.values.mean())


def interval(statistic: Statistic, resamples: int = RESAMPLES, seed: int = SEED) -> tuple[float, float]:
    """Returns the 95 % percentile interval of `statistic` over resampled queries."""
    rng = np.random.default_rng(seed)
    if statistic.median:
        return percentile_interval(np.floor(resampled_medians(statistic.values, resamples, rng)) + 1.0)
    return percentile_interval(resampled_means(statistic.values, resamples, rng))


def resampled_means(values: np.ndarray, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """Returns (R,) float64: the means of `resamples` draws of n of the n `values` with replacement.

    How often each distinct value is drawn is multinomial. One binomial draw costs as much as drawing a dozen queries
    or more, so only frequent values get one; the rare ones share one, and are then drawn query by query.
    """
    n = len(values)
    distinct, weights = np.unique(values, return_counts=True)
    frequent = weights >= _FREQUENT
    rare = np.repeat(distinct[~frequent], weights[~frequent])
    odds = np.append(weights[frequent], len(rare)) / n
    means = np.empty(resamples)
    for start in range(0, resamples, _CHUNK):
        drawn = rng.multinomial(n, odds, size=min(_CHUNK, resamples - start))
        totals = drawn[:, :-1].astype(np.float64) @ distinct[frequent]
        if len(rare):
            picked = rare.take(rng.integers(0, len(rare), size=drawn[:, -1].sum()))
            ends = drawn[:, -1].cumsum()
            # a segment without draws gives the value it would start with: the 0 behind the last, or one to be dropped
            sums = np.add.reduceat(np.append(picked, 0.0), ends - drawn[:, -1])
            totals += np.where(drawn[:, -1] > 0, sums, 0.0)
        means[start : start + len(drawn)] = totals / n
    return means


def resampled_medians(values: np.ndarray, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """Returns (R,) float64: the medians of `resamples` draws of n of the n `values` with replacement.

    A draw with replacement looks up n uniform numbers in the sorted values; the middle one of n uniform numbers is
    beta distributed, so it is drawn directly.
    """
    n, rising = len(values), np.sort(values)
    middle = (n + 1) // 2
    lower = rng.beta(middle, n - middle + 1, size=resamples)
    upper = lower if n % 2 else lower + (1.0 - lower) * rng.beta(1, n - middle, size=resamples)
    places = np.minimum((np.stack([lower, upper]) * n).astype(np.int64), n - 1)
    return np.asarray(rising[places].mean(axis=0), dtype=np.float64)


def percentile_interval(values: np.ndarray) -> tuple[float, float]:
    """Returns the 2.5 and 97.5 percentiles of `values` (R,)."""
    low, high = np.quantile(values, [0.025, 0.975], method="inverted_cdf")
    return float(low), float(high)


@dataclass(frozen=True)
class Comparison:
    """Model A against model B on the same queries.

    Attributes:
        difference: mean of A minus B, in the unit of the values compared.
        ci95: its interval by resampling videos.
        p_value: two-sided, of no difference.
        test: `exact binomial` (McNemar's exact test on the queries where the two differ) or `sign flips`.
        n: number of queries.
    """

    difference: float
    ci95: tuple[float, float]
    p_value: float
    test: str
    n: int


def compare(
    first: Sequence[np.ndarray], second: Sequence[np.ndarray], resamples: int = RESAMPLES, seed: int = SEED
) -> Comparison:
    """Returns the paired comparison of two models, over one or several seeds each.

    Args:
        first: one (n,) float64 of hits per seed, such as `expected_hits`; averaged over seeds query by query.
        second: the same for the other model, queries in the same order; may have another number of seeds.
    """
    differences = np.mean(np.stack(first), axis=0) - np.mean(np.stack(second), axis=0)
    # Averages over seeds differ in their last bit by the order of adding: twelve digits tell distinct values apart.
    values, weights = np.unique(np.round(differences, 12), return_counts=True)
    n = len(differences)
    rng = np.random.default_rng(seed)
    bounds = percentile_interval(resampled_means(np.round(differences, 12), resamples, rng))
    if set(values.tolist()) <= {-1.0, 0.0, 1.0}:
        wins, losses = int(weights[values == 1.0].sum()), int(weights[values == -1.0].sum())
        return Comparison(float(differences.mean()), bounds, exact_binomial(wins, losses), "exact binomial", n)
    p_value = _sign_flips(values, weights, resamples, rng)
    return Comparison(float(differences.mean()), bounds, p_value, "sign flips", n)


def exact_binomial(wins: int, losses: int) -> float:
    """Returns the two-sided p-value of `wins` against `losses` under even odds (McNemar's exact test)."""
    n, fewer = wins + losses, min(wins, losses)
    term, total = 1, 0
    for i in range(fewer + 1):
        total += term
        term = term * (n - i) // (i + 1)
    # Integers throughout: 2 ** n leaves the range of floats at n = 1,024.
    return min(1.0, _ratio(2 * total, n))


def _ratio(numerator: int, bits: int) -> float:
    """Returns numerator / 2 ** bits, for integers of any size."""
    shift = max(0, numerator.bit_length() - 64)
    return math.ldexp(float(numerator >> shift), shift - bits)


def _sign_flips(values: np.ndarray, weights: np.ndarray, resamples: int, rng: np.random.Generator) -> float:
    """Returns the two-sided p-value of the sum of differences when each query's sign is a fair coin.

    m queries with the same absolute difference v add v (2 B - m), B binomial: one draw instead of m.
    """
    sizes, inverse = np.unique(np.abs(values), return_inverse=True)
    totals = np.bincount(inverse, weights=weights).astype(np.int64)
    flipped = (2 * rng.binomial(totals, 0.5, size=(resamples, len(sizes))) - totals) @ sizes
    observed = abs(float(values @ weights))
    return float((1 + np.count_nonzero(np.abs(flipped) >= observed - 1e-9)) / (resamples + 1))
