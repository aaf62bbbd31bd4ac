"""Losses of models that match two sides: summed or hardest hinge, its block form, InfoNCE, reconstruction.

Everything here is computed in float32 whatever autocast says: a similarity rounded to bfloat16 moves ranks.

Where one video stands in a batch with several of its captions, `same` says so: the caption of either entry is right for
both, and no loss here counts it as a negative. It is None where every video stands in the batch once.

Letters for shapes: `B` pairs, `C` clips, `S` sentences, `R` rows, `d` dimension.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from bench.api import Ragged
from bench_torch.ranks import gathered


def cosines(x: Tensor, y: Tensor) -> Tensor:
    """Returns (n, m) float32: cosine of each row of x (n, d) with each row of y (m, d)."""
    with torch.autocast(x.device.type, enabled=False):
        return functional.normalize(_at_least_float32(x)) @ functional.normalize(_at_least_float32(y)).t()


def hinge(similarities: Tensor, margin: float, *, hardest: bool = False, same: Tensor | None = None) -> Tensor:
    """Returns the two-sided hinge loss of a (*, B, B) similarity matrix, (*), whose diagonal holds the true pairs.

    Every negative of both directions is summed and the sum divided by B * B; with `hardest` only the worst negative
    of each row and of each column counts, divided by the same B * B. `same` (B, B) bool: pairs that are no negatives.

    Source: rank(X, Y) of the released HSE code, run with `--norm`; `hardest` is its `--max_violation` (VSE++).
    """
    size = similarities.shape[-1]
    positive = similarities.diagonal(dim1=-2, dim2=-1)
    right = torch.eye(size, dtype=torch.bool, device=similarities.device) if same is None else same
    by_row = (margin + similarities - positive[..., :, None]).clamp(min=0).masked_fill(right, 0.0)
    by_column = (margin + similarities - positive[..., None, :]).clamp(min=0).masked_fill(right, 0.0)
    if hardest:
        return (by_row.amax(dim=-1).sum(dim=-1) + by_column.amax(dim=-2).sum(dim=-1)) / (size * size)
    return (by_row.sum(dim=(-2, -1)) + by_column.sum(dim=(-2, -1))) / (size * size)


def ranking_loss(x: Tensor, y: Tensor, margin: float, *, hardest: bool = False, same: Tensor | None = None) -> Tensor:
    """Returns rank(X, Y): the hinge loss on cosines, where row i of x (B, d) belongs to row i of y (B, d)."""
    return hinge(cosines(x, y), margin, hardest=hardest, same=same)


def ranking_losses(
    sides: Sequence[Tensor],
    pairs: Sequence[tuple[int, int]],
    margin: float,
    *,
    hardest: bool = False,
    same: Tensor | None = None,
) -> Tensor:
    """Returns (k,): the `ranking_loss` of each of k pairs of sides, by place in `sides`, of (B, d) each.

    All are computed at once, so that a GPU is told little; their last bits differ from those of one after the other.
    """
    with torch.autocast(sides[0].device.type, enabled=False):
        stacked = torch.stack([_at_least_float32(side) for side in sides])
        directions = functional.normalize(stacked, dim=2).unbind()
        x, y = (torch.stack([directions[pair[side]] for pair in pairs]) for side in range(2))
        return hinge(x @ y.transpose(1, 2), margin, hardest=hardest, same=same)


def cluster_loss(x: Tensor, y: Tensor, margin: float, *, hardest: bool = False, same: Tensor | None = None) -> Tensor:
    """Returns (rank(X, X) + rank(Y, Y)) / 2: things of one side kept apart from each other.

    A thing's cosine with itself is 1, so only pairs closer than 1 - margin cost anything.
    Source: the intra-modality terms of the HSE code.
    """
    of_x = ranking_loss(x, x, margin, hardest=hardest, same=same)
    return (of_x + ranking_loss(y, y, margin, hardest=hardest, same=same)) / 2


def part_cluster_loss(clips: Ragged, sentences: Ragged, margin: float, *, hardest: bool, same: Tensor | None) -> Tensor:
    """Returns `cluster_loss` of clips and sentences; those of one video (`same`, (B, B)) need not be kept apart.

    Without `same` the clips of one video are kept apart too, as in the released HSE code.
    """
    if same is None:
        return cluster_loss(clips.values, sentences.values, margin, hardest=hardest)
    sides = [
        ranking_loss(parts.values, parts.values, margin, hardest=hardest, same=of_parts(same, parts))
        for parts in (clips, sentences)
    ]
    return (sides[0] + sides[1]) / 2


def of_parts(same: Tensor, parts: Ragged) -> Tensor:
    """Returns (C, C) bool for the parts of B things, true for a part with itself and with parts of another entry of its
    video; parts of one entry are kept apart."""
    owners = parts.owners()
    other = same & ~torch.eye(len(same), dtype=torch.bool, device=same.device)
    return other[owners][:, owners] | torch.eye(len(owners), dtype=torch.bool, device=same.device)


def block_loss(
    clips: Ragged, sentences: Ragged, margin: float, *, hardest: bool = False, same: Tensor | None = None
) -> Tensor:
    """Returns the weak low-level loss: rank on one number per video and paragraph, without knowing which clip is which.

    The number is the mean cosine between the clips of video i and the sentences of paragraph j; with `hardest` the
    greatest. Counts need not agree. `clips` holds B sequences of (clips, d), `sentences` B of (sentences, d).
    Source: GroupWiseContrastiveLoss of the HSE code.
    """
    with torch.autocast(clips.values.device.type, enabled=False):
        if hardest:
            return hinge(_block_maxima(clips, sentences), margin, hardest=True, same=same)
        # the mean over a block of dot products is the dot product of the means: (B, d) instead of (C, S)
        return hinge(_mean_direction(clips) @ _mean_direction(sentences).t(), margin, same=same)


def _mean_direction(things: Ragged) -> Tensor:
    directions = functional.normalize(_at_least_float32(things.values))
    total = directions.new_zeros(len(things), directions.shape[1]).index_add(0, things.owners(), directions)
    return total / things.beside(things.lengths)[:, None]


def _block_maxima(clips: Ragged, sentences: Ragged) -> Tensor:
    each = cosines(clips.values, sentences.values)
    count = len(clips)
    by_video = each.new_full((count, each.shape[1]), -torch.inf)
    by_video = by_video.scatter_reduce(0, clips.owners()[:, None].expand_as(each), each, "amax")
    owners = sentences.owners()[None, :].expand_as(by_video)
    return each.new_full((count, count), -torch.inf).scatter_reduce(1, owners, by_video, "amax")


def contrastive_loss(x: Tensor, y: Tensor, temperature: float, *, same: Tensor | None = None) -> Tensor:
    """Returns symmetric InfoNCE: mean cross-entropy of picking row i of y for row i of x, and the reverse.

    Other captions of a row's own video (`same`) are not among those it is picked from.

    Source: van den Oord et al. 2018; symmetric over the batch as in CLIP (Radford et al. 2021).
    """
    logits = cosines(x, y) / temperature
    if same is not None:
        others = same & ~torch.eye(len(same), dtype=torch.bool, device=same.device)
        logits = logits.masked_fill(others, -torch.inf)
    target = torch.arange(len(logits), device=logits.device)
    return (functional.cross_entropy(logits, target) + functional.cross_entropy(logits.t(), target)) / 2


def reconstruction_loss(guess: Tensor, target: Tensor) -> Tensor:
    """Returns the mean Euclidean distance (not squared) of rows (R, d) to their targets, which get no gradient.

    Source: decoder/loss.py of the HSE code.
    """
    with torch.autocast(guess.device.type, enabled=False):
        gap = _at_least_float32(guess) - _at_least_float32(target.detach())
        distances: Tensor = torch.linalg.vector_norm(gap, dim=1)
        return gathered(distances).mean()


def _at_least_float32(values: Tensor) -> Tensor:
    return values if values.dtype == torch.float64 else values.float()
