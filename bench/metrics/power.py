"""What a test set can resolve: the smallest difference it shows, ranks as intervals, and how many videos would do.

The normal approximation to the paired test: with n units and paired differences of standard deviation s, a true
difference of (z_0.975 + z_0.8) s / sqrt(n) is called significant at 5 % in four of five repetitions.

Sources: Lehr, "Sixteen S-squared over D-squared", Statistics in Medicine 11 (1992), for the rule; Mogstad, Romano,
Shaikh and Wilhelm, "Inference for Ranks with Applications to Mobility across Neighbourhoods and Academic Achievement
across Countries", Review of Economic Studies 91 (2024), for intervals of ranks from simultaneous comparisons.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

from bench.metrics.comparisons import LEVEL, holm, p_value_of

POWER = 0.8
"""How often a difference that is there is to be seen."""
REACH = NormalDist().inv_cdf(1 - LEVEL / 2) + NormalDist().inv_cdf(POWER)


def detectable(spread: float, n: int) -> float:
    """Returns the smallest difference that n units show with a power of 80 %.

    Args:
        spread: standard deviation of the paired differences, one for each unit.
        n: units compared.
    """
    return REACH * spread / math.sqrt(n)


def units_needed(difference: float, spread: float) -> float:
    """Returns how many units show a difference of this size with a power of 80 %; infinite for none."""
    return math.inf if difference == 0.0 else (REACH * spread / difference) ** 2


def rank_intervals(rows: Sequence[np.ndarray], *, higher_is_better: bool = True) -> list[tuple[int, int]]:
    """Returns the ranks, from 1, that each row may have: below all that are shown to be better, above all worse.

    The interval of one row holds its rank with 95 %: its comparisons with all others are corrected by Holm's rule.

    Args:
        rows: one (n,) array of values for each row, seeds averaged, units in the same order.
        higher_is_better: which of two means is better.
    """
    upwards = 1.0 if higher_is_better else -1.0
    p_values, better = {}, {}
    for i in range(len(rows)):
        for j in range(i + 1, len(rows)):
            differences = rows[i] - rows[j]
            p_values[i, j] = p_values[j, i] = p_value_of(differences)
            better[i, j] = upwards * float(differences.mean()) > 0.0
            better[j, i] = not better[i, j]
    intervals = []
    for i in range(len(rows)):
        others = [j for j in range(len(rows)) if j != i]
        adjusted = holm([p_values[i, j] for j in others])
        told_apart = [j for j, p in zip(others, adjusted, strict=True) if p < LEVEL]
        behind = sum(better[j, i] for j in told_apart)
        intervals.append((1 + behind, len(rows) - (len(told_apart) - behind)))
    return intervals
