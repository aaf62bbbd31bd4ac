"""Ranks of matching pairs by cosine similarity, both directions from one pass over the similarities.

The N x N similarities are computed in square tiles of one fixed shape and never kept; beside the embeddings and the
counts this takes less than 64 MB at any N. Three things make the counts exact, each measured to matter:

- A pair's score is read from the tile it lies in and never computed apart: a separate dot product differs in the last
  bit for most pairs, and then 43 % of the queries outrank themselves.
- All tiles have the same shape (padded), so equal embeddings get equal scores wherever they stand. `_is_even` checks
  that the matrix product at hand keeps this promise; where it does not, scores are rounded from float64.
- Tiles on the diagonal come first: they hold the score of every pair. The other tiles are then counted along rows and
  along columns against those scores, so that no similarity is computed twice.

Letters for shapes: `N` pairs, `D` dimension, `T` tile height.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from bench.errors import ModelError

TILE = {"cpu": 512, "cuda": 1920}
"""Largest tile height: fits a CPU's cache; keeps a GPU busy. At most 2040, so that `sums` cannot overflow."""
BLOCK_BYTES = 8 << 20
"""Largest block of `T` normalised embeddings, in bytes."""
STRIPE_BYTES = 16 << 20
"""Normalised queries kept while the items pass by: many enough to make normalising the items cheap."""


@dataclass(frozen=True)
class PairCounts:
    """How many wrong partners score above, and equal to, the right one.

    Attributes:
        queries: (N, 2) int64: items with a higher similarity than the query's own item, and with an equal one.
        items: (N, 2) int64: the same for each item among the queries.
    """

    queries: np.ndarray
    items: np.ndarray


