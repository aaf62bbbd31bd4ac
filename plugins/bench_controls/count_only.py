"""`count-only`: what can be had from the numbers of segments and sentences alone.

With ground-truth segments a video has as many segments as its paragraph has sentences, which gives something away
before any feature is looked at. A model on such a task must be read against this floor.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bench.api import Execution, Paragraph, Settings, VideoBatch

if TYPE_CHECKING:
    from torch import Tensor

CAP = 32
"""Counts above are taken for equal; ActivityNet Captions has at most 27 sentences in a paragraph."""


class CountOnly:
    """One-hot vectors of a count: cosine 1 for equal counts, 0 for others; scoring handles the ties."""

    def __init__(self, settings: Settings, execution: Execution) -> None:
        self._device = execution.device

    def embed_videos(self, videos: VideoBatch) -> Tensor:
        """Returns (B, CAP + 1) float32, from the number of segments of each video."""
        return self._one_hot(videos.segments.lengths)

    def embed_paragraphs(self, paragraphs: Sequence[Paragraph]) -> Tensor:
        """Returns (n, CAP + 1) float32, from the number of sentences of each paragraph."""
        import torch

        return self._one_hot(torch.tensor([len(paragraph) for paragraph in paragraphs], dtype=torch.int64))

    def _one_hot(self, counts: Tensor) -> Tensor:
        from torch.nn.functional import one_hot

        return one_hot(counts.clamp(max=CAP), CAP + 1).float().to(self._device)
