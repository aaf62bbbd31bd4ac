"""What models share that score a video and a paragraph by one trained network, pair by pair in tiles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor

from bench.api import Paragraph, VideoBatch
from bench_torch.network_model import VideoTextModel
from bench_torch.text import Text
from bench_torch.training import TrainableNetwork


class ScoringNetwork(TrainableNetwork):
    """A network that encodes each side once and then scores every pair of a tile."""

    def encode_videos(self, videos: VideoBatch) -> Any:
        """Returns what `score` needs of a batch of videos."""
        raise NotImplementedError

    def encode_text(self, text: Text) -> Any:
        """Returns what `score` needs of some paragraphs."""
        raise NotImplementedError

    def score(self, videos: Any, text: Any) -> Tensor:
        """Returns (paragraphs, videos)."""
        raise NotImplementedError


S = TypeVar("S", bound=ScoringNetwork)


class PairScorer(VideoTextModel[S]):
    """Base of models that score pairs; `build` says what their network is."""

    def encode_videos(self, videos: VideoBatch) -> Any:
        """Returns a tile of videos, encoded. Raises: InvalidData for features of another dimension."""
        self.check_dim(videos)
        with self.predicting():
            return self.network.encode_videos(videos.to(self.execution.device))

    def encode_paragraphs(self, paragraphs: Sequence[Paragraph]) -> Any:
        """Returns a tile of paragraphs, encoded."""
        with self.predicting():
            return self.network.encode_text(self.encode(paragraphs))

    def score(self, videos: Any, paragraphs: Any) -> Tensor:
        """Returns (paragraphs, videos) float32 on the model's device."""
        with self.predicting():
            return self.network.score(videos, paragraphs).to(torch.float32)
