"""S2VT: one stack of two LSTMs watches the frames of a video and then says its paragraph.

While it watches, the upper LSTM reads a zero word beside the lower one's state; while it speaks, the lower one reads
zero frames. Frames are embedded first, and a zero frame is zero after embedding. The symbol that ends a paragraph also
starts it. The setting `score` says what it is trained for:

- `captioning`, as in its paper: it watches a segment, or a whole video, and says one sentence; greedy search.
- `embedding`: the upper LSTM's last state after the frames, against the last state of an LSTM over all words of the
  paragraph; ranking loss; no words are said.
- `likelihood`: trained to say paragraphs of whole videos; the score of a pair is log p(paragraph | video) / (words +
  1). With `prior`, that of a language model without video, trained beside it and apart from it, is subtracted: it
  leaves the ranking of videos as it is, and takes from the ranking of paragraphs what makes some of them likely under
  any video.

The HSE paper does not say by which of the last two S2VT retrieves; both look at whole videos only.

Source: Venugopalan et al., ICCV 2015, and the released s2vt_captioner.py. Departures: Adam instead of SGD, no optical
flow, no cut after 80 steps, and where it retrieves, paragraphs instead of sentences.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from bench.api import Execution, Ragged, Settings, VideoBatch
from bench_s2vt.loss import matching_loss
from bench_torch.candidates import caption_loss
from bench_torch.captioner import Captioner
from bench_torch.captioning import CaptioningNetwork
from bench_torch.decoding import WordDecoder, grid_log_likelihood, sums
from bench_torch.dual_encoder import DualEncoder
from bench_torch.lstm import LSTM, Memory
from bench_torch.network_model import VideoTextModel
from bench_torch.pair_scorer import PairScorer, ScoringNetwork
from bench_torch.search import Beam, search
from bench_torch.text import Text, WordVectors
from bench_torch.training import MatchingNetwork
from bench_torch.transfer import beside


@dataclass(frozen=True)
class S2VTShape:
    """The sizes of the stack: embedded frames, and LSTM states."""

    frame_dim: int
    hidden: int


@dataclass(frozen=True)
class VideoMemory:
    """The memory of both LSTMs after the frames of B videos."""

    lower: Memory
    upper: Memory

    def select(self, indices: Tensor) -> VideoMemory:
        """Returns what was watched of the videos at `indices` (k,) int64, in that order."""
        rows = beside(indices, self.lower.hidden)
        return VideoMemory(self.lower.select(rows), self.upper.select(rows))


@dataclass(frozen=True)
class WordsAndPrior:
    """Paragraphs of a tile.

    Attributes:
        words: n sequences of word numbers, all words of a paragraph.
        prior: (n,) float32: log p of each paragraph under the language model; zero where it is not wanted.
    """

    words: Ragged
    prior: Tensor


class StackedLSTMs(nn.Module):
    """The two LSTMs. The upper one is a decoder of words whose condition is the lower one's state."""

    def __init__(self, dim: int, words: WordVectors, shape: S2VTShape) -> None:
        super().__init__()
        self.embed = nn.Linear(dim, shape.frame_dim)
        self.lower = LSTM(shape.frame_dim, shape.hidden)
        self.upper = WordDecoder(words, shape.hidden, shape.hidden)
        self.frame_dim, self.word_dim = shape.frame_dim, words.dim

    def watch(self, frames: Ragged) -> VideoMemory:
        """Returns the memory after the frames, B sequences of (rows, dim); the upper LSTM reads zero words."""
        states, lower = self.lower(Ragged(self.embed(frames.values), frames.lengths))
        silence = states.values.new_zeros(len(states.values), self.word_dim)
        _, upper = self.upper.lstm(Ragged(torch.cat([states.values, silence], dim=1), frames.lengths))
        return VideoMemory(lower, upper)

    def log_likelihood(self, watched: VideoMemory, text: Ragged, words: WordVectors) -> Tensor:
        """Returns (n,) float32: log p of each text and its end, text i after watching video i."""
        read, said = self.upper.framed(text)
        dark = watched.lower.hidden.new_zeros(len(read.values), self.frame_dim)
        below, _ = self.lower(Ragged(dark, read.lengths), watched.lower)
        heard = torch.cat([below.values, self.upper.vectors(words, read.values)], dim=1)
        states, _ = self.upper.lstm(Ragged(heard, read.lengths), watched.upper)
        return sums(Ragged(self.upper.log_probabilities(states.values, said.values), said.lengths))

    def zero_frames(self, memory: Memory) -> Iterator[Tensor]:
        """Yields the lower LSTM's state (B, hidden) at each step of speaking, without end."""
        nothing = self.lower.bias.expand(len(memory.hidden), -1)
        while True:
            memory = self.lower.step(nothing, memory)
            yield memory.hidden


