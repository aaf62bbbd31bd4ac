"""Networks that say a sentence of each segment: how they are trained, and how they speak.

Letters for shapes: `S` segments of a batch, `n` sentences.
"""

from __future__ import annotations

from itertools import repeat
from typing import Any

from torch import Tensor

from bench.api import Ragged, VideoBatch
from bench_torch.candidates import candidates, caption_loss
from bench_torch.decoding import WordDecoder
from bench_torch.lstm import Memory
from bench_torch.search import Beam, search
from bench_torch.text import Text, WordVectors, select
from bench_torch.training import TrainableNetwork
from bench_torch.transfer import beside


class CaptioningNetwork(TrainableNetwork):
    """A network that watches segments, and then tells each of them in a sentence."""

    def __init__(self, dim: int, vectors: Tensor, *, aligned: bool) -> None:
        """`vectors` (words, d) are what words start from; `aligned` says whether segment i belongs to sentence i."""
        super().__init__(dim)
        self.aligned = aligned
        self.words = WordVectors(vectors)

    def watch(self, videos: VideoBatch) -> Any:
        """Returns what is kept of the S segments of a batch."""
        raise NotImplementedError

    def log_likelihood(self, watched: Any, segments: Tensor, sentences: Ragged) -> Tensor:
        """Returns (n,) float32: log p of sentence i and its end, of the segment `segments[i]` of those watched."""
        raise NotImplementedError

    def say(self, watched: Any, beam: Beam) -> Tensor:
        """Returns (S, max_words) int64: the words said of each segment, then the end."""
        raise NotImplementedError

    def loss(self, videos: VideoBatch, text: Text) -> Tensor:
        """Returns the captioning loss."""
        pairs = candidates(videos.segments.lengths, text.counts, aligned=self.aligned)
        told = self.log_likelihood(self.watch(videos), pairs.segments, select(text.sentences, pairs.sentences))
        return caption_loss(pairs.mixture(told), text.sentences)


class ConditionedNetwork(CaptioningNetwork):
    """A captioner whose decoder reads one vector of the segment at each step; `watch` returns them, (S, condition)."""

    decoder: WordDecoder

    def log_likelihood(self, watched: Tensor, segments: Tensor, sentences: Ragged) -> Tensor:
        """Returns (n,) float32: log p of each sentence and its end, each of its segment."""
        return self.decoder.log_likelihood(sentences, self.words, watched[beside(segments, watched)])

    def say(self, watched: Tensor, beam: Beam) -> Tensor:
        """Returns (S, max_words) int64: the words said of each segment, then the end."""
        start = Memory.empty(len(watched), self.decoder.lstm)
        return search(self.decoder, self.words, repeat(watched), start, beam)
