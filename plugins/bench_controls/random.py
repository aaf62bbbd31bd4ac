"""`random`: vectors that depend on nothing but the seed and the name of the thing."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from bench.api import Execution, Paragraph, Settings, VideoBatch

if TYPE_CHECKING:
    from torch import Tensor

DIM = 64


class RandomVectors:
    """Standard normal vectors. A video's comes from its id, a paragraph's from its text, both with the seed.

    So a vector does not depend on the batch it was asked for in, and a run can be repeated.
    """

    def __init__(self, settings: Settings, execution: Execution) -> None:
        self._execution = execution

    def embed_videos(self, videos: VideoBatch) -> Tensor:
        """Returns (B, DIM) float32."""
        return self._vectors([f"video {name}" for name in videos.ids])

    def embed_paragraphs(self, paragraphs: Sequence[Paragraph]) -> Tensor:
        """Returns (n, DIM) float32."""
        return self._vectors(["paragraph " + "\n".join(paragraph) for paragraph in paragraphs])

    def _vectors(self, names: Sequence[str]) -> Tensor:
        import torch

        rows = np.empty((len(names), DIM), dtype=np.float32)
        for row, name in zip(rows, names, strict=True):
            digest = hashlib.sha256(f"{self._execution.seed} {name}".encode()).digest()
            row[:] = np.random.default_rng(int.from_bytes(digest)).standard_normal(DIM)
        return torch.from_numpy(rows).to(self._execution.device)
