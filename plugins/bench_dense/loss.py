"""The loss of DENSE where it matches, and from segments and sentences to whole videos.

Letters for shapes: `B` videos, `n` paragraphs, `C` segments of all videos, `S` sentences of all paragraphs.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from bench.api import Ragged
from bench_torch.candidates import check_aligned
from bench_torch.losses import hinge, of_parts, ranking_loss
from bench_torch.transfer import beside


def matching_loss(
    whole: Tensor, segments: Ragged, sentences: Ragged, margin: float, *, aligned: bool, same: Tensor | None = None
) -> Tensor:
    """Returns the hinge loss of whole videos and paragraphs, (B, B), and that of aligned segments and sentences.

    Source: Krishna et al., section 4.3: a max-margin loss on sentences and their segments. How it sums over a video is
    not known; the term for whole videos is ours. `same` (B, B) bool: entries of one video, which are no negatives; the
    paper has one paragraph a video.
    """
    total = hinge(whole, margin, same=same)
    if aligned:
        check_aligned(segments.lengths, sentences.lengths)
        of_segments = None if same is None else of_parts(same, segments)
        total = total + ranking_loss(segments.values, sentences.values, margin, same=of_segments)
    return total


def mean_directions(things: Ragged) -> Tensor:
    """Returns (n, d) float32: the mean over each sequence of its vectors, each divided by its length."""
    directions = functional.normalize(things.values.float())
    total = directions.new_zeros(len(things), directions.shape[1]).index_add(0, things.owners(), directions)
    return total / things.beside(things.lengths)[:, None]


def aggregate(scores: Tensor, sentences: Tensor, segments: Tensor) -> Tensor:
    """Returns (n, B): the mean over the sentences of a paragraph of the greatest score over the segments of a video.

    Args:
        scores: (S, C), each sentence with each segment.
        sentences: (n,) int64, sentences of each paragraph; on the CPU.
        segments: (B,) int64, segments of each video; on the CPU.
    """
    owners = Ragged(scores, segments).owners()
    best = scores.new_full((len(scores), len(segments)), -torch.inf)
    best = best.scatter_reduce(1, owners.expand_as(scores), scores, "amax")
    total = scores.new_zeros(len(sentences), len(segments))
    return total.index_add(0, Ragged(scores, sentences).owners(), best) / beside(sentences, best)[:, None]
