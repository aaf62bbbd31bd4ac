"""The losses: ranking at three levels, clusters at two, and cycle consistency between clips and sentences.

Letters for shapes: `B` videos, `n` things of one level, `d` dimension, `C` clips or sentences of the longest video.
Source: Ging et al., NeurIPS 2020, section 3.3 and 3.4, and the weights of its released configuration.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from bench.api import Ragged
from vtbench_coot.network import Side


def total_loss(videos: Side, text: Side, margin: float, low: float, cycle: float, same: Tensor | None = None) -> Tensor:
    """Returns the weighted sum; `low` and `cycle` weigh what needs clip i to belong to sentence i.

    `same` (B, B) bool: entries of one video, which are no negatives; the paper has one paragraph a video.
    """
    total = matching(videos.whole, text.whole, margin, same) + clustering(videos.whole, text.whole, margin, same)
    total = total + matching(videos.context, text.context, margin, same)
    if low:
        clips, sentences = videos.parts.values, text.parts.values
        total = total + low * (matching(clips, sentences, margin) + clustering(clips, sentences, margin))
    if cycle:
        total = total + cycle * (cycle_loss(videos.parts, text.parts) + cycle_loss(text.parts, videos.parts))
    return total


def matching(x: Tensor, y: Tensor, margin: float, same: Tensor | None = None) -> Tensor:
    """Returns the mean over all n * n pairs of both directions' hinge losses on cosines; row i belongs to row i."""
    cosines = functional.normalize(x.float()) @ functional.normalize(y.float()).t()
    own = cosines.diagonal()
    wrong = (margin + cosines - own[:, None]).clamp(min=0) + (margin + cosines - own[None, :]).clamp(min=0)
    return (wrong.fill_diagonal_(0.0) if same is None else wrong.masked_fill(same, 0.0)).mean()


def clustering(x: Tensor, y: Tensor, margin: float, same: Tensor | None = None) -> Tensor:
    """Returns how close the things of one side are to each other, both sides' mean."""
    return (matching(x, x, margin, same) + matching(y, y, margin, same)) / 2


def cycle_loss(start: Ragged, other: Ragged) -> Tensor:
    """Returns how far a thing comes back from itself when it goes to its soft nearest neighbours and back.

    The squared distance of indices, as a mean over the things of a video and then over videos. The released code
    draws one thing of each video at a time; the mean over all of them is what it estimates.
    """
    near = _weights(start.padded(), other) @ other.padded()
    back = _weights(near, start)
    mask = start.mask()
    index = torch.arange(mask.shape[1], device=mask.device, dtype=torch.float32)
    gap = ((back @ index) - index) ** 2 * mask
    return (gap.sum(1) / start.beside(start.lengths)).mean()


def _weights(source: Tensor, target: Ragged) -> Tensor:
    """Returns (B, C, C'): softmax of minus the mean squared difference of `source` (B, C, d) to each target."""
    things = target.padded().float()
    gaps = (source.float()[:, :, None] - things[:, None]).square().mean(3)
    return (-gaps).masked_fill(~target.mask()[:, None], -torch.inf).softmax(dim=2)
