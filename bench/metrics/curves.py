"""Retrieval when only a fraction of clips or sentences is kept: a recall at each fraction, and the area under them.

The evidence of a curve holds the counts of every fraction, `t2v[keep=0.2]` and so on, queries in one order throughout.
The area is the mean height of the straight lines through the points, from the smallest fraction to 1: with fractions
f_1 < … < f_m and recalls y_i, sum over i of (f_{i+1} - f_i) (y_i + y_{i+1}) / 2, divided by f_m - f_1. In percent, as
the recalls. Being a weighted mean of them it has a value for each query, and its interval resamples videos like theirs.

Letters for shapes: `n` queries.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from bench.errors import VerificationError
from bench.metrics.names import FRACTIONS, MeasurementName, recalls_in
from bench.metrics.rank_statistics import expected_hits
from bench.metrics.retrieval import DIRECTIONS, check_evidence
from bench.metrics.statistics import Statistic, interval
from bench.results import Evidence, Measurement

CURVE_KS = (1, 5, 50)
"""The recalls of the paper's tables; those at any other K follow from the evidence."""


def joined(parts: Mapping[float, Evidence]) -> Evidence:
    """Returns one evidence of the evidence at each fraction."""
    return Evidence(
        counts={_key(way, keep): part.counts[way] for keep, part in parts.items() for way in DIRECTIONS},
        pool=next(iter(parts.values())).pool,
        n_items={_key(way, keep): part.n_items[way] for keep, part in parts.items() for way in DIRECTIONS},
    )


def is_curve(evidence: Evidence) -> bool:
    """Returns whether the evidence holds the counts of several fractions."""
    return any("[keep=" in name for name in evidence.counts)


def parts_of(evidence: Evidence) -> dict[float, Evidence]:
    """Returns the evidence at each fraction, the smallest first.

    Raises: VerificationError unless every fraction has both directions, and all of them the same number of queries.
    """
    wanted = {_key(way, keep) for keep in FRACTIONS for way in DIRECTIONS}
    if set(evidence.counts) != wanted or set(evidence.n_items) != wanted:
        raise VerificationError(
            f"evidence holds {', '.join(sorted(evidence.counts))}; expected t2v and v2t at {len(FRACTIONS)} fractions."
        )
    sizes = {*map(len, evidence.counts.values())}, {*evidence.n_items.values()}
    if max(map(len, sizes)) > 1:
        raise VerificationError("evidence of one curve has other queries or items at some fractions.")
    parts = {
        keep: Evidence(
            counts={way: evidence.counts[_key(way, keep)] for way in DIRECTIONS},
            pool=evidence.pool,
            n_items={way: evidence.n_items[_key(way, keep)] for way in DIRECTIONS},
        )
        for keep in FRACTIONS
    }
    for part in parts.values():
        check_evidence(part)
    return parts


def area_weights(fractions: Sequence[float]) -> np.ndarray:
    """Returns (m,) float64: what each point of a curve counts in the area under it; they add up to 1."""
    points = np.asarray(fractions, dtype=np.float64)
    gaps = np.diff(points)
    halves = np.concatenate([gaps, [0.0]]) + np.concatenate([[0.0], gaps])
    return np.asarray(halves / (2 * (points[-1] - points[0])))


def curve_statistics(evidence: Evidence, ks: Iterable[int] = CURVE_KS) -> dict[MeasurementName, Statistic]:
    """Returns what is measured: in each direction and for each K the recall at every fraction, then the area."""
    parts = parts_of(evidence)
    statistics: dict[MeasurementName, Statistic] = {}
    for way in DIRECTIONS:
        for k in ks:
            hits = {keep: 100.0 * expected_hits(part.counts[way], k) for keep, part in parts.items()}
            for keep, values in hits.items():
                statistics[MeasurementName(way, f"R@{k}", keep)] = Statistic(values, share=True)
            area = area_weights(tuple(hits)) @ np.stack(list(hits.values()))
            # The last bits of a sum differ for equal hits; nine digits tell distinct values apart.
            statistics[MeasurementName(way, f"R@{k}", area=True)] = Statistic(np.round(area, 9), share=True)
    return statistics


def measure_curve(evidence: Evidence, named: Iterable[str] = ()) -> tuple[Measurement, ...]:
    """Returns every measurement of a curve with its 95 % interval, and those of `named` that follow.

    Raises: VerificationError when the evidence contradicts itself, or the numbers what must hold for any ranking.
    """
    asked = {*named}
    ks = sorted({*CURVE_KS, *recalls_in(asked)})
    statistics = curve_statistics(evidence, ks)
    for way in DIRECTIONS:
        for keep in FRACTIONS:
            rising = [statistics[MeasurementName(way, f"R@{k}", keep)].value() for k in ks]
            if rising != sorted(rising) or not 0.0 <= rising[0] <= rising[-1] <= 100.0:
                raise VerificationError(f"{way} at {keep}: recalls {rising} do not rise from 0 to 100 with K.")
    return tuple(
        Measurement(
            name=str(name),
            value=statistic.value(),
            unit="percent",
            higher_is_better=True,
            ci95=interval(statistic),
            n=len(statistic.values),
        )
        for name, statistic in statistics.items()
        if str(name) in asked or int(name.metric.removeprefix("R@")) in CURVE_KS
    )


def curve_values(evidence: Evidence, name: MeasurementName) -> np.ndarray:
    """Returns (n,) float64, 0 to 1: what each query adds to the recall or area `name`, at any K.

    Raises: VerificationError for evidence of no curve; ValueError for a name that is neither.
    """
    parts, k = parts_of(evidence), int(name.metric.removeprefix("R@"))
    if name.area:
        hits = [expected_hits(part.counts[name.direction], k) for part in parts.values()]
        return np.asarray(np.round(area_weights(tuple(parts)) @ np.stack(hits), 11))
    if name.keep not in parts:
        raise ValueError(f"{name} is no point of the curve")
    return expected_hits(parts[name.keep].counts[name.direction], k)


def _key(direction: str, keep: float) -> str:
    return f"{direction}[keep={keep:.1f}]"
