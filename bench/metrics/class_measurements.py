"""What is measured of class scores, by name, with intervals by resampling videos; and whether a record agrees with it.

    top1, top5          share of videos of which a label is among the first k classes, percent
    mean_class/top1     top1 of the videos of each class, averaged over classes; a video counts in each of its classes
    main/top1           share of videos whose main label comes first; measured where some video has several labels
    Hit@3, AvgHit@3     as in the official ActivityNet tool: top3, and the share of a video's labels among the first 3
    mAP                 mean over the classes of some video of the average precision, percent; without an interval, for
                        ranks of videos among one another do not resample from their counts

A k that is no smaller than the number of classes measures nothing and is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import pairwise

import numpy as np

from bench.errors import InvalidData, VerificationError
from bench.metrics.classification import KIND, Counted, average_precisions, hits, label_hits, opened
from bench.metrics.missing import MISSING, check_missing, share_bounds
from bench.metrics.resampling import sure_interval
from bench.metrics.statistics import Statistic, interval
from bench.reading.numbers import number_of
from bench.results import Bounds, Evidence, Measurement

PRIMARY = "top1"
TOPS = (1, 5)
OFFICIAL_K = 3
"""The k of the official tool."""
PRECISION = "mAP"
PER_CLASS = "mean_class/top1"


def statistics_of(counted: Counted, named: Iterable[str] = ()) -> dict[str, Statistic]:
    """Returns all that is a mean over videos, by name, in percent; with `top<k>` and the like for the k in `named`."""
    n_classes, asked = len(counted.classes), tuple(named)
    tops = _cut_offs("top", TOPS, asked)
    statistics = {f"top{k}": Statistic(100.0 * hits(counted, k), share=True) for k in tops if k < n_classes}
    if not statistics:
        return statistics
    statistics[PER_CLASS] = Statistic(100.0 * per_class_values(counted, hits(counted, 1)))
    if int(counted.videos[:, 0].max()) > 1:
        statistics["main/top1"] = Statistic(100.0 * label_hits(counted, 1)[counted.starts], share=True)
    for k in _cut_offs("Hit@", (OFFICIAL_K,), asked):
        if k < n_classes:
            statistics[f"Hit@{k}"] = Statistic(100.0 * hits(counted, k), share=True)
    for k in _cut_offs("AvgHit@", (OFFICIAL_K,), asked):
        if k < n_classes:
            of_labels = np.add.reduceat(label_hits(counted, k), counted.starts) / counted.videos[:, 0]
            statistics[f"AvgHit@{k}"] = Statistic(100.0 * of_labels, share=True)
    return statistics


def _cut_offs(family: str, usual: Iterable[int], names: Iterable[str]) -> list[int]:
    """Returns the usual k of a family of measurements and those of `names`, rising."""
    matches = (re.fullmatch(rf"{family}([1-9][0-9]{{0,8}})", name) for name in names)
    return sorted({*usual, *(int(match[1]) for match in matches if match)})


def per_class_values(counted: Counted, values: np.ndarray) -> np.ndarray:
    """Returns (n,) float64 whose mean is the mean over classes of the mean of `values` (n,) in each class.

    Resampled by video it has the spread of that mean: a resample draws how many videos each class has with them, so the
    mean of a class is a ratio of two sums; it is linearised here. The one video of a class says nothing of how far
    another of that class would lie from it, so it is taken to depart from the mean over classes.

    Source: the last as the R package survey does for strata of one unit (`survey.lonely.psu="adjust"`).
    """
    classes, owners = counted.labels[:, 0].astype(np.int64), counted.owners
    sizes = np.bincount(classes, minlength=len(counted.classes))
    present = np.flatnonzero(sizes)
    means = np.zeros(len(sizes))
    means[present] = np.bincount(classes, weights=values[owners], minlength=len(sizes))[present] / sizes[present]
    mean = float(means[present].mean())
    expected = np.where(sizes == 1, mean, means)
    departures = (values[owners] - expected[classes]) / sizes[classes]
    per_video = np.bincount(owners, weights=departures, minlength=len(values))
    if (sizes == 1).any():
        per_video -= per_video.mean()
    return np.asarray(mean + per_video * (len(values) / len(present)))


def per_class_weights(counted: Counted) -> np.ndarray:
    """Returns (n,) float64: how much each video counts in a mean over the means of classes; they add up to 1."""
    classes = counted.labels[:, 0].astype(np.int64)
    sizes = np.bincount(classes, minlength=len(counted.classes))
    shares = 1.0 / (sizes[classes] * np.count_nonzero(sizes))
    return np.bincount(counted.owners, weights=shares, minlength=len(counted.videos))


def mean_average_precision(counted: Counted) -> float:
    """Returns mAP in percent."""
    return float(100.0 * average_precisions(counted)[1].mean())


def metrics_of(evidence: Evidence) -> tuple[str, ...]:
    """Returns the measurements that have a value for each video, by name."""
    check_evidence(evidence)
    return tuple(statistics_of(opened(evidence)))


def measure(evidence: Evidence, named: Iterable[str] = ()) -> tuple[Measurement, ...]:
    """Returns every measurement of `evidence`, those that are means over videos with their 95 % interval.

    Args:
        named: names of measurements; `top<k>`, `Hit@<k>` and `AvgHit@<k>` among them are measured as well.

    Raises: VerificationError when the evidence contradicts itself; InvalidData for a test of a single class.
    """
    check_evidence(evidence)
    counted = opened(evidence)
    if len(counted.classes) < 2:
        raise InvalidData(
            f"the labels name one class, {counted.class_names[0][:60]!r}, so every prediction is right and nothing is "
            "measured. Give the labels of a test with two classes or more."
        )
    n, statistics = len(counted.videos), statistics_of(counted, named)
    means = [
        _measurement(name, s.value(), _interval(counted, name, s), n, _bounds(evidence, name, s))
        for name, s in statistics.items()
    ]
    measurements = (*means, _measurement(PRECISION, mean_average_precision(counted), None, n))
    _check_values({measurement.name: measurement.value for measurement in measurements})
    return measurements


def _measurement(
    name: str, value: float, ci95: tuple[float, float] | None, n: int, bounds: Bounds | None = None
) -> Measurement:
    return Measurement(name=name, value=value, unit="percent", higher_is_better=True, ci95=ci95, n=n, bounds=bounds)


def _bounds(evidence: Evidence, name: str, statistic: Statistic) -> Bounds | None:
    """Returns the bounds of a share of videos; means over classes depend on which classes the missing ones have."""
    if name == PER_CLASS:
        return None
    among = re.fullmatch(r"AvgHit@([0-9]+)", name)  # of a video's labels no more than k are among the first k

    def most(sizes: np.ndarray) -> np.ndarray:
        return 100.0 * (np.minimum(sizes, int(among[1])) / sizes if among else np.ones(len(sizes)))

    return share_bounds(evidence, statistic.values, most)


def _interval(counted: Counted, name: str, statistic: Statistic) -> tuple[float, float] | None:
    if name == PER_CLASS and statistic.value() in (0.0, 100.0):
        return sure_interval(statistic.value(), per_class_weights(counted))
    bounds = interval(statistic)
    return bounds and (max(0.0, bounds[0]), min(100.0, bounds[1]))


def _check_values(values: Mapping[str, float]) -> None:
    """Raises VerificationError for shares that no class scores give."""
    places = {name: re.fullmatch(r"(?:top|Hit@)([0-9]+)", name) for name in values}
    tops = sorted((int(place[1]), name) for name, place in places.items() if place)
    rising = [values[name] for _, name in tops]
    if any(later < earlier - 1e-9 for earlier, later in pairwise(rising)):
        raise VerificationError(f"{', '.join(name for _, name in tops)} are {rising}, which do not rise with k.")
    if not all(-1e-9 <= value <= 100.0 + 1e-9 for value in values.values()):
        raise VerificationError(f"measurements {dict(values)} do not lie within 0 to 100 percent.")


_SHAPES = {"videos": (2, "uint32"), "labels": (5, "uint32"), "classes": (2, "uint32"), "names": (None, "uint8")}
"""Columns and kind of each array; names are as wide as the longest."""


def check_evidence(evidence: Evidence) -> None:
    """Raises VerificationError unless the arrays are counts that some class scores give."""
    arrays = evidence.counts
    check_missing(evidence)
    if evidence.kind != KIND or set(arrays) - set(MISSING) != set(_SHAPES):
        raise VerificationError(
            f"evidence of kind {evidence.kind!r} with {', '.join(sorted(arrays)) or 'nothing'}; expected kind {KIND!r} "
            f"with {', '.join(sorted(_SHAPES))}."
        )
    for name, (width, expected) in _SHAPES.items():
        shape, kind = arrays[name].shape, arrays[name].dtype
        if len(shape) != 2 or shape[1] != (width or shape[1]) or not shape[0] or kind != expected:
            raise VerificationError(f"evidence {name} is {kind} {shape}; expected {expected} (n, {width or 'any'}).")
    problem = _contradiction(opened(evidence), evidence.n_items.get("videos"))
    if problem:
        raise VerificationError(f"{problem}, which no class scores give.")


def _contradiction(counted: Counted, n_items: int | None) -> str:
    """Returns what cannot be in the evidence, in words, or nothing."""
    n, n_classes = len(counted.videos), len(counted.classes)
    counts, predicted = counted.videos[:, 0].astype(np.int64), counted.videos[:, 1].astype(np.int64)
    classes, above, equal, wrong_above, wrong_equal = counted.labels.astype(np.int64).T
    if len(counted.names) != n_classes or len(set(counted.class_names)) != n_classes:
        return f"the evidence has {len(set(counted.class_names))} names of {number_of(n_classes, 'class')}"
    if n_items != n or counts.sum() != len(classes) or counts.min() < 1:
        labels = number_of(counts.sum(), "label")
        return f"the evidence holds {number_of(n, 'video')} with {labels}, {len(classes)} label rows, n = {n_items}"
    if predicted.max() > n_classes or classes.max() >= n_classes:
        return f"the evidence names a class beyond its {n_classes}"
    if len(np.unique(np.stack([counted.owners, classes]), axis=1).T) != len(classes):
        return "the evidence names a label of a video twice"
    sizes = np.bincount(classes, minlength=n_classes)
    mains = np.bincount(classes[counted.starts], minlength=n_classes)
    if not np.array_equal(np.stack([sizes, mains], axis=1), counted.classes):
        return "the evidence holds other sizes of classes than its labels"
    listed = above < n_classes
    if (above[listed] + equal[listed] >= n_classes).any() or (above > n_classes).any() or equal[~listed].any():
        return f"a label of the evidence has more than {n_classes - 1} classes above or beside it"
    wrong = n - sizes[classes]
    if (wrong_above + wrong_equal > np.where(listed, wrong, n)).any() or (wrong_above[~listed] < n).any():
        return "a label of the evidence has more videos above or beside it than there are without it"
    return ""
