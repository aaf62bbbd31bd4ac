"""What models share that embed videos and paragraphs by one trained network.

A model built on it says what its network is, and everything else follows:

    class Mine(DualEncoder[MyNetwork]):
        def build(self, dim, vectors):
            return MyNetwork(dim, vectors, self.settings)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from torch import Tensor

from bench.api import Paragraph, VideoBatch
from bench_torch.network_model import VideoTextModel
from bench_torch.training import MatchingNetwork

M = TypeVar("M", bound=MatchingNetwork)


class DualEncoder(VideoTextModel[M]):
    """Base of models that turn videos and paragraphs into vectors of one space."""

    def embed_videos(self, videos: VideoBatch) -> Tensor:
        """Returns (B, d) float32 on the model's device. Raises: InvalidData for features of another dimension."""
        self.check_dim(videos)
        with self.predicting():
            return self.network.embed_videos(videos.to(self.execution.device)).float()

    def embed_paragraphs(self, paragraphs: Sequence[Paragraph]) -> Tensor:
        """Returns (n, d) float32 on the model's device."""
        with self.predicting():
            return self.network.embed_text(self.encode(paragraphs)).float()
