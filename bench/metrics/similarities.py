"""Ranks of right items in a similarity matrix that somebody else computed, both directions from one pass over it.

The matrix stays on disk: it is read in tiles of rows. The scores of the right pairs are read first, because a column
cannot be counted before its best right score is known; then every tile is counted along rows and along columns.

Where a query has several right items its rank is that of the best of them among the wrong ones. Of right items that tie
for best, one counts.

Letters for shapes: `M` queries (rows), `N` items (columns), `P` right pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from bench.errors import InvalidData

TILE_BYTES = 8 << 20
"""Size of a tile of rows as it is compared: fits a processor's cache."""


@dataclass(frozen=True)
class Similarities:
    """A stored matrix of similarities, higher means closer.

    Attributes:
        stored: (M, N) array, usually a memory map.
        read: turns a part of `stored` into float32 or float64 of exactly the same values.
        dtype: the type the values were stored in, such as `float16`.
    """

    stored: np.ndarray
    read: Callable[[np.ndarray], np.ndarray]
    dtype: str

    @property
    def shape(self) -> tuple[int, int]:
        return self.stored.shape[0], self.stored.shape[1]

    height = 1

    def rows(self, start: int, stop: int) -> np.ndarray:
        """Returns (stop - start, N): some rows of the matrix."""
        return self.read(self.stored[start:stop])

    def take(self, rows: np.ndarray) -> np.ndarray:
        """Returns (k, N): the rows at k places."""
        return self.read(self.stored[rows])

    def at(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Returns (P,) float64: the similarity of each pair of places; every stored type fits exactly."""
        scores = np.empty(len(rows), dtype=np.float64)
        step = max(1, TILE_BYTES // (8 * max(self.shape[1], 1)))
        for start in range(0, len(scores), step):
            part = slice(start, start + step)
            scores[part] = self.read(self.stored[rows[part], columns[part]])
        return scores


class Scores(Protocol):
    """What can be ranked: a matrix of scores, read by rows. Equal every time it is read."""

    @property
    def shape(self) -> tuple[int, int]:
        """(M, N): queries and items."""

    @property
    def height(self) -> int:
        """Rows are read at the least cost in multiples of this."""

    def rows(self, start: int, stop: int) -> np.ndarray:
        """Returns (stop - start, N): some rows of the matrix."""

    def take(self, rows: np.ndarray) -> np.ndarray:
        """Returns (k, N): the rows at k places, at the least cost where these rise from call to call."""

    def at(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Returns (P,) float64: the score of each pair of places, `rows` rising."""


@dataclass(frozen=True)
class Pairs:
    """Which items are right for which queries.

    Attributes:
        rows, columns: (P,) int64: query and item of each right pair, ordered by query; no pair twice.
    """

    rows: np.ndarray
    columns: np.ndarray

    @classmethod
    def of(cls, right: Sequence[Sequence[int]]) -> Pairs:
        """Returns the right pairs of queries whose right items are given by number, rising."""
        rows = np.repeat(np.arange(len(right), dtype=np.int64), [len(items) for items in right])
        return cls(rows, np.array([item for items in right for item in items], dtype=np.int64))


def count_ranks(similarities: Scores, pairs: Pairs) -> tuple[np.ndarray, np.ndarray]:
    """Returns (M, 3) and (N, 3) uint32 evidence: wrong partners above, wrong partners equal, number of right ones.

    Rows and columns without a right partner have no rank: their counts mean nothing, and their third number is 0.

    Raises: InvalidData when a similarity is NaN or infinite, naming its row and column.
    """
    m, n = similarities.shape
    step = similarities.height * max(1, TILE_BYTES // (8 * max(n, 1) * similarities.height))
    right = _right_scores(similarities, pairs)
    best_of_row, best_of_column = np.full(m, np.inf), np.full(n, np.inf)
    for best, place in ((best_of_row, pairs.rows), (best_of_column, pairs.columns)):
        best[place] = -np.inf
        np.maximum.at(best, place, right)
    by_row, by_column = np.zeros((m, 3), dtype=np.int64), np.zeros((n, 3), dtype=np.int64)
    for start in range(0, m, step):
        tile = similarities.rows(start, min(start + step, m))
        _check_finite(tile, np.arange(start, start + len(tile)))
        of_row = best_of_row[start : start + step, None].astype(tile.dtype)
        of_column = best_of_column.astype(tile.dtype)
        by_row[start : start + step, 0] = np.count_nonzero(tile > of_row, axis=1)
        by_row[start : start + step, 1] = np.count_nonzero(tile == of_row, axis=1)
        by_column[:, 0] += np.count_nonzero(tile > of_column, axis=0)
        by_column[:, 1] += np.count_nonzero(tile == of_column, axis=0)
    for counts, best, place in ((by_row, best_of_row, pairs.rows), (by_column, best_of_column, pairs.columns)):
        np.subtract.at(counts[:, 1], place, right == best[place])  # right partners are counted apart
        np.add.at(counts[:, 2], place, 1)
    return by_row.astype(np.uint32), by_column.astype(np.uint32)


def count_best_captions(similarities: Scores, own: np.ndarray) -> np.ndarray:
    """Returns (N, 3) uint32 for each column: videos whose best caption scores above its own best, equal to it, and 1.

    Only videos with a caption are ranked; the counts of the others mean nothing, and their third number is 0.

    Args:
        own: (M,) int64: the column of each row's video; a row is a caption.

    Raises: InvalidData when a similarity is NaN or infinite, naming its row and column.
    """
    n = similarities.shape[1]
    order = np.argsort(own, kind="stable")
    starts = np.flatnonzero(np.diff(own[order], prepend=-1))
    ends = np.append(starts[1:], len(order))
    step = max(1, TILE_BYTES // (8 * n))
    right = _right_scores(similarities, Pairs(np.arange(len(own), dtype=np.int64), own))
    best = np.full(n, np.inf)
    best[own[order[starts]]] = np.maximum.reduceat(right[order], starts)
    found = np.zeros((n, 3), dtype=np.int64)
    for start, end in zip(starts, ends, strict=True):  # one video after the other: its captions, then the best of each
        highest = np.full(n, -np.inf)
        for first in range(start, end, step):
            rows = order[first : min(first + step, end)]
            tile = similarities.take(rows)
            _check_finite(tile, rows)
            np.maximum(highest, tile.max(axis=0), out=highest)
        found[:, 0] += highest > best
        found[:, 1] += highest == best
    found[own, 1] -= 1  # every video's best caption ties with itself, and is not counted
    found[own, 2] = 1
    return found.astype(np.uint32)


def _right_scores(similarities: Scores, pairs: Pairs) -> np.ndarray:
    scores = similarities.at(pairs.rows, pairs.columns)
    bad = np.flatnonzero(~np.isfinite(scores))
    if bad.size:
        raise _not_finite(scores[bad[0]], int(pairs.rows[bad[0]]), int(pairs.columns[bad[0]]))
    return scores


def _check_finite(tile: np.ndarray, rows: np.ndarray) -> None:
    finite = np.isfinite(tile)
    if not finite.all():
        row, column = (int(place) for place in np.unravel_index(int(np.argmin(finite)), tile.shape))
        raise _not_finite(float(tile[row, column]), int(rows[row]), column)


def _not_finite(value: float, row: int, column: int) -> InvalidData:
    return InvalidData(
        f"the similarity in row {row}, column {column} (counted from 0) is {value}: it cannot be ranked. "
        "Correct what computed it; for a pair that must not be found use a very low finite value."
    )
