"""Where a measurement can lie on a whole test set of which some videos are missing: bounds that hold for any features.

Evidence says of each missing video how many texts describe it (of a test of classes: how many classes it has):

    absent   (a,) uint32   videos that were left out, with their texts, of queries and galleries alike
    behind   (b,) uint32   videos that were counted as never found: they are among the queries and galleries of the
                           counts, last for every query, and their own queries rank last

What missing videos would have answered is unknown, and so is where they would have stood. Every query keeps its counts
among what was there. In the worst case everything missing stands above its right answer, and every query of what is
missing finds its answer last; in the best case nothing missing stands above, and every query of it finds its answer
first. All that is measured falls, or for ranks rises, when an item moves above the right one, and more so than when it
ties with it; so no features of the missing videos give less than the worst case or more than the best, and some scores
give each of them. The two directions have their worst case apart, and so has every measurement.

    t2v               a missing video may stand above the right one of any text; its texts ask, too
    v2t               the texts of a video that was left out may stand above; those of one counted as never found were
                      there, so queries of the other videos are as they are; a missing video asks, too
    v2t/best-caption  a video that was left out may stand above by its best caption; it asks, too

There are none where a text has several right videos (the right one of a missing video may be another), nor of P@K and
nDCG@K where a query has several right answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from bench.errors import VerificationError
from bench.reading.numbers import number_of
from bench.results import Bounds, Evidence

ABSENT, BEHIND = "absent", "behind"
MISSING = (ABSENT, BEHIND)
"""The arrays of evidence that say what is missing."""


def missing_arrays(absent: Iterable[int], behind: Iterable[int]) -> dict[str, np.ndarray]:
    """Returns the arrays that evidence holds of missing videos, from the texts of each; none where none is missing."""
    sizes = {ABSENT: list(absent), BEHIND: list(behind)}
    return {name: np.array(sorted(own), dtype=np.uint32) for name, own in sizes.items() if own}


def check_missing(evidence: Evidence) -> None:
    """Raises VerificationError unless the arrays of missing videos are numbers of texts."""
    for name in MISSING:
        sizes = evidence.counts.get(name)
        if sizes is not None and (sizes.ndim != 1 or sizes.dtype != np.uint32 or not len(sizes)):
            raise VerificationError(f"evidence {name} is {sizes.dtype} {sizes.shape}; expected uint32 (videos,).")


def bounds_of(evidence: Evidence, direction: str, measured: Callable[[np.ndarray], float | None]) -> Bounds | None:
    """Returns the bounds of a measurement of ranks, or None where nothing is missing, or it has none.

    Args:
        measured: the value of counts (n, 3): items above, items equal, right ones; None where it has none.

    Raises: VerificationError where the evidence lacks the queries of videos that it says are counted as never found.
    """
    if not any(name in evidence.counts for name in MISSING):
        return None
    values = [measured(counts) for counts in _cases(evidence, direction)]
    if any(value is None for value in values):
        return None
    present, worst, best = (float(value) for value in values if value is not None)
    return Bounds(present=present, worst=worst, best=best)


def _cases(evidence: Evidence, direction: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns the counts (n, 3) int64 of the videos that are there, and of all videos in the worst and best case."""
    nothing = np.zeros(0, dtype=np.int64)
    absent, behind = (evidence.counts.get(name, nothing).astype(np.int64) for name in MISSING)
    counts, n_items, missing = (
        evidence.counts[direction].astype(np.int64),
        evidence.n_items[direction],
        [*absent, *behind],
    )
    if direction == "v2t":  # a video asks among texts: its rank is that of its best one among those of others
        last = [(n_items + absent.sum() - size, 0, size) for size in missing if size]
        above = absent.sum()
        lost = [(n_items - size, 0, size) for size in behind if size]
    else:
        videos = np.array(missing)[np.array(missing) > 0] if direction != "t2v" else np.array(missing)
        asking = int(videos.sum()) if direction == "t2v" else len(videos)
        left_out = len(absent) if direction == "t2v" else np.count_nonzero(absent)
        last = [(n_items + left_out - 1, 0, 1)] * asking
        above = len(videos)
        lost = [(n_items - 1, 0, 1)] * int(behind.sum())
    present = _without(counts, lost, direction)
    asked = np.array(last, dtype=np.int64).reshape(-1, 3)
    worst = np.concatenate([np.add(present, [above, 0, 0]), asked])
    best = np.concatenate([present, asked * [0, 0, 1]])
    return present, worst, best


def _without(counts: np.ndarray, lost: list[tuple[int, int, int]], direction: str) -> np.ndarray:
    """Returns the counts without the rows of queries that were counted as never found."""
    if not lost:
        return counts
    kept = np.ones(len(counts), dtype=bool)
    for row, times in zip(*np.unique(np.array(lost, dtype=np.int64), axis=0, return_counts=True), strict=True):
        alike = np.flatnonzero((counts == row).all(axis=1))
        if len(alike) < times:
            raise VerificationError(
                f"evidence {direction} lacks the queries of {number_of(times - len(alike), 'video')} that it says were "
                "never found."
            )
        kept[alike[:times]] = False
    return counts[kept]


def share_bounds(evidence: Evidence, values: np.ndarray, most: Callable[[np.ndarray], np.ndarray]) -> Bounds | None:
    """Returns the bounds of a mean over videos of what each gets, 0 to 100; None where nothing is missing.

    Args:
        values: (n,) of the videos in the evidence; those counted as never found have 0.
        most: from the numbers of classes (m,) of missing videos to what each can get at most.
    """
    nothing = np.zeros(0, dtype=np.int64)
    absent, behind = (evidence.counts.get(name, nothing).astype(np.int64) for name in MISSING)
    if not len(absent) + len(behind):
        return None
    found, whole = float(values.sum()), len(values) + len(absent)
    could = float(most(np.concatenate([absent, behind])).sum())
    present = found / (len(values) - len(behind))
    return Bounds(present=present, worst=found / whole, best=(found + could) / whole)
