"""The losses of S2VT: captioning as in its paper, or matching."""

from __future__ import annotations

from torch import Tensor

from bench.api import Ragged
from bench_torch.losses import ranking_loss


def caption_loss(log_likelihoods: Tensor, paragraphs: Ragged) -> Tensor:
    """Returns the mean cross-entropy of a word, ends of paragraphs included.

    Args:
        log_likelihoods: (B,) float32: log p of each paragraph and its end.
        paragraphs: B sequences of word numbers.

    Source: Venugopalan et al., ICCV 2015, section 3.1: only what is said while decoding counts.
    """
    return -log_likelihoods.sum() / (paragraphs.lengths + 1).sum()


def matching_loss(videos: Tensor, paragraphs: Tensor, margin: float) -> Tensor:
    """Returns the ranking loss of final states, both (B, d), row by row a pair: the one that FSE is trained with."""
    return ranking_loss(videos, paragraphs, margin)
