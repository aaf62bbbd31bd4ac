"""What models share that embed videos and paragraphs by one trained network.

A model built on it says what its network is, and everything else follows:

    class Mine(DualEncoder):
        def build(self, dim, vectors):
            return MyNetwork(dim, vectors, self.settings)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from torch import Tensor

from bench.api import Paragraph, VideoBatch
from bench_torch.training import MatchingNetwork
from bench_torch.video_text_model import VideoTextModel


class DualEncoder(VideoTextModel):
    """Base of models that turn videos and paragraphs into vectors of one space."""

    def build(self, dim: int, vectors: Tensor) -> MatchingNetwork:
        """Returns a fresh network for features of `dim` numbers and words that start from `vectors` (words, d)."""
        raise NotImplementedError

    @property
    def network(self) -> MatchingNetwork:
        """The network. Raises: ModelError before `fit` or `load_state`."""
        return cast("MatchingNetwork", super().network)

    def embed_videos(self, videos: VideoBatch) -> Tensor:
        """Returns (B, d) float32 on the model's device. Raises: InvalidData for features of another dimension."""
        self.check_dim(videos)
        with self.predicting():
            return self.network.embed_videos(videos.to(self.execution.device)).float()

    def embed_paragraphs(self, paragraphs: Sequence[Paragraph]) -> Tensor:
        """Returns (n, d) float32 on the model's device."""
        with self.predicting():
            return self.network.embed_text(self.encode(paragraphs)).float()
