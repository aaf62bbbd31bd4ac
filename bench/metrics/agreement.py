"""How far grades agree with people's labels: Kendall's tau-b, with an interval by resampling what was labelled.

tau-b = (concordant - discordant) / sqrt((pairs not tied in one) * (pairs not tied in the other)). A resample counts
each pair of items by how often both were drawn, so tau-b of all resamples comes from quadratic forms of these counts.

Source: Kendall, "The Treatment of Ties in Ranking Problems", Biometrika 33 (1945).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from bench.metrics.statistics import FEWEST, SEED
from bench.reading.numbers import number_of

RESAMPLES = 1000
BLOCK = 256
"""Items that are compared with all others at a time."""


@dataclass(frozen=True)
class RankAgreement:
    """Kendall's tau-b of grades and labels.

    Attributes:
        n: items with both.
        tau: -1 to 1; None where all grades, or all labels, are equal.
        ci95: 95 % percentile interval over resampled groups; None without tau, or of too few groups.
    """

    n: int
    tau: float | None
    ci95: tuple[float, float] | None

    @property
    def words(self) -> str:
        """All of it in words."""
        if self.tau is None:
            return f"none can be said of {self.n:,} labelled captions that are all alike"
        between = "{:.2f} to {:.2f}".format(*self.ci95) if self.ci95 else "none: too few videos"
        return f"Kendall's tau-b {self.tau:.2f} (95 % interval {between}), {number_of(self.n, 'caption')}"


def agreement(grades: Sequence[float], labels: Sequence[float], groups: Sequence[Hashable]) -> RankAgreement:
    """Returns how far grades (n,) and labels (n,) put items in the same order.

    Args:
        groups: (n,) what is drawn together, such as the captions of one video.
    """
    mine, theirs = np.asarray(grades, dtype=np.float64), np.asarray(labels, dtype=np.float64)
    whole = _taus(mine, theirs, np.ones((1, len(mine))))[0]
    if np.isnan(whole):
        return RankAgreement(len(mine), None, None)
    numbers = {group: number for number, group in enumerate(dict.fromkeys(groups))}
    if len(numbers) < FEWEST:
        return RankAgreement(len(mine), float(whole), None)
    drawn = np.random.default_rng(SEED).integers(0, len(numbers), (RESAMPLES, len(numbers)))
    times = np.stack([np.bincount(row, minlength=len(numbers)) for row in drawn])
    taus = _taus(mine, theirs, times[:, [numbers[group] for group in groups]].astype(np.float64))
    low, high = np.nanpercentile(taus, [2.5, 97.5])  # a resample of equal grades has no tau
    return RankAgreement(len(mine), float(whole), (float(low), float(high)))


def _taus(mine: np.ndarray, theirs: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Returns (R,) tau-b with each item counted `times` (R, n); NaN where all on one side are tied."""
    alike, untied_mine, untied_theirs = np.zeros((3, len(times)))
    for start in range(0, len(mine), BLOCK):
        rows = slice(start, start + BLOCK)
        above, beyond = (np.sign(values[rows, None] - values[None, :]) for values in (mine, theirs))
        for total, signs in ((alike, above * beyond), (untied_mine, above**2), (untied_theirs, beyond**2)):
            total += (times[:, rows] * (times @ signs.T)).sum(axis=1)
    below = np.sqrt(untied_mine * untied_theirs)
    return np.asarray(np.divide(alike, below, out=np.full(len(times), np.nan), where=below > 0))
