"""Ranks in galleries of any size: cosines in tiles, in parts that processes share out, counted and never kept.

What is counted is what `bench.metrics.similarities` counts of a matrix, by the tiles of `bench.metrics.ranking`: one
fixed shape, so that equal embeddings get equal scores wherever they stand. Four things keep it near the cost of the
bare products, at any number of items:

- Items that are right for some query come first, in the order of the queries, which is why the right pairs lie in few
  tiles. Their scores are read from those tiles before anything is counted, and the tiles are made again to be counted:
  the same tile, the same bits.
- Only those items ask back, so only their tiles are counted along columns.
- A line of a tile whose highest score is below the right one needs no counting, and with a good model most are.
- Each part needs a stripe of queries and one block of items at a time, both read from their files where they are
  needed. How the parts are shared out decides no count.

Letters for shapes: `M` queries, `N` items, `P` right pairs, `D` dimension, `T` tile height.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from bench.metrics.galleries import Gallery, Vectors, within
from bench.metrics.ranking import even_tile, exact_float32, normalise, sums


@dataclass(frozen=True)
class GalleryCounts:
    """What `count_gallery` counts.

    Attributes:
        row_pairs, column_pairs: (P, 2) int64, for each right pair the other items above it and equal to it, and the
            other queries (`bench.metrics.similarities.RankCounts`).
        best_captions: (N, 3) uint32 as `count_best_captions` returns them, or None.
    """

    row_pairs: np.ndarray
    column_pairs: np.ndarray
    best_captions: np.ndarray | None


AT_ONCE = 128
"""Rows of a tile that are compared at once: they fit a processor's nearest cache."""

Run = Callable[[Callable[..., Any], Sequence[tuple[Any, ...]]], Iterable[Any]]
"""`run(method of Ranker, arguments of each call)` gives the results in order, whichever process computes them."""


def count_gallery(
    gallery: Gallery, run: Run, *, best_captions: bool, step: Callable[[int, int], None] = lambda done, total: None
) -> GalleryCounts:
    """Returns how many items, and queries, outrank the right ones; pairs and items in the order of the gallery.

    Args:
        run: calls methods of a `Ranker`.
        best_captions: count v2t by videos' best captions too; every query then has one right item.
        step: told how many parts of all are done.
    """
    stripes, shards, pairs = gallery.stripes(), gallery.shards(), gallery.pairs
    right = np.concatenate(list(run(Ranker.right_scores, [(stripe,) for stripe in stripes])))
    parts = [(stripe, shard, right) for stripe in stripes for shard in shards]
    row_pairs, column_pairs = (np.tile(np.array([0, -1]), (len(right), 1)) for _ in range(2))  # each ties with itself
    by_column = np.argsort(pairs.columns, kind="stable")
    for done, ((stripe, shard, _), (of_rows, of_columns)) in enumerate(
        zip(parts, run(Ranker.count, parts), strict=True), 1
    ):
        row_pairs[within(pairs.rows, stripe, gallery.height)] += of_rows
        column_pairs[by_column[within(pairs.columns[by_column], shard, gallery.height)]] += of_columns
        step(done, len(parts))
    best = None
    if best_captions:
        own = np.maximum.reduceat(right[by_column], np.flatnonzero(np.diff(pairs.columns[by_column], prepend=-1)))
        blocks = [(block, own) for block in range(gallery.blocks(gallery.asked))]
        best = np.zeros((len(gallery.item_places), 3), dtype=np.uint32)
        best[: gallery.asked] = np.concatenate(list(run(Ranker.best_captions, blocks)))
    return GalleryCounts(row_pairs, column_pairs, best)


