"""S2VT: one stack of two LSTMs watches the frames of a video and then says its paragraph.

While it watches, the upper LSTM reads a zero word beside the lower one's state; while it speaks, the lower one reads
zero frames. Frames are embedded first, and a zero frame is zero after embedding. The symbol that ends a paragraph also
starts it. It looks at whole videos only. As a retriever it has two readings, and the HSE paper does not say which one
it used (setting `score`):

- `embedding`: the upper LSTM's last state after the frames, against the last state of an LSTM over all words of the
  paragraph; ranking loss; no words are said.
- `likelihood`: trained to caption; the score of a pair is log p(paragraph | video) / (words + 1). With `prior`, that of
  a language model without video, trained beside it and apart from it, is subtracted: it leaves the ranking of videos as
  it is, and takes from the ranking of paragraphs what makes some of them likely under any video.

Source: Venugopalan et al., ICCV 2015, and the released s2vt_captioner.py. Departures: Adam instead of SGD, no beam, no
optical flow, paragraphs instead of sentences, and no cut after 80 steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from bench.api import Execution, Ragged, Settings, VideoBatch
from bench_s2vt.training import caption_loss, matching_loss
from bench_torch.decoding import WordDecoder, after_another, grid_log_likelihood, sums
from bench_torch.dual_encoder import DualEncoder
from bench_torch.lstm import LSTM, Memory
from bench_torch.pair_scorer import PairScorer, ScoringNetwork
from bench_torch.text import Text, WordVectors
from bench_torch.training import MatchingNetwork


@dataclass(frozen=True)
class Shape:
    """The sizes of the stack: embedded frames, and LSTM states."""

    frame_dim: int
    hidden: int


@dataclass(frozen=True)
class Watched:
    """The memory of both LSTMs after the frames of B videos."""

    lower: Memory
    upper: Memory


@dataclass(frozen=True)
class Read:
    """Paragraphs of a tile.

    Attributes:
        words: n sequences of word numbers, all words of a paragraph.
        prior: (n,) float32: log p of each paragraph under the language model; zero where it is not wanted.
    """

    words: Ragged
    prior: Tensor


class Stack(nn.Module):
    """The two LSTMs. The upper one is a decoder of words whose condition is the lower one's state."""

    def __init__(self, dim: int, words: WordVectors, shape: Shape) -> None:
        super().__init__()
        self.embed = nn.Linear(dim, shape.frame_dim)
        self.lower = LSTM(shape.frame_dim, shape.hidden)
        self.upper = WordDecoder(words, shape.hidden, shape.hidden)
        self.word_dim = words.dim

    def watch(self, frames: Ragged) -> Watched:
        """Returns the memory after the frames, B sequences of (rows, dim); the upper LSTM reads zero words."""
        states, lower = self.lower(Ragged(self.embed(frames.values), frames.lengths))
        silence = states.values.new_zeros(len(states.values), self.word_dim)
        _, upper = self.upper.lstm(Ragged(torch.cat([states.values, silence], dim=1), frames.lengths))
        return Watched(lower, upper)

    def log_likelihood(self, frames: Ragged, paragraphs: Ragged, words: WordVectors) -> Tensor:
        """Returns (B,) float32: log p of paragraph i and its end given video i, in one pass over both stages."""
        read, said = self.upper.framed(paragraphs)
        seen = self.embed(frames.values)
        heard = self.upper.vectors(words, read.values)
        dark = seen.new_zeros(len(heard), seen.shape[1])
        silence = heard.new_zeros(len(seen), heard.shape[1])
        states, _ = self.lower(after_another(Ragged(seen, frames.lengths), Ragged(dark, read.lengths)))
        beside = after_another(Ragged(silence, frames.lengths), Ragged(heard, read.lengths))
        states, _ = self.upper.lstm(Ragged(torch.cat([states.values, beside.values], dim=1), states.lengths))
        speaking = after_another(
            Ragged(torch.zeros(len(seen), dtype=torch.bool, device=seen.device), frames.lengths),
            Ragged(torch.ones(len(heard), dtype=torch.bool, device=seen.device), read.lengths),
        )
        spoken = self.upper.log_probabilities(states.values[speaking.values], said.values)
        return sums(Ragged(spoken, said.lengths))

    def zero_frames(self, memory: Memory) -> Iterator[Tensor]:
        """Yields the lower LSTM's state (B, hidden) at each step of speaking, without end."""
        nothing = self.lower.bias.expand(len(memory.hidden), -1)
        while True:
            memory = self.lower.step(nothing, memory)
            yield memory.hidden


