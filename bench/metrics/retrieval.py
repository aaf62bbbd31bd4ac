"""Recalls and ranks from evidence: per query how many items score above and equal to the right one.

What is measured, and how ties count, is in `bench.metrics.rank_statistics`. Where nothing ties this equals the
published scorers; a constant model gets exactly k/N.

Where a query has several right items, its rank is that of the best of them among the wrong ones, and the measurement
says so: `v2t/any-hit R@1`; `v2t/P@10` and `v2t/nDCG@10` ask for all of them. Where a video has several captions, v2t is
measured by a second convention too, under another name: `v2t/best-caption R@1` ranks videos, each by the best of its
captions. R@1 is the same by both where nothing ties; further down a video with many captions takes many places by the
first and one by the second. Videos are resampled, not captions.

Source for MedR: floor(median of ranks counted from 0) + 1, as in the code of Zhang, Hu and Sha (ECCV 2018).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial

import numpy as np

from bench.errors import VerificationError
from bench.metrics.missing import MISSING, bounds_of, check_missing
from bench.metrics.rank_statistics import DEFAULT, RankMetric, expected_hits, parse_metric, statistic_of
from bench.metrics.right_items import VIDEO, RightItems, check_companions, is_companion, right_items_of
from bench.metrics.statistics import Statistic, interval, of_clusters
from bench.reading.numbers import number_of
from bench.results import Evidence, Measurement

DIRECTIONS = ("t2v", "v2t")
"""`t2v`: a paragraph asks for its video; `v2t`: a video asks for its paragraph."""
BEST_CAPTION = "v2t/best-caption"
"""A video asks for itself among the videos, each of which counts by the best of its captions."""
ANY_HIT = "any-hit "


def optimistic_hits(counts: np.ndarray, k: int) -> np.ndarray:
    """Returns (n,) float64 of 0 and 1: found among the first `k` when every tie falls in the query's favour."""
    return np.asarray(counts[:, 0] < k, dtype=np.float64)


def pessimistic_hits(counts: np.ndarray, k: int) -> np.ndarray:
    """Returns (n,) float64 of 0 and 1: found among the first `k` when every tie falls against the query."""
    return np.asarray(counts[:, 0].astype(np.int64) + counts[:, 1] < k, dtype=np.float64)


def recall(counts: np.ndarray, k: int, hits: Callable[[np.ndarray, int], np.ndarray] = expected_hits) -> float:
    """Returns R@k in percent under the tie rule `hits`."""
    return float(100.0 * hits(counts, k).mean())


def hit_rule(counts: np.ndarray) -> str:
    """Returns `any-hit ` when some query has several right items, else nothing."""
    return ANY_HIT if counts.shape[1] > 2 and bool((counts[:, 2] > 1).any()) else ""


def owners_of(evidence: Evidence, direction: str) -> np.ndarray | None:
    """Returns (n,) the number of the video that each query belongs to, or None where no two belong to one.

    A video that asks belongs to itself. Texts are told by `t2v/video`; where the evidence lacks it, and the right texts
    of all videos are together as many as the queries, the texts of a video stand beside one another.
    """
    if direction != "t2v":
        return None
    if (owners := evidence.counts.get(f"t2v/{VIDEO}")) is not None:
        return owners.astype(np.int64)
    if "v2t" not in evidence.counts or not hit_rule(evidence.counts["v2t"]):
        return None
    captions = evidence.counts["v2t"][:, 2].astype(np.int64)
    together = captions.sum() == len(evidence.counts["t2v"])
    return np.repeat(np.arange(len(captions)), captions) if together else None


def of_videos(statistic: Statistic, owners: np.ndarray) -> Statistic:
    """Returns a mean over queries as one over the videos (n,) that they belong to."""
    order = np.argsort(owners, kind="stable")
    return of_clusters(Statistic(statistic.values[order], share=statistic.share), np.bincount(owners))


def measure(evidence: Evidence, named: Iterable[str] = ()) -> tuple[Measurement, ...]:
    """Returns every measurement of `evidence`, each with its 95 % interval; percent are 0-100, ranks start at 1.

    Args:
        named: names of measurements; those among them that follow are measured as well, such as `t2v/R@100`.

    Raises: VerificationError when the evidence contradicts itself, or the numbers what must hold for any ranking.
    """
    check_evidence(evidence)
    measurements = []
    for direction in directions_of(evidence):
        counts, owners = evidence.counts[direction], owners_of(evidence, direction)
        asked = {metric for name in named if (metric := metric_in(name, direction, hit_rule(counts))) is not None}
        statistics = statistics_of(counts, {*DEFAULT, *asked}, right_items_of(evidence, direction))
        _check_ranking(direction, evidence, statistics)
        for metric, statistic in statistics.items():
            measurements.append(
                Measurement(
                    name=measurement_name(direction, hit_rule(counts), metric),
                    value=statistic.value(),
                    unit="rank" if metric.in_ranks else "percent",
                    higher_is_better=not metric.in_ranks,
                    ci95=_interval(statistic, owners),
                    n=len(counts),
                    bounds=bounds_of(evidence, direction, partial(_value_of, metric)),
                )
            )
    return tuple(measurements)


