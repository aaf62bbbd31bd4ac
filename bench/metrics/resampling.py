"""What resampling queries with replacement would give: means by their exact distribution, medians by draws.

The bootstrap draws n of the n queries again and again and takes percentiles of what it finds. The sum of n draws is a
sum of n independent values, so its distribution follows from that of one value through its characteristic function: the
percentiles below are those of infinitely many resamples, in a few milliseconds, and need no seed. A resample of which
every value is equal teaches nothing, so a share of 0 or 100 % gets the interval of Clopper and Pearson.

Letters for shapes: `n` queries, `R` resamples, `M` points of a lattice.

Source: Clopper and Pearson, "The Use of Confidence or Fiducial Limits Illustrated in the Case of the Binomial",
Biometrika 26 (1934).
"""

from __future__ import annotations

import math

import numpy as np

TAIL = 0.025
"""What lies beyond each end of a 95 % interval."""
_FINE = 32
"""Points of a lattice in a standard deviation of the values, where these have no coarser lattice of their own."""
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


def sure_interval(value: float, n: int) -> tuple[float, float]:
    """Returns the Clopper-Pearson interval in percent of a share of 0 or 100 % (`value`) among n queries."""
    unseen = 100.0 * (1.0 - math.pow(TAIL, 1.0 / n))
    return (0.0, unseen) if value == 0.0 else (100.0 - unseen, 100.0)


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
