"""What is measured of ranks, by name: `R@K`, `P@K`, `nDCG@K`, `MRR`, `MedR` and `MeanR`, of which any K follows.

With g items above the right one and e others equal to it, ties are broken at random, so that its rank is uniform on
g + 1 … g + e + 1, and the expectation over them is reported. Where a query has several right items, g and e are those
of the best of them among the wrong ones: enough for R@K, MRR and the ranks, which ask for the first right item. P@K and
nDCG@K ask for all of them: each right item then has a g and an e of its own, among all other items, and the expectation
of the sum is the sum of theirs (`bench.metrics.right_items`).

    R@K     a right item is among the first K, percent: the expectation is clip((K - g) / (e + 1), 0, 1)
    P@K     the share of the first K items that is right, percent: with one right item R@K / K
    nDCG@K  the sum of grade / log2(1 + rank) over right items among the first K, in percent of that of the best order;
            every grade is 1 where none is given, and that of the best order 1 for one right item
    MRR     the mean of 1 / rank, percent: the expectation is (H(g + e + 1) - H(g)) / (e + 1), H harmonic numbers
    MedR    floor(median of the expected ranks counted from 0) + 1
    MeanR   the mean of the expected ranks, 1 + g + e/2

Source: P@K, nDCG@K and MRR as in trec_eval (`P`, `ndcg_cut`, `recip_rank`), which breaks ties by document id instead;
nDCG with the gains of Järvelin and Kekäläinen, "Cumulated Gain-based Evaluation of IR Techniques", TOIS 20 (2002),
which are the grades themselves, and the discount 1 / log2(1 + rank); expectations over ties after McSherry and Najork,
"Computing Information Retrieval Performance Measures Efficiently in the Presence of Tied Scores", ECIR 2008.

Letters for shapes: `n` queries.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from bench.metrics.right_items import RightItems
from bench.metrics.statistics import Statistic

KS = (1, 5, 10, 50)
"""The K of the columns that are there unasked."""
_FAMILIES = ("R", "P", "nDCG", "MRR", "MedR", "MeanR")
_OF_ALL_RIGHT = ("P", "nDCG")
_METRIC = re.compile(r"(?:(?P<family>R|P|nDCG)@(?P<k>[1-9][0-9]{0,8}))|(?P<whole>MRR|MedR|MeanR)")
FORMS = "R@K, P@K or nDCG@K for any K, MRR, MedR or MeanR"


@dataclass(frozen=True)
class RankMetric:
    """A measurement of ranks: `R@100` is of the family `R` with the cut-off 100; 0 for those without one."""

    family: str
    k: int = 0

    def __str__(self) -> str:
        return f"{self.family}@{self.k}" if self.k else self.family

    @property
    def place(self) -> tuple[int, int]:
        """Where it stands among others: by family, then by K."""
        return _FAMILIES.index(self.family), self.k

    @property
    def in_ranks(self) -> bool:
        """Whether it is a rank, of which less is better, and no percentage."""
        return self.family in ("MedR", "MeanR")

    @property
    def of_all_right(self) -> bool:
        """Whether it asks for all right items of a query, not for the first that is found."""
        return self.family in _OF_ALL_RIGHT


DEFAULT = (*(RankMetric("R", k) for k in KS), RankMetric("MedR"), RankMetric("MeanR"))
"""What is measured unasked."""


def parse_metric(text: str) -> RankMetric | None:
    """Returns a measurement of ranks taken apart, or None for any other text."""
    match = _METRIC.fullmatch(text)
    return match and RankMetric(match["family"] or match["whole"], int(match["k"] or 0))


def statistic_of(counts: np.ndarray, metric: RankMetric, right: RightItems | None = None) -> Statistic | None:
    """Returns a measurement, or None where the counts do not say it.

    Args:
        counts: (n, >=2) integers: items above, items equal; in a third column how many items are right, 1 if left out.
        right: all right items, where some query has several.
    """
    several = counts.shape[1] > 2 and bool((counts[:, 2] > 1).any())
    if metric.of_all_right and several:
        if right is None:
            return None
        return Statistic(100.0 * _of_all_right(right, metric), share=True)
    if metric.family == "MedR":
        return Statistic(ranks_from_zero(counts), summary="median rank")
    if metric.family == "MeanR":
        return Statistic(ranks_from_zero(counts) + 1.0)
    return Statistic(100.0 * _values_of(counts, metric), share=True)


def _of_all_right(right: RightItems, metric: RankMetric) -> np.ndarray:
    """Returns (n,) float64, 0 to 1: P@K or nDCG@K of queries with several right items, in expectation over ties."""
    if metric.family == "P":
        return right.summed(expected_hits(right.counts, metric.k)) / metric.k
    gains = expected_gains(right.counts, metric.k) * (1.0 if right.gains is None else right.gains)
    best = right.ideal(_discounts(int(right.sizes.max()), metric.k))
    return np.asarray(np.minimum(right.summed(gains) / best, 1.0))


def _values_of(counts: np.ndarray, metric: RankMetric) -> np.ndarray:
    """Returns (n,) float64, 0 to 1: what each query adds to a measurement that is no rank."""
    if metric.family == "MRR":
        return expected_reciprocals(counts)
    if metric.family == "nDCG":
        return expected_gains(counts, metric.k)
    return expected_hits(counts, metric.k) / (metric.k if metric.family == "P" else 1)


def expected_hits(counts: np.ndarray, k: int) -> np.ndarray:
    """Returns (n,) float64: the probability that each query finds its item among the first `k`, ties at random.

    Args:
        counts: (n, >=2) integers: items above, items equal.
    """
    greater, equal = counts[:, 0].astype(np.float64), counts[:, 1].astype(np.float64)
    return np.asarray(np.clip((k - greater) / (equal + 1), 0.0, 1.0))


def ranks_from_zero(counts: np.ndarray) -> np.ndarray:
    """Returns (n,) float64: the expected number of items above the right one, g + e/2."""
    return np.asarray(counts[:, 0] + counts[:, 1] / 2.0, dtype=np.float64)


def expected_reciprocals(counts: np.ndarray) -> np.ndarray:
    """Returns (n,) float64 above 0, at most 1: the expectation of 1 / rank of each query, ties at random."""
    last = int(counts[:, :2].sum(axis=1, dtype=np.int64).max(initial=0)) + 1
    return _mean_over_ties(counts, 1.0 / np.arange(1, last + 1))


def expected_gains(counts: np.ndarray, k: int) -> np.ndarray:
    """Returns (n,) float64, 0 to 1: the expectation of 1 / log2(1 + rank) among the first `k`, over ties."""
    last = int(counts[:, :2].sum(axis=1, dtype=np.int64).max(initial=0)) + 1
    return _mean_over_ties(counts, _discounts(last, k))


def _discounts(last: int, k: int) -> np.ndarray:
    """Returns (last,) float64: what a right item counts at each rank from 1, nothing beyond `k`."""
    ranks = np.arange(1, last + 1)
    return np.where(ranks <= k, 1.0 / np.log2(1.0 + ranks), 0.0)


def _mean_over_ties(counts: np.ndarray, at_rank: np.ndarray) -> np.ndarray:
    """Returns (n,) float64: the mean of `at_rank` (ranks,), what each rank from 1 is worth, over the ranks of a tie."""
    greater, equal = counts[:, 0].astype(np.int64), counts[:, 1].astype(np.int64)
    sums = np.concatenate([[0.0], np.cumsum(at_rank)])
    tied = (sums[greater + equal + 1] - sums[greater]) / (equal + 1)
    return np.where(equal == 0, at_rank[greater], tied)
