"""Ranks of right items in a similarity matrix that somebody else computed, both directions from one pass over it.

The matrix stays on disk: it is read in tiles of rows. The scores of the right pairs are read first, because a column
cannot be counted before its best right score is known; then every tile is counted along rows and along columns.

Where a query has several right items its rank is that of the best of them among the wrong ones. Of right items that tie
for best, one counts. Each of them is then counted among all other items, too (`bench.metrics.right_items`).

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


@dataclass(frozen=True)
class RankCounts:
    """How many items outrank the right ones.

    Attributes:
        rows, columns: (M, 3) and (N, 3) uint32 evidence: wrong partners above the best right one, wrong partners equal
            to it, number of right ones. Without a right partner there is no rank: the counts mean nothing, and the
            third number is 0.
        row_pairs, column_pairs: (P, 2) int64, for each right pair the other partners of its row, or of its column,
            right or wrong, that score above it and equal to it.
    """

    rows: np.ndarray
    columns: np.ndarray
    row_pairs: np.ndarray
    column_pairs: np.ndarray


def count_ranks(similarities: Scores, pairs: Pairs) -> RankCounts:
    """Returns how many items outrank the right ones, of rows and of columns.

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
    row_pairs, column_pairs = np.tile([0, -1], (2, len(right), 1))  # each pair ties with itself, and is not counted
    several_of_row, several_of_column = (len(np.unique(p)) < len(p) for p in (pairs.rows, pairs.columns))
    for start in range(0, m, step):
        tile = similarities.rows(start, min(start + step, m))
        check_finite(tile, np.arange(start, start + len(tile)))
        of_row = best_of_row[start : start + step, None].astype(tile.dtype)
        of_column = best_of_column.astype(tile.dtype)
        by_row[start : start + step, 0] = np.count_nonzero(tile > of_row, axis=1)
        by_row[start : start + step, 1] = np.count_nonzero(tile == of_row, axis=1)
        by_column[:, 0] += np.count_nonzero(tile > of_column, axis=0)
        by_column[:, 1] += np.count_nonzero(tile == of_column, axis=0)
        if several_of_row:
            part = slice(*np.searchsorted(pairs.rows, [start, start + len(tile)]))
            row_pairs[part] += _above_and_equal(tile, pairs.rows[part] - start, right[part])
        if several_of_column:
            column_pairs += _above_and_equal(tile.T, pairs.columns, right)
    for counts, best, place in ((by_row, best_of_row, pairs.rows), (by_column, best_of_column, pairs.columns)):
        np.subtract.at(counts[:, 1], place, right == best[place])  # right partners are counted apart
        np.add.at(counts[:, 2], place, 1)
    return RankCounts(
        rows=by_row.astype(np.uint32),
        columns=by_column.astype(np.uint32),
        row_pairs=row_pairs if several_of_row else by_row[pairs.rows, :2],
        column_pairs=column_pairs if several_of_column else by_column[pairs.columns, :2],
    )


def _above_and_equal(lines: np.ndarray, places: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Returns (P, 2) int64: how many values of the line at each place lie above a score, and are equal to it.

    Args:
        lines: (L, n) values.
        places, scores: (P,) the line of each score, and the score.
    """
    rising = np.sort(lines, axis=1)
    scores = scores.astype(rising.dtype)
    not_above = _values_before(rising, places, lambda values: values <= scores)
    below = _values_before(rising, places, lambda values: values < scores)
    return np.stack([rising.shape[1] - not_above, not_above - below], axis=1)


def _values_before(rising: np.ndarray, places: np.ndarray, before: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Returns (P,) how many values of each line `rising[places]` hold `before`, all lines halved at once."""
    low, high = np.zeros(len(places), dtype=np.int64), np.full(len(places), rising.shape[1])
    for _ in range(rising.shape[1].bit_length()):
        middle = (low + high) // 2
        further = (low < high) & before(rising[places, np.minimum(middle, rising.shape[1] - 1)])
        low, high = np.where(further, middle + 1, low), np.where(further, high, middle)
    return low


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
    counts = np.zeros((n, 3), dtype=np.int64)
    for start, end in zip(starts, ends, strict=True):  # one video after the other: its captions, then the best of each
        highest = np.full(n, -np.inf)
        for first in range(start, end, step):
            rows = order[first : min(first + step, end)]
            tile = similarities.take(rows)
            check_finite(tile, rows)
            np.maximum(highest, tile.max(axis=0), out=highest)
        counts[:, 0] += highest > best
        counts[:, 1] += highest == best
    counts[own, 1] -= 1  # every video's best caption ties with itself, and is not counted
    counts[own, 2] = 1
    return counts.astype(np.uint32)


def _right_scores(similarities: Scores, pairs: Pairs) -> np.ndarray:
    scores = similarities.at(pairs.rows, pairs.columns)
    bad = np.flatnonzero(~np.isfinite(scores))
    if bad.size:
        raise _not_finite(scores[bad[0]], int(pairs.rows[bad[0]]), int(pairs.columns[bad[0]]))
    return scores


def check_finite(tile: np.ndarray, rows: np.ndarray) -> None:
    """Raises InvalidData for a NaN or an infinite value in rows (k, N) of a matrix, naming its row and column."""
    finite = np.isfinite(tile)
    if not finite.all():
        row, column = (int(place) for place in np.unravel_index(int(np.argmin(finite)), tile.shape))
        raise _not_finite(float(tile[row, column]), int(rows[row]), column)


def _not_finite(value: float, row: int, column: int) -> InvalidData:
    return InvalidData(
        f"the similarity in row {row}, column {column} (counted from 0) is {value}: it cannot be ranked. "
        "Correct what computed it; for a pair that must not be found use a very low finite value."
    )
