"""Recall at K, median and mean rank, from evidence: per query how many items score above and equal to the right one.

With g items above the right one and e others equal to it, ties are broken at random and the expectation is reported:
the query is found among the first k with probability clip((k - g) / (e + 1), 0, 1), and its expected rank is
1 + g + e/2. Where nothing ties this equals the published scorers; a constant model gets exactly k/N.

Where a query has several right items, its rank is that of the best of them among the wrong ones, and the measurement
says so: `v2t/any-hit R@1`. Where a video has several captions, v2t is measured by a second convention too, under
another name: `v2t/best-caption R@1` ranks videos, each by the best of its captions. R@1 is the same by both where
nothing ties; further down a video with many captions takes many places by the first and one by the second. Videos are
resampled, not captions.

Source for MedR: floor(median of ranks counted from 0) + 1, as in the code of Zhang, Hu and Sha (ECCV 2018).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from bench.errors import VerificationError
from bench.metrics.names import recalls_in
from bench.metrics.statistics import Statistic, ci95, of_clusters
from bench.results import Evidence, Measurement

DIRECTIONS = ("t2v", "v2t")
"""`t2v`: a paragraph asks for its video; `v2t`: a video asks for its paragraph."""
BEST_CAPTION = "v2t/best-caption"
"""A video asks for itself among the videos, each of which counts by the best of its captions."""
KS = (1, 5, 10, 50)
ANY_HIT = "any-hit "


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


def statistics_of(counts: np.ndarray, ks: Sequence[int] = KS) -> dict[str, Statistic]:
    """Returns what is measured in one direction, by name; `any-hit` in it where a query has several right items."""
    ranks = ranks_from_zero(counts)
    recalls = {f"R@{k}": Statistic(100.0 * expected_hits(counts, k), share=True) for k in ks}
    found = {**recalls, "MedR": Statistic(ranks, summary="median rank"), "MeanR": Statistic(ranks + 1.0)}
    prefix = hit_rule(counts)
    return {prefix + name: statistic for name, statistic in found.items()}


def hit_rule(counts: np.ndarray) -> str:
    """Returns `any-hit ` when some query has several right items, else nothing."""
    return ANY_HIT if counts.shape[1] > 2 and bool((counts[:, 2] > 1).any()) else ""


def captions_of_videos(evidence: Evidence) -> np.ndarray | None:
    """Returns (videos,) how many neighbouring t2v queries each video has, or None where each video has one."""
    if "v2t" not in evidence.counts or not hit_rule(evidence.counts["v2t"]):
        return None
    captions = evidence.counts["v2t"][:, 2].astype(np.int64)
    return captions if captions.sum() == len(evidence.counts["t2v"]) else None


def measure(evidence: Evidence, named: Iterable[str] = ()) -> tuple[Measurement, ...]:
    """Returns every measurement of `evidence`, each with its 95 % interval; percent are 0-100, ranks start at 1.

    Args:
        named: names of measurements; of the recalls among them those at a K beyond `KS` are measured as well.

    Raises: VerificationError when the evidence contradicts itself, or the numbers what must hold for any ranking.
    """
    check_evidence(evidence)
    captions = captions_of_videos(evidence)
    ks = sorted({*KS, *recalls_in(named)})
    measurements = []
    for direction in directions_of(evidence):
        counts = evidence.counts[direction]
        statistics = statistics_of(counts, ks)
        _check_ranking(direction, evidence, ks, statistics)
        for name, statistic in statistics.items():
            measurements.append(
                Measurement(
                    name=full_name(direction, name),
                    value=statistic.value(),
                    unit="percent" if "R@" in name else "rank",
                    higher_is_better="R@" in name,
                    ci95=_interval(statistic, captions if direction == "t2v" else None),
                    n=len(counts),
                )
            )
    return tuple(measurements)


def _interval(statistic: Statistic, captions: np.ndarray | None) -> tuple[float, float] | None:
    if captions is None:
        return ci95(statistic)
    # Better no interval of a median over captions than one that takes them for as many videos.
    return None if statistic.summary != "mean" else ci95(of_clusters(statistic, captions))


def directions_of(evidence: Evidence) -> tuple[str, ...]:
    """Returns the directions that were measured, `t2v` first; v2t by videos' best captions is one of its own."""
    return tuple(direction for direction in (*DIRECTIONS, BEST_CAPTION) if direction in evidence.counts)


