"""What resampling queries with replacement would give: means by their exact distribution, ratios and medians by draws.

The bootstrap draws n of the n queries again and again and takes percentiles of what it finds. The sum of n draws is a
sum of n independent values, so its distribution follows from that of one value through its characteristic function: the
percentiles below are those of infinitely many resamples, in a few milliseconds, and need no seed. A resample of which
every value is equal teaches nothing, so a share of 0 or 100 % gets the interval of Clopper and Pearson.

Where a query is a video with a number of captions of its own, a resample of videos draws that number with it: the mean
over captions is a ratio of two sums, which no resample takes outside the values.

Letters for shapes: `n` queries, `R` resamples, `M` points of a lattice.

Source: Clopper and Pearson, "The Use of Confidence or Fiducial Limits Illustrated in the Case of the Binomial",
Biometrika 26 (1934); with unequal weights Buehler, "Confidence Intervals for the Product of Two Binomial Parameters",
JASA 52 (1957); of whole clusters Field and Welsh, "Bootstrapping Clustered Data", JRSS B 69 (2007).
"""

from __future__ import annotations

import math

import numpy as np

TAIL = 0.025
"""What lies beyond each end of a 95 % interval."""
_FINE = 32
"""Points of a lattice in a standard deviation of the values, where these have no coarser lattice of their own."""
_DRAWS = 1 << 20
"""Queries drawn at a time: their numbers fit a processor's cache."""
_WIDE = 8
"""Standard deviations of the sum on either side of its expectation: what lies beyond is below 1e-9, or 1e-4 where
single values outweigh all others."""


def mean_interval(values: np.ndarray) -> tuple[float, float]:
    """Returns the 2.5 and 97.5 percentiles of the mean of n draws with replacement of the n `values` (n,)."""
    means, chances = mean_distribution(values)
    below = np.cumsum(chances)
    low, high = np.searchsorted(below, [TAIL, 1.0 - TAIL])
    return float(means[low]), float(means[min(int(high), len(means) - 1)])


def mean_distribution(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the means (M,) that n draws with replacement of the n `values` can have, rising, and their chances (M,).

    Values that do not lie on a lattice of their own are shared out between the two nearest points of a fine one: the
    expectation stays, the standard deviation grows by at most 0.02 %.
    """
    smallest, largest = float(values.min()), float(values.max())
    exponent = math.frexp(max(abs(smallest), abs(largest)))[1]
    values = np.ldexp(values, -exponent)  # the variance of tiny values would be 0; the tiniest lose their last bits
    n, low, high, spread = len(values), float(values.min()), float(values.max()), float(values.std())
    if spread <= 1e-12 * max(abs(low), abs(high)):  # equal, or apart by the last bits of a sum
        return np.array([smallest]), np.ones(1)
    step = _lattice(values, spread)
    places = (values - low) / step
    size = 1 << math.ceil(2 * _WIDE * spread / step * math.sqrt(n) + 32).bit_length()  # fast to transform
    first = round(n * float(places.mean())) - size // 2
    weights = np.zeros(size)
    floor = np.floor(places + 1e-9).astype(np.int64)
    share = np.clip(places - floor, 0.0, 1.0)
    np.add.at(weights, floor % size, (1.0 - share) / n)
    np.add.at(weights, (floor + 1) % size, share / n)
    chances = np.fft.irfft(np.fft.rfft(weights) ** n, size)
    sums = first + np.arange(size)
    chances = np.maximum(chances[sums % size], 0.0)
    means = np.ldexp(np.clip(low + step * sums / n, low, high), exponent)
    return np.clip(means, smallest, largest), chances / chances.sum()


def _lattice(values: np.ndarray, spread: float) -> float:
    """Returns the step of the lattice that the values lie on, or a fine one where theirs is finer or there is none."""
    rising = np.unique(values)
    gap = float(np.diff(rising).min())
    if gap < spread / _FINE:
        return spread / _FINE
    steps = (rising - rising[0]) / gap
    return gap if np.abs(steps - np.rint(steps)).max() < 1e-9 else spread / _FINE


def ratio_interval(
    values: np.ndarray, weights: np.ndarray, resamples: int, rng: np.random.Generator
) -> tuple[float, float]:
    """Returns the 2.5 and 97.5 percentiles of the weighted mean, over draws of n of the n `values` with their weights.

    Args:
        values: (n,) float64, such as the recall of the captions of each video.
        weights: (n,) above 0, such as how many captions each video has.
    """
    n, ratios = len(values), np.empty(resamples)
    step = max(1, _DRAWS // n)
    for start in range(0, resamples, step):
        drawn = rng.integers(0, n, size=(len(ratios[start : start + step]), n))
        ratios[start : start + step] = (values * weights)[drawn].sum(axis=1) / weights[drawn].sum(axis=1)
    return percentile_interval(np.clip(ratios, values.min(), values.max()))


def sure_interval(value: float, weights: np.ndarray) -> tuple[float, float]:
    """Returns the interval in percent of a mean of 0 or 100 % (`value`) over queries that count by `weights` (n,).

    It reaches as far as the least likely shares under which all n queries would still come out alike in 2.5 of 100
    tests: with equal weights those of Clopper and Pearson, else more, as one heavy query may have been lucky (Buehler).
    """
    unseen = 100.0 * _unseen(weights)
    return (0.0, unseen) if value == 0.0 else (100.0 - unseen, 100.0)


def _unseen(weights: np.ndarray) -> float:
    """Returns the largest sum of w_i (1 - q_i) with q_1 q_2 … q_n = 2.5 %, for weights that add up to 1.

    At the largest, q_i = min(1, level / w_i): of the m heaviest queries each fails just as often as pays.
    """
    heaviest = np.sort(weights)[::-1] / weights.sum()
    n = len(heaviest)
    if weights.min() == weights.max():
        return 1.0 - math.pow(TAIL, 1.0 / n)
    levels = np.exp((math.log(TAIL) + np.log(heaviest).cumsum()) / np.arange(1, n + 1))
    m = int(np.count_nonzero(levels < heaviest))
    return float(heaviest[:m].sum() - m * levels[m - 1])


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
    low, high = np.quantile(values, [TAIL, 1.0 - TAIL], method="inverted_cdf")
    return float(low), float(high)
