"""The loss of HSE: every term of the released code with its weight.

Letters for shapes: `B` videos, `C` clips, `S` sentences, `d` hidden size.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from bench.api import InvalidData, Ragged
from bench_torch.losses import block_loss, cluster_loss, of_parts, part_cluster_loss, ranking_loss, ranking_losses
from bench_torch.ranks import gathered, gathered_parts


@dataclass(frozen=True)
class Terms:
    """Which terms count, and how much.

    Attributes:
        low: `strong` (clip i belongs to sentence i), `weak` (blocks of clips and sentences) or `none`.
        cluster: whether things of one side are kept apart.
        margin, hardest: of every ranking term.
        tau: weight of reconstructing clips and sentences.
        tau_low: weight of reconstructing frames and words.
    """

    low: str
    cluster: bool
    margin: float
    hardest: bool
    tau: float
    tau_low: float


@dataclass(frozen=True)
class Side:
    """What one side of a batch, videos or text, was encoded into; raw vectors, not normalised.

    Attributes:
        parts: B sequences of (parts, d): clips or sentences.
        flat: (B, d), the whole side by the low encoder in one go.
        sequence: (B, d), the parts by the high encoder.
    """

    parts: Ragged
    flat: Tensor
    sequence: Tensor

    def gathered(self) -> Side:
        """Returns the side of the whole batch where several processes have parts of it."""
        return Side(gathered_parts(self.parts), gathered(self.flat), gathered(self.sequence))


def matching_loss(videos: Side, text: Side, terms: Terms, same: Tensor | None = None) -> Tensor:
    """Returns the sum of all ranking terms, each with weight 1; reconstruction is added by the network.

    `same` (B, B) bool: entries of one video, which are no negatives; the paper has one paragraph a video.

    Source: the released HSE code: loss_1 (sequence), loss_3 (flat), loss_5 (clusters above), loss_2 (low level, or
    its weak block form) and loss_6 (clusters below, beside either form of the low level).
    Raises: InvalidData when the strong low level meets unequal numbers of clips and sentences.
    """
    if videos.flat.is_cuda and terms.low != "weak":
        return matching_loss_at_once(videos, text, terms, same)
    margin, hardest = terms.margin, terms.hardest
    total = ranking_loss(videos.sequence, text.sequence, margin, hardest=hardest, same=same)
    total = total + ranking_loss(videos.flat, text.flat, margin, hardest=hardest, same=same)
    if terms.cluster:
        total = total + cluster_loss(videos.sequence, text.sequence, margin, hardest=hardest, same=same)
    if terms.low == "none":
        return total
    if terms.low == "strong":
        check_aligned(videos.parts, text.parts)
        of_clips = None if same is None else of_parts(same, videos.parts)
        total = total + ranking_loss(videos.parts.values, text.parts.values, margin, hardest=hardest, same=of_clips)
    else:
        total = total + block_loss(videos.parts, text.parts, margin, hardest=hardest, same=same)
    if terms.cluster:
        total = total + part_cluster_loss(videos.parts, text.parts, margin, hardest=hardest, same=same)
    return total


def matching_loss_at_once(videos: Side, text: Side, terms: Terms, same: Tensor | None = None) -> Tensor:
    """Returns the same sum but for its last bits, with all matrices of one size in one: a GPU is told a third as much.

    Not for the weak low level, whose clips and sentences differ in number.
    """
    levels = [([videos.sequence, text.sequence, videos.flat, text.flat], [(0, 1), (2, 3)], same)]
    if terms.low == "strong":
        check_aligned(videos.parts, text.parts)
        of_clips = None if same is None else of_parts(same, videos.parts)
        levels.append(([videos.parts.values, text.parts.values], [(0, 1)], of_clips))
    total = videos.flat.new_zeros((), dtype=torch.float32)
    for sides, ranked, of_these in levels:
        apart = [(0, 0), (1, 1)] if terms.cluster else []
        losses = ranking_losses(sides, ranked + apart, terms.margin, hardest=terms.hardest, same=of_these)
        total = total + losses[: len(ranked)].sum() + losses[len(ranked) :].sum() / 2
    return total


def check_aligned(clips: Ragged, sentences: Ragged) -> None:
    """Raises InvalidData unless every video has as many clips as its paragraph has sentences."""
    if not torch.equal(clips.lengths, sentences.lengths):
        wrong = int((clips.lengths != sentences.lengths).sum())
        raise InvalidData(
            f"low=strong pairs clip i with sentence i, but {wrong} of {len(clips)} videos of a batch have other "
            "numbers of clips than of sentences. Use low=weak, or put the annotations right."
        )
