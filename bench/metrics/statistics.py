"""95 % intervals by resampling videos, and the comparison of two models query by query.

Each video stands for one query in each direction, so resampling videos is resampling queries with replacement
(`bench.metrics.resampling`): exactly for means, by 10,000 resamples for medians and for means over videos that count
unequally. A share of 0 or 100 %, of which every resample is the same, gets the interval of Clopper and Pearson instead.
Of one to three videos nothing is resampled (`FEWEST`).

Letters for shapes: `n` queries, `R` resamples.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np

from bench.metrics.resampling import (
    mean_interval,
    percentile_interval,
    ratio_interval,
    resampled_medians,
    sure_interval,
)

FEWEST = 4
"""Videos from which on an interval says more than its videos do: of n videos, n^-n of all resamples are the lowest n
times, which is more than 2.5 % up to three, so that both ends of the interval would be single videos."""
TOO_FEW = f"No 95 % intervals: of fewer than {FEWEST} videos, their ends would be single videos."
RESAMPLES = 10_000
OUT_OF_REACH = 1e-9
"""A bound on a p-value below which no draw of sign flips reaches what was seen: the chance is one in 100,000."""
SEED = 20181008
"""Seeds everything drawn, so that a record can be recomputed to the last digit."""


@dataclass(frozen=True)
class Statistic:
    """A mean, a share or a median, over queries.

    Attributes:
        values: (n,) float64, one per query.
        summary: `mean`; `median`; or `median rank`, which is floor(median) + 1 of ranks counted from 0.
        share: when true the values are parts of 0 to 100 percent, such as hits, so that a mean of 0 or 100 is no proof
            that the next query will be like them.
        weights: (n,) how much each value counts in the mean, drawn together with it; None where all count alike.
    """

    values: np.ndarray
    summary: Literal["mean", "median", "median rank"] = "mean"
    share: bool = False
    weights: np.ndarray | None = None

    def value(self) -> float:
        """Returns the statistic of the queries at hand."""
        if self.summary == "mean":
            return float(np.average(self.values, weights=self.weights))
        return float(self.of_medians(np.median(self.values)))

    def of_medians(self, medians: np.ndarray | np.floating[Any]) -> np.ndarray:
        """Returns the statistic of samples of queries whose values have these medians."""
        return np.asarray(np.floor(medians) + 1.0 if self.summary == "median rank" else medians)


def of_clusters(statistic: Statistic, sizes: np.ndarray) -> Statistic:
    """Returns a mean over captions as one over the videos they belong to, each counting by how many captions it has.

    Args:
        statistic: a mean of values (queries,), the captions of a video beside one another.
        sizes: (videos,) int64, at least 1: how many captions each video has; adds up to the number of queries.
    """
    sums = np.add.reduceat(statistic.values, sizes.cumsum() - sizes)
    weights = None if sizes.min() == sizes.max() else sizes.astype(np.float64)
    return Statistic(sums / sizes, share=statistic.share, weights=weights)


def interval(statistic: Statistic) -> tuple[float, float] | None:
    """Returns the 95 % percentile interval of `statistic` over resampled queries; see above for 0 and 100 %.

    None of fewer than `FEWEST`: how far the next would lie from them is not to be seen.
    """
    values, weights = statistic.values, statistic.weights
    if statistic.share and statistic.value() in (0.0, 100.0):
        return sure_interval(statistic.value(), np.ones(len(values)) if weights is None else weights)
    if len(values) < FEWEST:
        return None
    if statistic.summary != "mean":
        rng = np.random.default_rng(SEED)
        return percentile_interval(statistic.of_medians(resampled_medians(values, RESAMPLES, rng)))
    if weights is None:
        return mean_interval(values)
    return ratio_interval(values, weights, RESAMPLES, np.random.default_rng(SEED))


@dataclass(frozen=True)
class Comparison:
    """Model A against model B on the same queries.

    Attributes:
        difference: mean of A minus B, in the unit of the values compared.
        ci95: its interval by resampling videos; None of fewer than `FEWEST`.
        p_value: two-sided, of no difference.
        test: `exact binomial` (McNemar's exact test on the queries where the two differ) or `sign flips`.
        n: number of queries.
    """

    difference: float
    ci95: tuple[float, float] | None
    p_value: float
    test: str
    n: int


def compare(first: Sequence[np.ndarray], second: Sequence[np.ndarray]) -> Comparison:
    """Returns the paired comparison of two models, over one or several seeds each.

    Args:
        first: one (n,) float64 of hits per seed, such as `expected_hits`; averaged over seeds query by query.
        second: the same for the other model, queries in the same order; may have another number of seeds.
    """
    differences = np.mean(np.stack(first), axis=0) - np.mean(np.stack(second), axis=0)
    p_value, test = paired_test(differences)
    bounds = interval(Statistic(np.round(differences, 12)))
    return Comparison(float(differences.mean()), bounds, p_value, test, len(differences))


def paired_test(differences: np.ndarray) -> tuple[float, str]:
    """Returns the two-sided p-value of no difference, and the test: `exact binomial` or `sign flips`.

    Args:
        differences: (n,) float64, A minus B for each query.
    """
    # Averages over seeds differ in their last bit by the order of adding: twelve digits tell distinct values apart.
    values, weights = np.unique(np.round(differences, 12), return_counts=True)
    if set(values.tolist()) <= {-1.0, 0.0, 1.0}:
        wins, losses = int(weights[values == 1.0].sum()), int(weights[values == -1.0].sum())
        return exact_binomial(wins, losses), "exact binomial"
    if p_value_bound(differences) < OUT_OF_REACH:
        return 1 / (RESAMPLES + 1), "sign flips"
    return _sign_flips(values.tobytes(), weights.tobytes()), "sign flips"


def p_value_bound(differences: np.ndarray) -> float:
    """Returns what the p-value of `paired_test` is at most, from two sums: small where nobody needs to count.

    The sum of differences d_i under fair signs exceeds t with a probability of at most 2 exp(-t^2 / (2 sum d_i^2)).

    Source: Hoeffding, "Probability Inequalities for Sums of Bounded Random Variables", JASA 58 (1963), theorem 2.
    """
    squares = float(differences @ differences)
    return min(1.0, 2.0 * math.exp(-(float(differences.sum()) ** 2) / (2.0 * squares))) if squares > 0.0 else 1.0


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


@lru_cache(maxsize=256)
def _sign_flips(value_bytes: bytes, weight_bytes: bytes) -> float:
    """Returns the two-sided p-value of the sum of differences when each query's sign is a fair coin.

    Takes float64 values and how often each occurs, int64, as bytes: a board asks for the tiers what it shows below.
    m queries with the same absolute difference v add v (2 B - m), B binomial: one draw instead of m.
    """
    values, weights = np.frombuffer(value_bytes), np.frombuffer(weight_bytes, dtype=np.int64)
    rng = np.random.default_rng(SEED)
    sizes, inverse = np.unique(np.abs(values), return_inverse=True)
    totals = np.bincount(inverse, weights=weights).astype(np.int64)
    flipped = (2 * rng.binomial(totals, 0.5, size=(RESAMPLES, len(sizes))) - totals) @ sizes
    observed = abs(float(values @ weights))
    return float((1 + np.count_nonzero(np.abs(flipped) >= observed - 1e-9)) / (RESAMPLES + 1))
