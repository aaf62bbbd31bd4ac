"""Ranks of the clips and sentences of one video among themselves, and hits in a choice between two.

Letters for shapes: `P` clips of all videos, `V` videos, `L` clips of a video, `D` dimension.
"""

from __future__ import annotations

import numpy as np

CHUNK = 256
"""Videos compared at a time."""


def rank_within(queries: np.ndarray, items: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns (P, 2) int64 for the queries and for the items: partners of the video above the right one, and equal.

    Args:
        queries: (P, D) float32, no row all zeros, one video after the other; row i belongs to row i of `items`.
        items: (P, D) float32.
        counts: (V,) int64: how many each video has; adds up to P.
    """
    unit_queries, unit_items = unit_rows(queries), unit_rows(items)
    of_queries, of_items = (np.zeros((len(queries), 2), dtype=np.int64) for _ in range(2))
    starts = np.cumsum(counts) - counts
    for length in np.unique(counts[counts > 0]).tolist():
        same = starts[counts == length]
        for first in range(0, len(same), CHUNK):
            rows = same[first : first + CHUNK, None] + np.arange(length)
            # From float64, so that equal vectors get equal scores wherever they stand.
            scores = (unit_queries[rows] @ unit_items[rows].transpose(0, 2, 1)).astype(np.float32)
            own = np.diagonal(scores, axis1=1, axis2=2)
            of_queries[rows] = _above_and_equal(scores, own[:, :, None], axis=2)
            of_items[rows] = _above_and_equal(scores, own[:, None, :], axis=1)
    return of_queries, of_items


def _above_and_equal(scores: np.ndarray, own: np.ndarray, axis: int) -> np.ndarray:
    """Returns (videos, L, 2): how many scores lie above the own one along `axis`, and how many others equal it."""
    return np.stack([(scores > own).sum(axis), (scores == own).sum(axis) - 1], axis=-1)


def unit_rows(rows: np.ndarray) -> np.ndarray:
    """Returns (n, D) float64: the rows divided by their lengths; rows of zeros stay zeros."""
    double = rows.astype(np.float64)
    norms = np.linalg.norm(double, axis=1, keepdims=True)
    return np.asarray(double / np.where(norms > 0, norms, 1.0))


def preferences(right: np.ndarray, wrong: np.ndarray) -> np.ndarray:
    """Returns (n,) float64: 1 where the right one scores higher, 0 where lower, a half where they are equal."""
    return np.asarray((right > wrong) + 0.5 * (right == wrong), dtype=np.float64)
