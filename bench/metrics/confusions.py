"""Which classes are taken for which, and how each class fares, from evidence of class scores.

A confusion is a video whose predicted class is none of its classes; it counts for its main class. Where several classes
share the highest score, the first in the order of the classes stands for the prediction here; the measurements break
such ties at random.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.metrics.class_measurements import check_evidence
from bench.metrics.classification import average_precisions, hits, opened
from bench.results import Evidence


@dataclass(frozen=True)
class Confusion:
    """Videos of one class that were taken for another.

    Attributes:
        true, predicted: names of the classes.
        videos: how many.
        of: how many videos have `true` as their main class.
    """

    true: str
    predicted: str
    videos: int
    of: int

    @property
    def share(self) -> float:
        """Percent of the videos of the class."""
        return 100.0 * self.videos / self.of


@dataclass(frozen=True)
class ClassRow:
    """How one class fared.

    Attributes:
        name: of the class.
        videos: test videos that have it.
        main: those of which it is the main one.
        top1: percent of `videos` for which the prediction is among their classes; None without videos.
        average_precision: percent; None without videos.
        predicted: how often it was predicted, rightly or not.
        taken_for: the class that its videos were most often taken for, or nothing.
    """

    name: str
    videos: int
    main: int
    top1: float | None
    average_precision: float | None
    predicted: int
    taken_for: str


def confusions(evidence: Evidence) -> list[Confusion]:
    """Returns every pair of classes that was confused, the most frequent first, then by share and by name.

    Raises: VerificationError when the evidence is of another kind or contradicts itself.
    """
    check_evidence(evidence)
    counted = opened(evidence)
    names, n_classes = counted.class_names, len(counted.classes)
    predicted = counted.videos[:, 1].astype(np.int64)
    right = np.maximum.reduceat(counted.labels[:, 0] == predicted[counted.owners], counted.starts)
    wrong = np.flatnonzero(~right & (predicted < n_classes))
    main = counted.labels[counted.starts, 0].astype(np.int64)
    pairs, videos = np.unique(main[wrong] * n_classes + predicted[wrong], return_counts=True)
    confused = [
        Confusion(names[pair // n_classes], names[pair % n_classes], count, int(counted.classes[pair // n_classes, 1]))
        for pair, count in zip(pairs.tolist(), videos.tolist(), strict=True)
    ]
    return sorted(confused, key=lambda one: (-one.videos, -one.share, one.true, one.predicted))


def class_rows(evidence: Evidence) -> list[ClassRow]:
    """Returns a row for each class, in the order of the classes.

    Raises: VerificationError when the evidence is of another kind or contradicts itself.
    """
    check_evidence(evidence)
    counted = opened(evidence)
    n_classes = len(counted.classes)
    labels = counted.labels[:, 0].astype(np.int64)
    sizes = np.bincount(labels, minlength=n_classes)
    right = np.bincount(labels, weights=hits(counted, 1)[counted.owners], minlength=n_classes)
    present, precisions = average_precisions(counted)
    precision = dict(zip(present.tolist(), precisions.tolist(), strict=True))
    predicted = np.bincount(counted.videos[:, 1].astype(np.int64), minlength=n_classes + 1)
    taken: dict[str, str] = {}
    for one in confusions(evidence):
        taken.setdefault(one.true, one.predicted)
    return [
        ClassRow(
            name=name,
            videos=int(sizes[i]),
            main=int(counted.classes[i, 1]),
            top1=100.0 * float(right[i]) / int(sizes[i]) if sizes[i] else None,
            average_precision=100.0 * precision[i] if i in precision else None,
            predicted=int(predicted[i]),
            taken_for=taken.get(name, ""),
        )
        for i, name in enumerate(counted.class_names)
    ]
