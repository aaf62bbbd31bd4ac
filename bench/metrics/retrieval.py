"""Recall at K, median and mean rank, from evidence: per query how many items score above and equal to the right one.

With g items above the right one and e others equal to it, ties are broken at random and the expectation is reported:
the query is found among the first k with probability clip((k - g) / (e + 1), 0, 1), and its expected rank is
1 + g + e/2. Where nothing ties this equals the published scorers; a constant model gets exactly k/N.

Source for MedR: floor(median of ranks counted from 0) + 1, as in the code of Zhang, Hu and Sha (ECCV 2018).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bench.errors import VerificationError
from bench.metrics.statistics import Statistic, interval
from bench.results import Evidence, Measurement, same_value

DIRECTIONS = ("t2v", "v2t")
"""`t2v`: a paragraph asks for its video; `v2t`: a video asks for its paragraph."""
KS = (1, 5, 10, 50)


def expected_hits(counts: np.ndarray, k: int) -> np.ndarray:
    """Returns (n,) float64: the probability that each query finds its item among the first `k`, ties at random.

    Args:
        counts: (n, >=2) integers: items above, items equal.
    """
    greater, equal = counts[:, 0].astype(np.float64), counts[:, 1].astype(np.float64)
    return np.asarray(np.clip((k - greater) / (equal + 1), 0.0, 1.0))


def optimistic_hits(counts: np.ndarray, k: int) -> np.ndarray:
    """Returns (n,) float64 of 0 and 1: found among the first `k` when every tie falls in the query's favour."""
    return np.asarray(counts[:, 0] < k, dtype=np.float64)


def pessimistic_hits(counts: np.ndarray, k: int) -> np.ndarray:
    """Returns (n,) float64 of 0 and 1: found among the first `k` when every tie falls against the query."""
    return np.asarray(counts[:, 0].astype(np.int64) + counts[:, 1] < k, dtype=np.float64)


def recall(counts: np.ndarray, k: int, hits: Callable[[np.ndarray, int], np.ndarray] = expected_hits) -> float:
    """Returns R@k in percent under the tie rule `hits`."""
    return float(100.0 * hits(counts, k).mean())


def ranks_from_zero(counts: np.ndarray) -> np.ndarray:
    """Returns (n,) float64: the expected number of items above the right one, g + e/2."""
    return np.asarray(counts[:, 0] + counts[:, 1] / 2.0, dtype=np.float64)


def statistics_of(counts: np.ndarray) -> dict[str, Statistic]:
    """Returns what is measured in one direction, by name."""
    ranks = ranks_from_zero(counts)
    recalls = {f"R@{k}": Statistic(100.0 * expected_hits(counts, k)) for k in KS}
    return {**recalls, "MedR": Statistic(ranks, median=True), "MeanR": Statistic(ranks + 1.0)}


def measure(evidence: Evidence) -> tuple[Measurement, ...]:
    """Returns every measurement of `evidence`, each with its 95 % interval; percent are 0-100, ranks start at 1.

    Raises: VerificationError when the evidence contradicts itself.
    """
    check_evidence(evidence)
    measurements = []
    for direction in DIRECTIONS:
        counts = evidence.counts[direction]
        for name, statistic in statistics_of(counts).items():
            measurements.append(
                Measurement(
                    name=f"{direction}/{name}",
                    value=statistic.value(),
                    unit="percent" if name.startswith("R@") else "rank",
                    higher_is_better=name.startswith("R@"),
                    ci95=interval(statistic),
                    n=len(counts),
                )
            )
    return tuple(measurements)


def check_evidence(evidence: Evidence) -> None:
    """Raises VerificationError unless both directions hold counts that a ranking can give."""
    if set(evidence.counts) != set(DIRECTIONS) or set(evidence.n_items) != set(DIRECTIONS):
        raise VerificationError(
            f"evidence holds directions {sorted(evidence.counts)}; expected t2v and v2t. Re-create it: `bench rescore`."
        )
    for direction in DIRECTIONS:
        counts, n_items = evidence.counts[direction], evidence.n_items[direction]
        if counts.ndim != 2 or counts.shape[1] != 3 or not len(counts) or counts.dtype != np.uint32:
            raise VerificationError(
                f"evidence {direction} is {counts.dtype} {counts.shape}; expected uint32 (n, 3). Re-create it: "
                "`bench rescore`."
            )
        bad = np.flatnonzero((counts.sum(axis=1, dtype=np.int64) > n_items) | (counts[:, 2] != 1))
        if bad.size:
            raise VerificationError(
                f"evidence {direction}: query {bad[0]} has counts {counts[bad[0]].tolist()} among {n_items} items, "
                "which no ranking gives. Re-create it: `bench rescore`."
            )


def verify(evidence: Evidence, measurements: tuple[Measurement, ...]) -> None:
    """Checks measurements against their evidence and against what must hold for any ranking.

    Raises: VerificationError naming the first measurement that differs or cannot be.
    """
    check_evidence(evidence)
    reported = {measurement.name: measurement for measurement in measurements}
    for direction in DIRECTIONS:
        counts = evidence.counts[direction]
        for name, statistic in statistics_of(counts).items():
            full = f"{direction}/{name}"
            if full not in reported:
                raise VerificationError(f"the record lacks {full}. Re-create it: `bench rescore`.")
            if not same_value(reported[full].value, statistic.value()):
                raise VerificationError(
                    f"{full} is {reported[full].value!r} in the record but {statistic.value()!r} from its evidence. "
                    "The record was edited or belongs to other evidence; re-create it: `bench rescore`."
                )
        _check_ranking(direction, counts, {name: reported[f"{direction}/{name}"] for name in statistics_of(counts)})


def _check_ranking(direction: str, counts: np.ndarray, reported: dict[str, Measurement]) -> None:
    n = len(counts)
    rising = [reported[f"R@{k}"].value for k in KS]
    if rising != sorted(rising) or not 0.0 <= rising[0] <= rising[-1] <= 100.0:
        raise VerificationError(f"{direction}: recalls {rising} do not rise from 0 to 100 with K.")
    for name in ("MedR", "MeanR"):
        if not 1.0 <= reported[name].value <= n:
            raise VerificationError(f"{direction}/{name} is {reported[name].value}, outside 1 to {n}.")
    for k in KS:
        low, high = recall(counts, k, pessimistic_hits), recall(counts, k, optimistic_hits)
        if not low - 1e-9 <= reported[f"R@{k}"].value <= high + 1e-9:
            raise VerificationError(f"{direction}/R@{k} lies outside its bounds under ties, {low} to {high}.")
        for bound in (low, high):
            found = bound * n / 100.0
            if abs(found - round(found)) > 1e-6:
                raise VerificationError(f"{direction}/R@{k}: {bound} % of {n} queries is no whole number of queries.")
    if any(measurement.n != n for measurement in reported.values()):
        raise VerificationError(f"{direction}: a measurement does not state n = {n}, the number of its queries.")