def _value_of(metric: RankMetric, counts: np.ndarray) -> float | None:
    statistic = statistic_of(counts, metric)
    return None if statistic is None else statistic.value()


def statistics_of(
    counts: np.ndarray, metrics: Iterable[RankMetric] = DEFAULT, right: RightItems | None = None
) -> dict[RankMetric, Statistic]:
    """Returns what is measured in one direction, recalls first; without what the counts do not say.

    Args:
        right: all right items, where some query has several.
    """
    in_order = sorted(metrics, key=lambda metric: metric.place)
    measured = ((metric, statistic_of(counts, metric, right)) for metric in in_order)
    return {metric: statistic for metric, statistic in measured if statistic is not None}


def measurement_name(direction: str, rule: str, metric: RankMetric) -> str:
    """Returns the name of a measurement in one direction; the hit `rule` says what of several right items counts."""
    return full_name(direction, f"{'' if metric.of_all_right else rule}{metric}")


def metric_in(name: str, direction: str, rule: str = "") -> RankMetric | None:
    """Returns the measurement of ranks that `name` is in one direction under the hit rule `rule`, or None."""
    for head in (full_name(direction, rule), full_name(direction, "")):
        metric = parse_metric(name.removeprefix(head)) if name.startswith(head) else None
        if metric is not None and measurement_name(direction, rule, metric) == name:
            return metric
    return None


def _interval(statistic: Statistic, owners: np.ndarray | None) -> tuple[float, float] | None:
    if owners is None:
        return interval(statistic)
    # Better no interval of a median over captions than one that takes them for as many videos.
    return None if statistic.summary != "mean" else interval(of_videos(statistic, owners))


def directions_of(evidence: Evidence) -> tuple[str, ...]:
    """Returns the directions that were measured, `t2v` first; v2t by videos' best captions is one of its own."""
    return tuple(direction for direction in (*DIRECTIONS, BEST_CAPTION) if direction in evidence.counts)


def full_name(direction: str, name: str) -> str:
    """Returns the name of a measurement in one direction: `t2v/R@1`, `v2t/best-caption R@1`."""
    return f"{direction} {name}" if direction == BEST_CAPTION else f"{direction}/{name}"


def check_evidence(evidence: Evidence) -> None:
    """Raises VerificationError unless every direction holds counts that a ranking can give."""
    directions = directions_of(evidence)
    beside = [name for name in evidence.counts if name not in (*directions, *MISSING)]
    if (
        not directions
        or set(directions) != set(evidence.n_items)
        or not all(is_companion(name, DIRECTIONS) for name in beside)
        or not {name.partition("/")[0] for name in beside} <= set(directions)
    ):
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
    check_missing(evidence)
    check_companions(evidence, [way for way in directions if way != BEST_CAPTION])
    if BEST_CAPTION in directions:
        _check_best_captions(evidence)


def _check_best_captions(evidence: Evidence) -> None:
    """Raises VerificationError unless the two ways to count v2t can be of the same similarities."""
    videos, captions = evidence.counts[BEST_CAPTION].astype(np.int64), evidence.counts.get("v2t")
    if captions is None or len(captions) != len(videos) or evidence.n_items[BEST_CAPTION] != len(videos):
        raise VerificationError(
            f"evidence {BEST_CAPTION} is of {number_of(len(videos), 'video')}, and that of v2t is not."
        )
    above = captions[:, 0].astype(np.int64)
    bad = np.flatnonzero((videos[:, 0] > above) | ((videos[:, 0] > 0) != (above > 0)) | (videos[:, 2] != 1))
    if bad.size:
        raise VerificationError(
            f"evidence {BEST_CAPTION}: query {bad[0]} has {number_of(videos[bad[0], 0], 'video')} above it, by "
            f"{above[bad[0]]} captions that score higher, which no similarities give."
        )


def _check_ranking(direction: str, evidence: Evidence, statistics: Mapping[RankMetric, Statistic]) -> None:
    counts, n_items = evidence.counts[direction], evidence.n_items[direction]
    values = {metric: statistic.value() for metric, statistic in statistics.items()}
    recalls = {metric.k: value for metric, value in values.items() if metric.family == "R"}
    rising = list(recalls.values())
    if rising != sorted(rising) or not 0.0 <= rising[0] <= rising[-1] <= 100.0:
        raise VerificationError(f"{direction}: recalls {rising} do not rise from 0 to 100 with K.")
    for metric, value in values.items():
        low, high = (1.0, float(n_items)) if metric.in_ranks else (0.0, 100.0)
        if not low <= value <= high + 1e-9:
            raise VerificationError(f"{direction}/{metric} is {value}, outside {low:g} to {high:g}.")
    for k, value in recalls.items():
        low, high = recall(counts, k, pessimistic_hits), recall(counts, k, optimistic_hits)
        if not low - 1e-9 <= value <= high + 1e-9:
            raise VerificationError(f"{direction}/R@{k} lies outside its bounds under ties, {low} to {high}.")