class Ranker:
    """Computes parts of one gallery; each process has its own. Threads are left as they are set."""

    def __init__(self, gallery: Gallery) -> None:
        self._gallery, self._height = gallery, gallery.height
        dim = gallery.queries.shape[1]
        with exact_float32("cpu"):
            self._tile = even_tile(self._height, torch.empty(0, dim))
        self._stripe = torch.empty(gallery.stripe, self._height, dim)
        self._items = torch.empty(self._height, dim)
        self._above, self._equal = masks = np.zeros((2, self._height, self._height), dtype=bool)
        self._masks = torch.from_numpy(masks)
        self._by_column = np.argsort(gallery.pairs.columns, kind="stable")
        self._columns = gallery.pairs.columns[self._by_column]
        self._kept: range | None = None

    def call(self, method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        """Returns what one of the methods below gives; all products are made of whole float32 numbers."""
        with exact_float32("cpu"):
            return method(self, *arguments)

    def right_scores(self, stripe: range) -> np.ndarray:
        """Returns (p,) float32: scores of the right pairs of a stripe of queries, read from the tiles they lie in."""
        pairs, height = self._gallery.pairs, self._height
        part = within(pairs.rows, stripe, height)
        rows, columns = pairs.rows[part], pairs.columns[part]
        scores = np.empty(len(rows), dtype=np.float32)
        for column in np.unique(columns // height).tolist():
            self._load_items(column)
            beside = columns // height == column
            for row in np.unique(rows[beside] // height).tolist():
                tile, here = self._scores(stripe, row, column), beside & (rows // height == row)
                scores[here] = tile[rows[here] - row * height, columns[here] - column * height]
        return scores

    def count(self, stripe: range, shard: range, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns (p, 2) and (q, 2) int64: items above and equal to each right pair of the stripe, and queries above
        and equal to each right pair of the shard, ordered by item; among those of the part, itself counted.

        Args:
            right: (P,) float32, the scores of all right pairs.
        """
        pairs, height = self._gallery.pairs, self._height
        own, asked = within(pairs.rows, stripe, height), within(self._columns, shard, height)
        of_rows, of_columns = (np.zeros((part.stop - part.start, 2), dtype=np.int64) for part in (own, asked))
        lines = [_Lines.of(pairs.rows, row, own, height) for row in stripe]
        for column in shard:
            self._load_items(column)
            asking = _Lines.of(self._columns, column, asked, height)
            scores = right[self._by_column[asking.pairs]]
            for row, line in zip(stripe, lines, strict=True):
                tile = self._scores(stripe, row, column)
                of_rows[line.place] += self._outranking(tile, 0, line, right[line.pairs])
                if len(scores):
                    of_columns[asking.place] += self._outranking(tile, 1, asking, scores)
        return of_rows, of_columns

    def best_captions(self, block: int, own: np.ndarray) -> np.ndarray:
        """Returns (t, 3) uint32 for the items of a block that are asked for: videos whose best caption scores above
        the item's own best, equal to it, and 1.

        Args:
            own: (asked,) float32: the best score of each item with a caption of its own.
        """
        gallery, height = self._gallery, self._height
        videos = gallery.pairs.columns  # of each query, rising
        start, stop = block * height, min((block + 1) * height, gallery.asked)
        counts, carried = np.zeros((stop - start, 3), dtype=np.int64), np.full(stop - start, -np.inf, dtype=np.float32)
        self._load_items(block)
        for stripe in gallery.stripes():
            for row in stripe:
                of_rows = videos[row * height : (row + 1) * height]
                tile = self._scores(stripe, row, block)[: len(of_rows), : stop - start]
                best = np.maximum.reduceat(tile, np.flatnonzero(np.diff(of_rows, prepend=-1)), axis=0)
                if row and of_rows[0] == videos[row * height - 1]:
                    np.maximum(best[0], carried, out=best[0])
                after = (row + 1) * height
                if after < len(videos) and videos[after] == of_rows[-1]:  # goes on in the next block
                    best, carried = best[:-1], best[-1]
                counts[:, 0] += (best > own[start:stop]).sum(axis=0)
                counts[:, 1] += (best == own[start:stop]).sum(axis=0)
        return np.asarray(
            counts + np.array([0, -1, 1]), dtype=np.uint32
        )  # its own ties with itself, and is not counted

    def _load_items(self, block: int) -> None:
        gallery = self._gallery
        self._load(self._items, gallery.items, gallery.item_places[block * self._height :][: self._height])

    def _load(self, out: torch.Tensor, vectors: Vectors, places: np.ndarray) -> None:
        out[: len(places)] = torch.from_numpy(vectors.take(places))
        normalise(out, len(places))

    def _scores(self, stripe: range, row: int, column: int) -> np.ndarray:
        """Returns the (T, T) tile of a block of queries and the block of items that was loaded; padding is -inf."""
        gallery = self._gallery
        if self._kept != stripe:
            for number, block in zip(stripe, self._stripe, strict=False):
                places = gallery.query_places[number * self._height :][: self._height]
                self._load(block, gallery.queries, places)
            self._kept = stripe
        self._tile.multiply(self._stripe[row - stripe.start], self._items)
        scores: np.ndarray = self._tile.scores.numpy()
        rows, columns = len(gallery.query_places) - row * self._height, len(gallery.item_places) - column * self._height
        if min(rows, columns) < self._height:
            scores[rows:], scores[:, columns:] = -np.inf, -np.inf
        return scores

    def _outranking(self, tile: np.ndarray, axis: int, lines: _Lines, scores: np.ndarray) -> np.ndarray:
        """Returns (p, 2) int64: how many scores lie above each of `scores` (p,), and equal, in its row or column.

        Args:
            tile: (T, T).
            axis: 0 where `lines` are rows, 1 where they are columns.
        """
        counts = np.zeros((len(scores), 2), dtype=np.int64)
        highest = torch.amax(self._tile.scores, 1 - axis).numpy()
        reached = np.flatnonzero(highest[lines.at] >= scores)  # in most tiles nothing comes near a good model's score
        if lines.all and len(reached) > len(lines.at) // 2:
            return self._compared(tile, axis, scores)
        for start in range(0, len(reached), self._height):
            some = reached[start : start + self._height]
            against = scores[some, None] if axis == 0 else scores[some]
            chosen = np.take(tile, lines.at[some], axis=axis)
            counts[some, 0] = np.count_nonzero(chosen > against, axis=1 - axis)
            counts[some, 1] = np.count_nonzero(chosen == against, axis=1 - axis)
        return counts

    def _compared(self, tile: np.ndarray, axis: int, scores: np.ndarray) -> np.ndarray:
        """Returns (k, 2) int64: how many values of the first k rows or columns lie above each score, and equal."""
        count = len(scores)
        if axis == 1:
            for outranks, mask in ((np.greater, self._above), (np.equal, self._equal)):
                outranks(tile[:, :count], scores, out=mask[:, :count])
        else:
            for start in range(0, count, AT_ONCE):  # what was read for one comparison is there for the other
                part = slice(start, min(start + AT_ONCE, count))
                for outranks, mask in ((np.greater, self._above), (np.equal, self._equal)):
                    outranks(tile[part], scores[part, None], out=mask[part])
        return np.stack([sums(mask, 1 - axis)[:count] for mask in self._masks], axis=1)


@dataclass(frozen=True)
class _Lines:
    """Rows or columns of a tile, one for each right pair in them.

    Attributes:
        at: (p,) their places in the tile, rising.
        pairs: which of all right pairs they are.
        place: the same within a part.
        all: whether they are its first lines, each once.
    """

    at: np.ndarray
    pairs: slice
    place: slice
    all: bool

    @classmethod
    def of(cls, rising: np.ndarray, block: int, part: slice, height: int) -> _Lines:
        """Returns the lines of a block of a part, where `rising` (P,) are the lines of all pairs."""
        pairs = within(rising, range(block, block + 1), height)
        at = rising[pairs] - block * height
        place = slice(pairs.start - part.start, pairs.stop - part.start)
        return cls(at, pairs, place, np.array_equal(at, np.arange(len(at))))


def in_this_process(gallery: Gallery) -> Run:
    """Returns a `Run` that computes here."""
    ranker = Ranker(gallery)

    def run(method: Callable[..., Any], calls: Sequence[tuple[Any, ...]]) -> Iterator[Any]:
        return (ranker.call(method, arguments) for arguments in calls)

    return run