class S2VTMatching(MatchingNetwork):
    """The stack as an encoder, and an LSTM over words."""

    def __init__(self, dim: int, vectors: Tensor, shape: S2VTShape, margin: float) -> None:
        super().__init__(dim)
        self.margin = margin
        self.words = WordVectors(vectors)
        self.stack = StackedLSTMs(dim, self.words, shape)
        self.text = LSTM(self.words.dim, shape.hidden)

    def loss(self, videos: VideoBatch, text: Text) -> Tensor:
        """Returns the ranking loss."""
        return matching_loss(self.embed_videos(videos), self.embed_text(text), self.margin, videos.same())

    def embed_videos(self, videos: VideoBatch) -> Tensor:
        """Returns (B, hidden)."""
        return self.stack.watch(videos.frames).upper.hidden

    def embed_text(self, text: Text) -> Tensor:
        """Returns (n, hidden)."""
        memory: Memory = self.text(self.words(text.paragraphs()))[1]
        return memory.hidden


class S2VTLikelihood(ScoringNetwork):
    """The stack as a teller of paragraphs, and beside it a language model that never sees a video."""

    def __init__(self, dim: int, vectors: Tensor, shape: S2VTShape, *, prior: bool) -> None:
        super().__init__(dim)
        self.prior = prior
        self.words = WordVectors(vectors)
        self.stack = StackedLSTMs(dim, self.words, shape)
        self.prior_words = WordVectors(vectors)  # its own, so that the captioner learns from captioning alone
        self.language = WordDecoder(self.prior_words, shape.hidden, 0)

    def loss(self, videos: VideoBatch, text: Text) -> Tensor:
        """Returns the captioning loss and that of the language model, which share no weight."""
        paragraphs = text.paragraphs()
        told = self.stack.log_likelihood(self.stack.watch(videos.frames), paragraphs, self.words)
        unseen = self.language.log_likelihood(paragraphs, self.prior_words)
        return caption_loss(told, paragraphs) + caption_loss(unseen, paragraphs)

    def encode_videos(self, videos: VideoBatch) -> VideoMemory:
        """Returns the memory after watching."""
        return self.stack.watch(videos.frames)

    def encode_text(self, text: Text) -> WordsAndPrior:
        """Returns the words, with what the language model says of them."""
        paragraphs = text.paragraphs()
        if self.prior:
            return WordsAndPrior(paragraphs, self.language.log_likelihood(paragraphs, self.prior_words))
        return WordsAndPrior(paragraphs, self.words.weight.new_zeros(len(text)))

    def score(self, videos: VideoMemory, text: WordsAndPrior) -> Tensor:
        """Returns (n, B): log p per word, its end included."""
        told = grid_log_likelihood(
            self.stack.upper, text.words, self.words, lambda: self.stack.zero_frames(videos.lower), videos.upper
        )
        return (told - text.prior[:, None]) / text.words.beside(text.words.lengths + 1)[:, None]


class S2VTCaptioning(CaptioningNetwork):
    """The stack as a captioner of segments."""

    def __init__(self, dim: int, vectors: Tensor, shape: S2VTShape, *, aligned: bool) -> None:
        super().__init__(dim, vectors, aligned=aligned)
        self.stack = StackedLSTMs(dim, self.words, shape)

    def watch(self, videos: VideoBatch) -> VideoMemory:
        """Returns the memory after watching each of the S segments."""
        return self.stack.watch(videos.clip_frames)

    def log_likelihood(self, watched: VideoMemory, segments: Tensor, sentences: Ragged) -> Tensor:
        """Returns (n,) float32: log p of each sentence and its end, each of its segment."""
        return self.stack.log_likelihood(watched.select(segments), sentences, self.words)

    def say(self, watched: VideoMemory, beam: Beam) -> Tensor:
        """Returns (S, max_words) int64: the words said of each segment, then the end."""
        return search(self.stack.upper, self.words, self.stack.zero_frames(watched.lower), watched.upper, beam)


def shape_of(model: VideoTextModel[Any]) -> S2VTShape:
    """Returns the sizes that a model's settings ask for."""
    return S2VTShape(model.setting("frame_dim", int), model.setting("hidden", int))


class S2VTEncoder(DualEncoder[S2VTMatching]):
    """The model `s2vt` with score=embedding."""

    def build(self, dim: int, vectors: Tensor) -> S2VTMatching:
        """Returns a fresh network."""
        return S2VTMatching(dim, vectors, shape_of(self), self.setting("margin", float))


class S2VTScorer(PairScorer[S2VTLikelihood]):
    """The model `s2vt` with score=likelihood."""

    says_words = True

    def build(self, dim: int, vectors: Tensor) -> S2VTLikelihood:
        """Returns a fresh network."""
        return S2VTLikelihood(dim, vectors, shape_of(self), prior=self.setting("prior", bool))


class S2VTCaptioner(Captioner[S2VTCaptioning]):
    """The model `s2vt` with score=captioning."""

    def build(self, dim: int, vectors: Tensor) -> S2VTCaptioning:
        """Returns a fresh network."""
        return S2VTCaptioning(dim, vectors, shape_of(self), aligned=self.aligned)


KINDS: dict[str, type[S2VTEncoder | S2VTScorer | S2VTCaptioner]] = {
    "embedding": S2VTEncoder,
    "likelihood": S2VTScorer,
    "captioning": S2VTCaptioner,
}


def load(settings: Settings, execution: Execution) -> S2VTEncoder | S2VTScorer | S2VTCaptioner:
    """Returns the model that the setting `score` asks for."""
    return KINDS[str(settings["score"])](settings, execution)