@dataclass(frozen=True)
class _Pairs:
    """Both sides of the test set with item `partners[i]` beside query i, cut into blocks of `height` pairs."""

    queries: Tensor
    items: Tensor
    partners: Tensor
    height: int

    @property
    def blocks(self) -> int:
        return -(-len(self.queries) // self.height)

    def size(self, block: int) -> int:
        return min(self.height, len(self.queries) - block * self.height)

    def unit_queries(self, block: int, out: Tensor) -> Tensor:
        start = block * self.height
        out[: self.size(block)] = self.queries[start : start + self.height]
        return normalise(out, self.size(block))

    def unit_items(self, block: int, out: Tensor) -> Tensor:
        start = block * self.height
        torch.index_select(self.items, 0, self.partners[start : start + self.height], out=out[: self.size(block)])
        return normalise(out, self.size(block))


@dataclass(frozen=True)
class _Counts:
    """Running counts; `own` holds the score of each pair, infinity beyond the last. All are (blocks, T)."""

    own: Tensor
    row_greater: Tensor
    row_not_less: Tensor
    column_greater: Tensor
    column_not_less: Tensor


@dataclass(frozen=True)
class Tile:
    """Buffers for one tile: `scores` (T, T) float32, `mask` (T, T) bool; `even` as found by `_is_even`."""

    scores: Tensor
    mask: Tensor
    even: bool = True

    def multiply(self, queries: Tensor, items: Tensor) -> None:
        """Fills `scores` with the inner products of (T, D) and (T, D)."""
        if self.even:
            torch.mm(queries, items.t(), out=self.scores)
        else:
            self.scores.copy_(torch.mm(queries.double(), items.double().t()))


@torch.no_grad()
def rank_pairs(queries: Tensor, items: Tensor, positives: Tensor) -> PairCounts:
    """Returns, for every query and every item, how many wrong partners are at least as similar as the right one.

    Args:
        queries: (N, D) float32, on the device that shall compute; need not be normalised.
        items: (N, D) float32, on the same device.
        positives: (N,) int64: the item that belongs to each query; a permutation.

    Raises: ModelError when an embedding is all zeros, NaN or infinite.
    """
    checked("query", queries)
    checked("item", items)
    count, dim = queries.shape
    if items.shape != queries.shape or not torch.equal(positives.sort().values.cpu(), torch.arange(count)):
        raise ValueError("rank_pairs needs as many items as queries, matched one to one")
    pairs = _Pairs(queries, items, positives.to(queries.device), tile_height(count, dim, queries.device.type))
    with exact_float32(queries.device.type):
        counts = _count(pairs)
    rows = torch.stack([counts.row_greater, counts.row_not_less - counts.row_greater], dim=-1)
    columns = torch.stack([counts.column_greater, counts.column_not_less - counts.column_greater], dim=-1)
    own = torch.tensor([0, 1], device=queries.device)  # every pair ties with itself, and is not counted
    by_query = rows.reshape(-1, 2)[:count] - own
    by_item = torch.empty_like(by_query)
    by_item[pairs.partners] = columns.reshape(-1, 2)[:count] - own
    return PairCounts(by_query.cpu().numpy(), by_item.cpu().numpy())


def tile_height(count: int, dim: int, device: str) -> int:
    """Returns the tile height for `count` pairs: a multiple of 16 that pads little and keeps a block small."""
    largest = max(16, min(TILE.get(device, 512), BLOCK_BYTES // (4 * dim)) // 16 * 16)
    blocks = -(-count // largest)
    return max(16, -(-count // blocks // 16) * 16) if count else 16


def _count(pairs: _Pairs) -> _Counts:
    height, dim = pairs.height, pairs.queries.shape[1]
    empty = pairs.queries.new_empty
    tile = even_tile(height, pairs.queries)
    zeros = [empty(pairs.blocks, height, dtype=torch.int64).zero_() for _ in range(4)]
    counts = _Counts(empty(pairs.blocks, height).fill_(torch.inf), *zeros)
    item_block = empty(height, dim)
    stripe = empty(max(1, min(pairs.blocks, STRIPE_BYTES // (4 * height * dim))), height, dim)

    for block in range(pairs.blocks):  # the diagonal: the score of every pair, and the counts beside it
        tile.multiply(pairs.unit_queries(block, stripe[0]), pairs.unit_items(block, item_block))
        size = pairs.size(block)
        counts.own[block, :size] = tile.scores.diagonal()[:size]
        _add(tile, counts, (block, block), (size, size))
    for first in range(0, pairs.blocks, len(stripe)):
        rows = range(first, min(first + len(stripe), pairs.blocks))
        for row in rows:
            pairs.unit_queries(row, stripe[row - first])
        for column in range(pairs.blocks):
            pairs.unit_items(column, item_block)
            for row in rows:
                if row != column:
                    tile.multiply(stripe[row - first], item_block)
                    _add(tile, counts, (row, column), (pairs.size(row), pairs.size(column)))
    return counts


def even_tile(height: int, vectors: Tensor) -> Tile:
    """Returns buffers for one tile of products of vectors (n, D), and whether these keep `_is_even`'s promise."""
    empty = vectors.new_empty
    tile = Tile(empty(height, height), empty(height, height, dtype=torch.bool))
    return Tile(tile.scores, tile.mask, even=_is_even(tile, vectors.shape[1]))


def _add(tile: Tile, counts: _Counts, block: tuple[int, int], size: tuple[int, int]) -> None:
    """Adds one tile's counts along its rows and its columns; `size` is how much of the tile is no padding."""
    (row, column), (height, width) = block, size
    tile.scores[height:] = -torch.inf
    tile.scores[:, width:] = -torch.inf
    own_of_row, own_of_column = counts.own[row, :, None], counts.own[column]
    counts.row_greater[row] += sums(torch.gt(tile.scores, own_of_row, out=tile.mask), 1)
    counts.row_not_less[row] += sums(torch.ge(tile.scores, own_of_row, out=tile.mask), 1)
    counts.column_greater[column] += sums(torch.gt(tile.scores, own_of_column, out=tile.mask), 0)
    counts.column_not_less[column] += sums(torch.ge(tile.scores, own_of_column, out=tile.mask), 0)


def sums(mask: Tensor, dim: int) -> Tensor:
    """Returns (T,) int64: the number of true values of `mask` (T, T) along `dim`.

    Eight bytes are added at once as one int64: T / 8 terms of at most 1 cannot carry from byte to byte.
    """
    height = len(mask)
    words = mask.view(torch.int64)
    if dim == 1:
        return words.sum(1).view(torch.uint8).view(height, 8).sum(1)
    return words.view(8, height // 8, height // 8).sum(1).view(torch.uint8).view(8, height).sum(0)


def normalise(rows: Tensor, size: int) -> Tensor:
    """Divides the first `size` rows by their length, in place, and fills the rest with zeros."""
    rows[size:] = 1.0
    # By the largest value first: squares of very large or very small values leave the range of float32.
    rows.div_(torch.maximum(rows.amax(1), -rows.amin(1))[:, None])
    rows.div_(torch.linalg.vector_norm(rows, dim=1, keepdim=True))
    rows[size:] = 0.0
    return rows


def _is_even(tile: Tile, dim: int) -> bool:
    """True when equal inputs give equal scores at every place of a tile.

    A matrix product may add up in another order at its edges, or in another thread; the last bit then depends on
    where an item stands, and a duplicate of the right item would count as above or below it.
    """
    vector = torch.sin(torch.arange(1, dim + 1, device=tile.scores.device, dtype=torch.float32) * 1.7)
    rows = vector.expand(len(tile.scores), dim).contiguous()
    tile.multiply(rows, rows.clone())
    return bool((tile.scores == tile.scores[0, 0]).all())


def checked(side: str, vectors: Tensor) -> None:
    """Raises ModelError unless `vectors` are float32 (n, d) and each of them has a direction."""
    if vectors.dtype != torch.float32 or vectors.ndim != 2 or not vectors.numel():
        raise ModelError(
            f"{side} embeddings are {vectors.dtype} of shape {tuple(vectors.shape)}; expected float32 (n, d)."
        )
    step = max(1, BLOCK_BYTES // (4 * vectors.shape[1]))
    for start in range(0, len(vectors), step):
        block = vectors[start : start + step]
        largest = torch.maximum(block.amax(1), -block.amin(1))
        bad = ~(torch.isfinite(largest) & (largest > 0))
        if bool(bad.any()):
            row = int(bad.nonzero()[0])
            what = "is all zeros, which has no direction" if largest[row] == 0 else "holds NaN or infinity"
            raise ModelError(f"{side} embedding {start + row} {what}: it cannot be ranked. Check the model's output.")


@contextmanager
def exact_float32(device: str) -> Iterator[None]:
    """Switches TF32, bfloat16 products and autocast off: they change R@1 by up to several points."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        with torch.autocast(device, enabled=False):
            yield
    finally:
        torch.set_float32_matmul_precision(before)
