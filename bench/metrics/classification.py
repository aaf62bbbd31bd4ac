"""Top-k, hits and mean average precision of class scores, from evidence: what was counted for each label of each video.

A video may have several labels; a prediction counts when it is among them. Ties are broken at random and the
expectation is reported: with g wrong classes above a video's best label and e wrong ones beside p of its labels at the
same score, none of these is among the first k with probability C(e, k - g) / C(e + p, k - g). Where nothing ties these
are the figures of the official ActivityNet tool; a constant model gets exactly k / classes.

Average precision follows that tool: for each class the videos are ranked by its score; precision at a recall is the
best at that recall or a higher one (PASCAL VOC since 2010, every point), and what is not listed is never recalled.
Equal scores there are one threshold, as in scikit-learn, for the expectation over their orders has no closed form: a
constant score gets the share of the class.

Evidence of kind `classes`, `n` videos ordered by opaque id, `P` labels in the order of their videos, the main label of
a video first, `K` classes:

    videos    (n, 2) uint32   number of labels; predicted class (the first of the best ones; K where nothing is listed)
    labels    (P, 5) uint32   class; classes above it in its video, equal to it; wrong videos above it in the ranking of
                              its class, equal to it. A label that is not listed has K classes and n videos above it
    classes   (K, 2) uint32   videos that have the class; videos of which it is the main one
    names     (K, b) uint8    names of the classes, UTF-8 filled up with zeros

Source: the official tool, github.com/activitynet/ActivityNet, `Evaluation/eval_classification.py` (Hit@k, "Avg Hit@k"
and mAP; an earlier release swapped precision and recall); Everingham et al., "The PASCAL Visual Object Classes
Challenge: A Retrospective", IJCV 111 (2015).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.results import Evidence

KIND = "classes"


@dataclass(frozen=True)
class Truth:
    """The classes of the videos of a test set.

    Attributes:
        counts: (n,) int64, how many labels each video has, at least one.
        labels: (P,) int64, the classes of one video after the other, the main one first.
        class_names: (K,) names of the classes.
    """

    counts: np.ndarray
    labels: np.ndarray
    class_names: tuple[str, ...]

    @property
    def owners(self) -> np.ndarray:
        """(P,) int64: the video that each label belongs to."""
        return np.repeat(np.arange(len(self.counts), dtype=np.int64), self.counts)


def truth_of(labels: Sequence[Sequence[int]], class_names: Sequence[str]) -> Truth:
    """Returns the truth of n videos from the classes of each, the main one first."""
    counts = np.array([len(own) for own in labels], dtype=np.int64)
    return Truth(counts, np.array([label for own in labels for label in own], dtype=np.int64), tuple(class_names))


def count_classes(scores: np.ndarray, truth: Truth, pool: str) -> Evidence:
    """Returns the evidence of class scores.

    Args:
        scores: (n, K) float, higher means likelier; -inf for a class that is not listed.
        truth: of the same videos in the same order.
        pool: digest of the test set.
    """
    n, n_classes = scores.shape
    owners = truth.owners
    own = scores[owners, truth.labels]
    listed = own > -np.inf
    rows = scores[owners]
    above = (rows > own[:, None]).sum(axis=1)
    equal = (rows == own[:, None]).sum(axis=1) - 1
    wrong_above, wrong_equal = _wrong_videos(scores, truth)
    of_labels = np.stack([truth.labels, above, equal, wrong_above, wrong_equal], axis=1)
    of_labels[~listed, 1:] = [n_classes, 0, n, 0]
    predicted = np.where(scores.max(axis=1) > -np.inf, scores.argmax(axis=1), n_classes)
    main = truth.labels[truth.counts.cumsum() - truth.counts]
    sizes = [np.bincount(labels, minlength=n_classes) for labels in (truth.labels, main)]
    return Evidence(
        counts={
            "videos": np.stack([truth.counts, predicted], axis=1).astype(np.uint32),
            "labels": of_labels.astype(np.uint32),
            "classes": np.stack(sizes, axis=1).astype(np.uint32),
            "names": as_bytes(truth.class_names),
        },
        pool=pool,
        n_items={"videos": n},
        kind=KIND,
    )


def _wrong_videos(scores: np.ndarray, truth: Truth) -> tuple[np.ndarray, np.ndarray]:
    """Returns for each label how many videos without it score above it in its class, and how many equal it; (P,) each.

    One class at a time, so that nothing of the size labels x videos is held; everything within a class is sorted once.
    """
    owners = truth.owners
    above, equal = np.zeros(len(owners), dtype=np.int64), np.zeros(len(owners), dtype=np.int64)
    for label in np.unique(truth.labels):
        places = np.flatnonzero(truth.labels == label)
        own = scores[owners[places], label]
        wrong = np.sort(np.delete(scores[:, label], owners[places]))
        above[places] = len(wrong) - np.searchsorted(wrong, own, side="right")
        equal[places] = len(wrong) - np.searchsorted(wrong, own, side="left") - above[places]
    return above, equal


@dataclass(frozen=True)
class Counted:
    """Evidence of kind `classes`, opened."""

    videos: np.ndarray
    labels: np.ndarray
    classes: np.ndarray
    names: np.ndarray

    @property
    def class_names(self) -> tuple[str, ...]:
        """(K,) names of the classes; what is no UTF-8 stands as a replacement character."""
        return tuple(bytes(name).rstrip(b"\0").decode(errors="replace") for name in self.names)

    @property
    def starts(self) -> np.ndarray:
        """(n,) int64: where the labels of each video start."""
        counts = self.videos[:, 0].astype(np.int64)
        return np.asarray(counts.cumsum() - counts)

    @property
    def owners(self) -> np.ndarray:
        """(P,) int64: the video of each label."""
        return np.repeat(np.arange(len(self.videos), dtype=np.int64), self.videos[:, 0].astype(np.int64))


def opened(evidence: Evidence) -> Counted:
    """Returns the arrays of evidence that has been checked."""
    return Counted(*(evidence.counts[name] for name in ("videos", "labels", "classes", "names")))


def as_bytes(names: Sequence[str]) -> np.ndarray:
    """Returns (K, longest) uint8: names in UTF-8, filled up with zeros."""
    coded = [name.encode() for name in names]
    longest = max(map(len, coded))
    return np.frombuffer(b"".join(name.ljust(longest, b"\0") for name in coded), dtype=np.uint8).reshape(-1, longest)


def hits(counted: Counted, k: int) -> np.ndarray:
    """Returns (n,) float64: the probability that some label of each video is among its first `k` classes."""
    above, equal = counted.labels[:, 1].astype(np.int64), counted.labels[:, 2].astype(np.int64)
    best = np.minimum.reduceat(above, counted.starts)
    level = above == best[counted.owners]
    together = np.add.reduceat(level.astype(np.int64), counted.starts)
    wrong = np.clip(np.maximum.reduceat(np.where(level, equal, 0), counted.starts) + 1 - together, 0, None)
    drawn = np.clip(k - best, 0, None)
    missed = np.ones(len(best))
    for i in range(1, int(together.max()) + 1):  # a handful: the labels of a video that tie with one another
        missed *= np.where(i <= together, np.clip(wrong - drawn + i, 0, None) / (wrong + i), 1.0)
    return np.asarray(1.0 - missed)


def label_hits(counted: Counted, k: int) -> np.ndarray:
    """Returns (P,) float64: the probability that each label is among the first `k` classes of its video."""
    above, equal = counted.labels[:, 1].astype(np.float64), counted.labels[:, 2].astype(np.float64)
    return np.asarray(np.clip((k - above) / (equal + 1.0), 0.0, 1.0))


def average_precisions(counted: Counted) -> tuple[np.ndarray, np.ndarray]:
    """Returns the classes that some video has (rising) and the average precision of each, 0 to 1 float64."""
    present, where = np.unique(counted.labels[:, 0], return_inverse=True)
    above, equal = counted.labels[:, 3].astype(np.int64), counted.labels[:, 4].astype(np.int64)
    order = np.lexsort((equal, above, where))
    where, above, equal = where[order], above[order], equal[order]
    sizes = np.bincount(where)
    right = np.arange(1, len(order) + 1) - np.repeat(sizes.cumsum() - sizes, sizes)
    # Labels at one score are recalled together: the last of them says how many. An equal score has an equal `above`,
    # but so may have a higher one with no wrong video in between, and then `equal` tells them apart or nothing differs.
    listed = above < len(counted.videos)
    last = np.append((np.diff(where) != 0) | (np.diff(above) != 0) | (np.diff(equal) != 0), True)
    at = np.flatnonzero(last)
    right = right[at[np.searchsorted(at, np.arange(len(order)))]]
    precision = np.where(listed, right / (right + above + equal), 0.0)
    ends = sizes.cumsum()
    best = [np.maximum.accumulate(part[::-1]).mean() for part in np.split(precision, ends[:-1])]
    return present, np.array(best, dtype=np.float64)