def full_name(direction: str, name: str) -> str:
    """Returns the name of a measurement in one direction: `t2v/R@1`, `v2t/best-caption R@1`."""
    return f"{direction} {name}" if direction == BEST_CAPTION else f"{direction}/{name}"


def check_evidence(evidence: Evidence) -> None:
    """Raises VerificationError unless every direction holds counts that a ranking can give."""
    directions = directions_of(evidence)
    if not directions or set(evidence.counts) != set(evidence.n_items) or set(evidence.counts) - set(directions):
        raise VerificationError(
            f"evidence holds directions {sorted(evidence.counts)} among items of {sorted(evidence.n_items)}; expected "
            "t2v and v2t, or one of them."
        )
    for direction in directions:
        counts, n_items = evidence.counts[direction], evidence.n_items[direction]
        if counts.ndim != 2 or counts.shape[1] != 3 or not len(counts) or counts.dtype != np.uint32:
            raise VerificationError(f"evidence {direction} is {counts.dtype} {counts.shape}; expected uint32 (n, 3).")
        bad = np.flatnonzero((counts.sum(axis=1, dtype=np.int64) > n_items) | (counts[:, 2] < 1))
        if bad.size:
            raise VerificationError(
                f"evidence {direction}: query {bad[0]} has counts {counts[bad[0]].tolist()} among {n_items} items, "
                "which no ranking gives."
            )
    if BEST_CAPTION in directions:
        _check_best_captions(evidence)


def _check_best_captions(evidence: Evidence) -> None:
    """Raises VerificationError unless the two ways to count v2t can be of the same similarities."""
    videos, captions = evidence.counts[BEST_CAPTION].astype(np.int64), evidence.counts.get("v2t")
    if captions is None or len(captions) != len(videos) or evidence.n_items[BEST_CAPTION] != len(videos):
        raise VerificationError(f"evidence {BEST_CAPTION} is of {len(videos)} videos, and that of v2t is not.")
    above = captions[:, 0].astype(np.int64)
    bad = np.flatnonzero((videos[:, 0] > above) | ((videos[:, 0] > 0) != (above > 0)) | (videos[:, 2] != 1))
    if bad.size:
        raise VerificationError(
            f"evidence {BEST_CAPTION}: query {bad[0]} has {videos[bad[0], 0]} videos above it, by {above[bad[0]]} "
            "captions that score higher, which no similarities give."
        )


def _check_ranking(direction: str, evidence: Evidence, ks: Sequence[int], statistics: Mapping[str, Statistic]) -> None:
    counts, n_items = evidence.counts[direction], evidence.n_items[direction]
    n, prefix = len(counts), hit_rule(counts)
    rising = [statistics[f"{prefix}R@{k}"].value() for k in ks]
    if rising != sorted(rising) or not 0.0 <= rising[0] <= rising[-1] <= 100.0:
        raise VerificationError(f"{direction}: recalls {rising} do not rise from 0 to 100 with K.")
    for name in ("MedR", "MeanR"):
        value = statistics[f"{prefix}{name}"].value()
        if not 1.0 <= value <= n_items:
            raise VerificationError(f"{direction}/{name} is {value}, outside 1 to {n_items}.")
    for k, value in zip(ks, rising, strict=True):
        low, high = recall(counts, k, pessimistic_hits), recall(counts, k, optimistic_hits)
        if not low - 1e-9 <= value <= high + 1e-9:
            raise VerificationError(f"{direction}/R@{k} lies outside its bounds under ties, {low} to {high}.")
        for bound in (low, high):
            found = bound * n / 100.0
            if abs(found - round(found)) > 1e-6:
                raise VerificationError(f"{direction}/R@{k}: {bound} % of {n} queries is no whole number of queries.")
