"""Galleries of any size: queries and items in the order in which they are ranked, read from their files in parts.

Letters for shapes: `M` queries, `N` items, `P` right pairs, `D` dimension, `T` tile height.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from bench.metrics.ranking import STRIPE_BYTES, tile_height
from bench.metrics.similarities import Pairs

SHARD = 32
"""Blocks of items in one part: a second's work at the dimensions of the field."""


class Vectors(Protocol):
    """Embeddings that lie in a file and are read where they are needed."""

    @property
    def shape(self) -> tuple[int, int]:
        """How many, and their dimension."""

    def take(self, places: np.ndarray) -> np.ndarray:
        """Returns (k, D) float32: those at k places."""


@dataclass(frozen=True)
class Gallery:
    """Queries and items in the order in which they are ranked; processes get it whole.

    Attributes:
        query_places: (M,) int64, the place of each query in its file.
        item_places: (N,) int64, the place of each item in its file; those that are right for some query come first.
        asked: how many come first.
        pairs: the right pairs as numbers in those orders, ordered by query.
    """

    queries: Vectors
    items: Vectors
    query_places: np.ndarray
    item_places: np.ndarray
    asked: int
    pairs: Pairs

    @property
    def height(self) -> int:
        """T."""
        return tile_height(max(len(self.query_places), len(self.item_places)), self.queries.shape[1], "cpu")

    @property
    def stripe(self) -> int:
        """How many blocks of queries a part has at most."""
        return max(1, STRIPE_BYTES // (4 * self.height * self.queries.shape[1]))

    def blocks(self, count: int) -> int:
        """Returns how many blocks hold `count` vectors."""
        return -(-count // self.height)

    def stripes(self) -> list[range]:
        """Returns all blocks of queries, in runs."""
        return _runs(self.blocks(len(self.query_places)), self.stripe)

    def shards(self) -> list[range]:
        """Returns all blocks of items, in runs."""
        return _runs(self.blocks(len(self.item_places)), SHARD)


def gallery_of(queries: Vectors, items: Vectors, asking: np.ndarray, pairs: Pairs) -> tuple[Gallery, np.ndarray]:
    """Returns a gallery, and (P,) the place of each of its pairs among `pairs`.

    Args:
        asking: (M,) int64, places of the queries that are ranked.
        pairs: numbers in `asking`, each at least once, and places of items.
    """
    distinct, first = np.unique(pairs.columns, return_index=True)
    right = distinct[np.argsort(first, kind="stable")]
    number = np.empty(len(distinct), dtype=np.int64)
    number[np.argsort(first, kind="stable")] = np.arange(len(distinct))
    columns = number[np.searchsorted(distinct, pairs.columns)]
    others = np.ones(items.shape[0], dtype=bool)
    others[right] = False
    best = np.full(len(asking), len(distinct), dtype=np.int64)
    np.minimum.at(best, pairs.rows, columns)
    order = np.argsort(best, kind="stable")  # captions of one video stand beside one another
    row = np.empty(len(asking), dtype=np.int64)
    row[order] = np.arange(len(asking))
    rows = row[pairs.rows]
    sort = np.lexsort((columns, rows))
    item_places = np.concatenate([right, np.flatnonzero(others)])
    ranked = Pairs(rows[sort], columns[sort])
    return Gallery(queries, items, asking[order], item_places, len(distinct), ranked), sort


def within(rising: np.ndarray, blocks: range, height: int) -> slice:
    """Returns where the numbers of a run of blocks lie in an array of numbers that rise."""
    start, stop = np.searchsorted(rising, [blocks.start * height, blocks.stop * height]).tolist()
    return slice(start, stop)


def _runs(count: int, length: int) -> list[range]:
    return [range(start, min(start + length, count)) for start in range(0, count, length)]
