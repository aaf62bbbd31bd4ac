"""Recall when wrong answers that people judged right count as well, from a stratified sample of queries.

A query of which no annotated answer is among the first K is a miss; it is a false negative where one of its first K is
right all the same. People judge the first K of a sample of misses, drawn by strata of the rank of the annotated answer.
With N queries, N_h misses in stratum h, of which n_h were judged and a share p_h was found right,

    recall with judgements = R@K + sum_h (N_h / N) p_h

which is the stratified mean of a finite population, without bias for any N_h. Its interval joins the limits l_h and u_h
of the strata, with differences from p_h added in squares and weights W_h = N_h / N:

    lower = estimate - sqrt(sum_h W_h^2 (p_h - l_h)^2),  upper = estimate + sqrt(sum_h W_h^2 (u_h - p_h)^2)

where l_h and u_h are Wilson's for n_h (N_h - 1) / (N_h - n_h) judged queries, which is the correction for a finite
population: a stratum that was judged whole adds nothing. A stratum of which nothing was judged is joined with the one
beside it, on the side of better ranks. The interval says what judging a sample leaves open, and nothing of other
videos, or of judges who err.

Source: Cochran, Sampling Techniques, 3rd ed. (1977), chapters 3 and 5 (estimate and finite populations); Wilson,
"Probable Inference, the Law of Succession, and Statistical Inference", JASA 22 (1927); Zou, Huang and Zhang, "A note on
confidence interval estimation for a linear function of binomial proportions", CSDA 53 (2009), which joins such limits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

Z = 1.959963984540054
"""Of 95 %, two-sided."""


@dataclass(frozen=True)
class JudgedStratum:
    """Misses of like ranks.

    Attributes:
        misses: how many there are, at least as many as were judged.
        gains: of each that was judged, what it adds: 0 where it stays a miss; 1, or with ties what is lacking to 1.
    """

    misses: int
    gains: tuple[float, ...]

    @property
    def share(self) -> float:
        """The mean of what was judged."""
        return math.fsum(self.gains) / len(self.gains)

    def limits(self) -> tuple[float, float]:
        """Returns the 95 % limits of the mean over all misses, 0 to 1."""
        n, share = len(self.gains), min(1.0, max(0.0, self.share))
        if n == self.misses:
            return share, share
        known = n * (self.misses - 1) / (self.misses - n)
        widened = 1.0 + Z * Z / known
        centre = (share + Z * Z / (2.0 * known)) / widened
        half = Z * math.sqrt(share * (1.0 - share) / known + (Z / (2.0 * known)) ** 2) / widened
        return max(0.0, centre - half), min(1.0, centre + half)


@dataclass(frozen=True)
class JudgedRecall:
    """A recall with judgements, percent, its interval, and how many queries were judged."""

    value: float
    ci95: tuple[float, float]
    judged: int


def judged_recall(recall: float, n: int, strata: Sequence[JudgedStratum]) -> JudgedRecall | None:
    """Returns the recall with judgements; None where there are misses and nothing was judged.

    Args:
        recall: of the annotations alone, percent.
        n: all queries.
        strata: the misses, best ranks first.
    """
    joined = _joined(strata)
    if joined is None:
        return None
    value, below, above = recall / 100.0, 0.0, 0.0
    for stratum in joined:
        weight, (low, high) = stratum.misses / n, stratum.limits()
        value += weight * stratum.share
        below += (weight * (stratum.share - low)) ** 2
        above += (weight * (high - stratum.share)) ** 2
    bounds = max(recall / 100.0, value - math.sqrt(below)), min(1.0, value + math.sqrt(above))
    judged = sum(len(stratum.gains) for stratum in joined)
    return JudgedRecall(100.0 * value, (100.0 * bounds[0], 100.0 * bounds[1]), judged)


def _joined(strata: Sequence[JudgedStratum]) -> list[JudgedStratum] | None:
    """Returns strata that were judged, those beside them that were not joined to them; None where none was."""
    joined: list[JudgedStratum] = []
    for stratum in (one for one in strata if one.misses):
        if joined and (not stratum.gains or not joined[-1].gains):
            last = joined.pop()
            stratum = JudgedStratum(last.misses + stratum.misses, last.gains + stratum.gains)
        joined.append(stratum)
    return None if joined and not joined[0].gains else joined
