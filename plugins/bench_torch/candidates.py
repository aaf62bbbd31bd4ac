"""Which segment each sentence of a batch describes, as far as that is known, and the loss of saying it.

With ground-truth segments, segment i belongs to sentence i. Without, a sentence describes one of the segments of its
video, nobody says which: its likelihood is the mean over them. Of a video with one segment, the whole of it, that is
the likelihood under this one: captions of whole videos are learnt pair by pair.

Letters for shapes: `B` videos, `S` sentences of all paragraphs.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from bench.api import InvalidData, Ragged
from bench_torch.transfer import beside


@dataclass(frozen=True)
class Candidates:
    """Which segments each sentence of a batch may describe; on the CPU, as lengths are.

    Attributes:
        sentences, segments: (pairs,) int64, the pairs of a sentence and a segment of its video, sentence by sentence.
        counts: (S,) int64, segments of each sentence.
    """

    sentences: Tensor
    segments: Tensor
    counts: Tensor

    def mixture(self, log_likelihoods: Tensor) -> Tensor:
        """Returns (S,): log of the mean likelihood over the candidates of each sentence, from (pairs,)."""
        padded = Ragged(log_likelihoods, self.counts).padded(-torch.inf)
        return padded.logsumexp(dim=1) - beside(self.counts.to(log_likelihoods.dtype).log(), log_likelihoods)


def candidates(segments: Tensor, sentences: Tensor, *, aligned: bool) -> Candidates:
    """Returns the candidates of every sentence: its own segment if aligned, else all segments of its video.

    Args:
        segments: (B,) int64, segments of each video.
        sentences: (B,) int64, sentences of each paragraph.
        aligned: whether segment i belongs to sentence i.

    Raises: InvalidData when aligned and a video has another number of segments than of sentences.
    """
    every = torch.arange(int(sentences.sum()))
    if aligned:
        check_aligned(segments, sentences)
        return Candidates(every, every, torch.ones_like(every))
    counts = segments.repeat_interleave(sentences)
    firsts = (segments.cumsum(0) - segments).repeat_interleave(sentences)
    shifts = (firsts - (counts.cumsum(0) - counts)).repeat_interleave(counts)
    return Candidates(every.repeat_interleave(counts), torch.arange(len(shifts)) + shifts, counts)


def check_aligned(segments: Tensor, sentences: Tensor) -> None:
    """Raises InvalidData unless every video has as many segments as its paragraph has sentences."""
    if not torch.equal(segments, sentences):
        wrong = int((segments != sentences).sum())
        raise InvalidData(
            f"{wrong} of {len(segments)} videos of a batch have other numbers of segments than of sentences, but "
            "segments=gt pairs them one by one. Put the annotations right, or use segments=uniform-4."
        )


def caption_loss(log_likelihoods: Tensor, sentences: Ragged) -> Tensor:
    """Returns the mean cross-entropy of a word, the ends of what is said included.

    Args:
        log_likelihoods: (S,) float32: log p of each sentence, or paragraph, and its end.
        sentences: S sequences of word numbers.

    Source: Venugopalan et al., ICCV 2015, section 3.1, only what is said while decoding counts; Krishna et al., ICCV
    2017, L_cap with weight 1.
    """
    return -log_likelihoods.sum() / (sentences.lengths + 1).sum()
