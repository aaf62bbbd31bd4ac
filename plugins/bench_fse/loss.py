"""The loss of FSE."""

from __future__ import annotations

from torch import Tensor

from bench_torch.losses import ranking_loss


def flat_loss(
    videos: Tensor, paragraphs: Tensor, margin: float, *, hardest: bool, same: Tensor | None = None
) -> Tensor:
    """Returns rank(V_ctx, P_ctx), the only term of FSE; both (B, d), row by row a pair.

    `same` (B, B) bool: entries of one video, which are no negatives; the paper has one paragraph a video.

    Source: loss_3 of the released HSE code, run with `--norm`.
    """
    return ranking_loss(videos, paragraphs, margin, hardest=hardest, same=same)
