"""The loss of S2VT where it matches; where it captions it is `bench_torch.candidates.caption_loss`."""

from __future__ import annotations

from torch import Tensor

from bench_torch.losses import ranking_loss


def matching_loss(videos: Tensor, paragraphs: Tensor, margin: float) -> Tensor:
    """Returns the ranking loss of final states, both (B, d), row by row a pair: the one that FSE is trained with."""
    return ranking_loss(videos, paragraphs, margin)
