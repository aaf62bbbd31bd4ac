"""The losses of DENSE: captioning as in its paper, and matching; and from segments and sentences to whole videos.

Letters for shapes: `B` videos, `n` paragraphs, `C` segments of all videos, `S` sentences of all paragraphs.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from bench.api import InvalidData, Ragged
from bench_torch.losses import hinge, ranking_loss


@dataclass(frozen=True)
class Candidates:
    """Which segments each sentence of a batch may describe.

    Attributes:
        sentences, segments: (pairs,) int64, the pairs of a sentence and a segment of its video, sentence by sentence.
        counts: (S,) int64, segments of each sentence.
    """

    sentences: Tensor
    segments: Tensor
    counts: Tensor

    def mixture(self, log_likelihoods: Tensor) -> Tensor:
        """Returns (S,): log of the mean likelihood over the candidates of each sentence, from (pairs,)."""
        mask = Ragged(log_likelihoods, self.counts).mask()
        padded = log_likelihoods.new_full(mask.shape, -torch.inf).masked_scatter(mask, log_likelihoods)
        return padded.logsumexp(dim=1) - self.counts.to(log_likelihoods.dtype).log()


def candidates(segments: Tensor, sentences: Tensor, *, aligned: bool) -> Candidates:
    """Returns the candidates of every sentence: its own segment if aligned, else all segments of its video.

    Args:
        segments: (B,) int64, segments of each video.
        sentences: (B,) int64, sentences of each paragraph.
        aligned: whether segment i belongs to sentence i.

    Raises: InvalidData when aligned and a video has another number of segments than of sentences.
    """
    total = int(sentences.sum())
    every = torch.arange(total, device=sentences.device)
    if aligned:
        check_aligned(segments, sentences)
        return Candidates(every, every, torch.ones_like(every))
    counts = segments.repeat_interleave(sentences)
    firsts = (segments.cumsum(0) - segments).repeat_interleave(sentences)
    shifts = (firsts - (counts.cumsum(0) - counts)).repeat_interleave(counts)
    return Candidates(every.repeat_interleave(counts), torch.arange(len(shifts), device=shifts.device) + shifts, counts)


def check_aligned(segments: Tensor, sentences: Tensor) -> None:
    """Raises InvalidData unless every video has as many segments as its paragraph has sentences."""
    if not torch.equal(segments, sentences):
        wrong = int((segments != sentences).sum())
        raise InvalidData(
            f"{wrong} of {len(segments)} videos of a batch have other numbers of segments than of sentences, but "
            "segments=gt pairs them one by one. Put the annotations right, or use segments=uniform-4."
        )


def caption_loss(log_likelihoods: Tensor, sentences: Ragged) -> Tensor:
    """Returns L_cap: the mean cross-entropy of a word, ends of sentences included.

    Args:
        log_likelihoods: (S,) float32: log p of each sentence and its end. Where it is not known which segment a
            sentence describes, that of a mixture over all segments of the video.
        sentences: S sequences of word numbers.

    Source: Krishna et al., ICCV 2017, L_cap with weight 1; L_prop is left out with the proposal head.
    """
    return -log_likelihoods.sum() / (sentences.lengths + 1).sum()


def matching_loss(whole: Tensor, segments: Ragged, sentences: Ragged, margin: float, *, aligned: bool) -> Tensor:
    """Returns the hinge loss of whole videos and paragraphs, (B, B), and that of aligned segments and sentences.

    Source: Krishna et al., section 4.3: a max-margin loss on sentences and their segments. How it sums over a video is
    not known; the term for whole videos is ours.
    """
    total = hinge(whole, margin)
    if aligned:
        check_aligned(segments.lengths, sentences.lengths)
        total = total + ranking_loss(segments.values, sentences.values, margin)
    return total


def mean_directions(things: Ragged) -> Tensor:
    """Returns (n, d) float32: the mean over each sequence of its vectors, each divided by its length."""
    directions = functional.normalize(things.values.float())
    total = directions.new_zeros(len(things), directions.shape[1]).index_add(0, things.owners(), directions)
    return total / things.lengths[:, None]


def aggregate(scores: Tensor, sentences: Tensor, segments: Tensor) -> Tensor:
    """Returns (n, B): the mean over the sentences of a paragraph of the greatest score over the segments of a video.

    Args:
        scores: (S, C), each sentence with each segment.
        sentences: (n,) int64, sentences of each paragraph.
        segments: (B,) int64, segments of each video.
    """
    owners = Ragged(scores, segments).owners()
    best = scores.new_full((len(scores), len(segments)), -torch.inf)
    best = best.scatter_reduce(1, owners.expand_as(scores), scores, "amax")
    total = scores.new_zeros(len(sentences), len(segments))
    return total.index_add(0, Ragged(scores, sentences).owners(), best) / sentences[:, None]