class S2VTMatching(MatchingNetwork):
    """The stack as an encoder, and an LSTM over words."""

    def __init__(self, dim: int, vectors: Tensor, shape: Shape, margin: float) -> None:
        super().__init__(dim)
        self.margin = margin
        self.words = WordVectors(vectors)
        self.stack = Stack(dim, self.words, shape)
        self.text = LSTM(self.words.dim, shape.hidden)

    def loss(self, videos: VideoBatch, text: Text) -> Tensor:
        """Returns the ranking loss."""
        return matching_loss(self.embed_videos(videos), self.embed_text(text), self.margin)

    def embed_videos(self, videos: VideoBatch) -> Tensor:
        """Returns (B, hidden)."""
        return self.stack.watch(videos.frames).upper.hidden

    def embed_text(self, text: Text) -> Tensor:
        """Returns (n, hidden)."""
        memory: Memory = self.text(self.words(text.paragraphs()))[1]
        return memory.hidden


class S2VTCaptioning(ScoringNetwork):
    """The stack as a captioner, and beside it a language model that never sees a video."""

    def __init__(self, dim: int, vectors: Tensor, shape: Shape, *, prior: bool) -> None:
        super().__init__(dim)
        self.prior = prior
        self.words = WordVectors(vectors)
        self.stack = Stack(dim, self.words, shape)
        self.prior_words = WordVectors(vectors)  # its own, so that the captioner learns from captioning alone
        self.language = WordDecoder(self.prior_words, shape.hidden, 0)

    def loss(self, videos: VideoBatch, text: Text) -> Tensor:
        """Returns the captioning loss and that of the language model, which share no weight."""
        paragraphs = text.paragraphs()
        told = self.stack.log_likelihood(videos.frames, paragraphs, self.words)
        unseen = self.language.log_likelihood(paragraphs, self.prior_words)
        return caption_loss(told, paragraphs) + caption_loss(unseen, paragraphs)

    def encode_videos(self, videos: VideoBatch) -> Watched:
        """Returns the memory after watching."""
        return self.stack.watch(videos.frames)

    def encode_text(self, text: Text) -> Read:
        """Returns the words, with what the language model says of them."""
        paragraphs = text.paragraphs()
        if self.prior:
            return Read(paragraphs, self.language.log_likelihood(paragraphs, self.prior_words))
        return Read(paragraphs, self.words.weight.new_zeros(len(text)))

    def score(self, videos: Watched, text: Read) -> Tensor:
        """Returns (n, B): log p per word, its end included."""
        told = grid_log_likelihood(
            self.stack.upper, text.words, self.words, lambda: self.stack.zero_frames(videos.lower), videos.upper
        )
        return (told - text.prior[:, None]) / (text.words.lengths + 1)[:, None]


class S2VTEncoder(DualEncoder):
    """The model `s2vt` with score=embedding."""

    def build(self, dim: int, vectors: Tensor) -> S2VTMatching:
        """Returns a fresh network."""
        shape = Shape(self.setting("frame_dim", int), self.setting("hidden", int))
        return S2VTMatching(dim, vectors, shape, self.setting("margin", float))


class S2VTScorer(PairScorer):
    """The model `s2vt` with score=likelihood."""

    def build(self, dim: int, vectors: Tensor) -> S2VTCaptioning:
        """Returns a fresh network."""
        shape = Shape(self.setting("frame_dim", int), self.setting("hidden", int))
        return S2VTCaptioning(dim, vectors, shape, prior=self.setting("prior", bool))


def load(settings: Settings, execution: Execution) -> S2VTEncoder | S2VTScorer:
    """Returns the model that the setting `score` asks for."""
    return (S2VTEncoder if settings["score"] == "embedding" else S2VTScorer)(settings, execution)
