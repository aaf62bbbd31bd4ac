"""Ranks of matching pairs in a matrix of scores that a model gave pair by pair, both directions in one pass.

The matrix is read in blocks of rows, so it may be memory-mapped. Scores are compared as they are: equal ones tie, and
a score that is NaN or infinite is an error, never a rank.

Letters for shapes: `N` queries (rows), `M` items (columns), `M <= N`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.errors import ModelError

BLOCK_BYTES = 8 << 20
"""Size of a block of rows: fits a processor's cache."""


@dataclass(frozen=True)
class MatrixCounts:
    """How many wrong partners score above, and equal to, the right one.

    Attributes:
        queries: (N, 2) int64: for each row among the columns; meaningless where the row has no column of its own.
        items: (M, 2) int64: for each column among the rows.
    """

    queries: np.ndarray
    items: np.ndarray


def rank_scores(scores: np.ndarray, own: np.ndarray) -> MatrixCounts:
    """Returns, for every row and every column, how many wrong partners score at least as high as the right one.

    Args:
        scores: (N, M) floats, higher means closer.
        own: (N,) int64: the column that belongs to each row; M or more where it has none. Every column has one row.

    Raises: ModelError when a score is NaN or infinite.
    """
    count, items = scores.shape
    found = own < items
    if not np.array_equal(np.sort(own[found]), np.arange(items)):
        raise ValueError("rank_scores needs exactly one row for every column")
    rows_of_items = np.empty(items, dtype=np.int64)
    rows_of_items[own[found]] = np.flatnonzero(found)
    right_of_items = scores[rows_of_items, np.arange(items)]
    queries = np.zeros((count, 2), dtype=np.int64)
    of_items = np.zeros((items, 2), dtype=np.int64)
    step = max(1, BLOCK_BYTES // max(1, items * scores.itemsize))
    for start in range(0, count, step):
        block = np.asarray(scores[start : start + step])
        if not np.isfinite(block).all():
            row, column = np.argwhere(~np.isfinite(block))[0]
            raise ModelError(
                f"the score of paragraph {start + row} and video {column} is NaN or infinite: it cannot be ranked. "
                "Check the model's output."
            )
        mine = np.minimum(own[start : start + step], items - 1)
        right = block[np.arange(len(block)), mine][:, None]
        queries[start : start + step, 0] = (block > right).sum(axis=1)
        queries[start : start + step, 1] = (block == right).sum(axis=1) - 1
        of_items[:, 0] += (block > right_of_items).sum(axis=0)
        of_items[:, 1] += (block == right_of_items).sum(axis=0)
    of_items[:, 1] -= 1  # every item ties with its own row, which is not counted
    return MatrixCounts(queries, of_items)
