"""The loss of FSE."""

from __future__ import annotations

from torch import Tensor

from bench_torch.losses import ranking_loss


def flat_loss(videos: Tensor, paragraphs: Tensor, margin: float, *, hardest: bool) -> Tensor:
    """Returns rank(V_ctx, P_ctx), the only term of FSE; both (B, d), row by row a pair.

    Source: loss_3 of the released HSE code, run with `--norm`.
    """
    return ranking_loss(videos, paragraphs, margin, hardest=hardest)
