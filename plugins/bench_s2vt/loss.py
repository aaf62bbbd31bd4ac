"""The loss of S2VT where it matches; where it captions it is `bench_torch.candidates.caption_loss`."""

from __future__ import annotations

from torch import Tensor

from bench_torch.losses import ranking_loss


def matching_loss(videos: Tensor, paragraphs: Tensor, margin: float, same: Tensor | None = None) -> Tensor:
    """Returns the ranking loss of final states, both (B, d), row by row a pair: the one that FSE is trained with.

    `same` (B, B) bool: entries of one video, which are no negatives; the paper trains on captions one by one, each with
    its video, and has no negatives.
    """
    return ranking_loss(videos, paragraphs, margin, same=same)
