"""Cosine similarities of texts and videos as scores that can be read by rows: for matchings that are not one to one.

Tiles have one fixed shape and are computed in float32 as `bench.metrics.ranking` does it, so equal embeddings get equal
scores wherever they stand, and a row read twice is the same twice. Beside the normalised embeddings the scores of one
block of texts are kept.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from bench.metrics.ranking import Tile, checked, even_tile, exact_float32, normalise, tile_height


class Cosines:
    """The (M, N) cosines of M texts and N videos (`bench.metrics.similarities.Scores`)."""

    dtype = "float32"

    def __init__(self, texts: Tensor, videos: Tensor) -> None:
        """Takes (M, D) and (N, D) float32 on the device that shall compute; they need not be normalised.

        Raises: ModelError when an embedding is all zeros, NaN or infinite.
        """
        checked("text", texts)
        checked("video", videos)
        self.shape = len(texts), len(videos)
        self.height = tile_height(max(self.shape), texts.shape[1], texts.device.type)
        self._texts, self._videos = self._blocks(texts), self._blocks(videos)
        self._kept: tuple[int, np.ndarray] | None = None
        with exact_float32(texts.device.type):
            self._tile: Tile = even_tile(self.height, texts)

    def _blocks(self, vectors: Tensor) -> Tensor:
        """Returns (blocks, T, D): vectors of length 1, zeros after the last."""
        count, dim = vectors.shape
        blocks = vectors.new_empty(-(-count // self.height), self.height, dim)
        flat = blocks.view(-1, dim)
        flat[:count] = vectors
        for number, block in enumerate(blocks):
            normalise(block, min(self.height, count - number * self.height))
        return blocks

    def rows(self, start: int, stop: int) -> np.ndarray:
        """Returns (stop - start, N) float32."""
        numbers = range(start // self.height, -(-stop // self.height))
        blocks = [self._block(number) for number in numbers]
        offset = start - numbers.start * self.height
        return (blocks[0] if len(blocks) == 1 else np.concatenate(blocks))[offset : offset + stop - start]

    def take(self, rows: np.ndarray) -> np.ndarray:
        """Returns (k, N) float32."""
        first = int(rows.min())
        return np.asarray(self.rows(first, int(rows.max()) + 1)[rows - first])

    def at(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Returns (P,) float64: the score of each pair of places, `rows` rising."""
        scores = np.empty(len(rows))
        for number in range(len(self._texts)):
            start = number * self.height
            part = slice(*np.searchsorted(rows, [start, start + self.height]))
            if part.start < part.stop:
                scores[part] = self._block(number)[rows[part] - start, columns[part]]
        return scores

    @torch.no_grad()
    def _block(self, number: int) -> np.ndarray:
        """Returns (T, N) float32: the scores of one block of texts; the last one is kept."""
        if self._kept is None or self._kept[0] != number:
            scores = np.empty((self.height, len(self._videos) * self.height), dtype=np.float32)
            with exact_float32(self._texts.device.type):
                for i, videos in enumerate(self._videos):
                    self._tile.multiply(self._texts[number], videos)
                    scores[:, i * self.height : (i + 1) * self.height] = self._tile.scores.cpu().numpy()
            self._kept = number, scores[:, : self.shape[1]]
        return self._kept[1]
