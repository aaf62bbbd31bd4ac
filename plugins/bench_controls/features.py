"""`features`: what a classifier gets from the features themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.api import Execution, Settings, VideoBatch

if TYPE_CHECKING:
    from torch import Tensor


class MeanFeatures:
    """The mean of the feature rows of a video; nothing is trained."""

    def __init__(self, settings: Settings, execution: Execution) -> None:
        self._device = execution.device

    def embed_videos(self, videos: VideoBatch) -> Tensor:
        """Returns (B, D) float32."""
        from bench_torch.encoder import means

        return means(videos.frames.to(self._device))
