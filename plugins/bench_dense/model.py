"""DENSE: segments of a video in the context of the others, captioned, or matched to sentences in one of three ways.

The setting `score` says what it is trained for:

- `captioning`, the task of its paper: one sentence for each segment.
- `alignment`, the way of its paper as far as it is known: every sentence finds the segment of the video that is most
  alike, and the video's score is the mean over sentences. It takes every pair of a paragraph and a video to itself.
- `embedding`: one vector a side, which the paper does not have: the mean direction of a video's segments against the
  mean direction of the sentences. The inner product of the two is the mean cosine over all segments and sentences, so
  this is alignment with the mean in place of the maximum.
- `likelihood`: the same captioner where it retrieves. A sentence is as likely as it is under the best
  segment: log p(sentence | segment) / (words + 1), averaged over sentences. With `prior`, what a language model without
  video says of a sentence, trained beside it and apart from it, is subtracted.

Source: Krishna et al., ICCV 2017. Departures: segments are given and none are proposed, Adam instead of SGD with
momentum, batches of videos instead of one, context from the first epoch on, sentences of any length, and C3D features
are what the dataset has.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import repeat
from typing import Any

from torch import Tensor, nn

from bench.api import Execution, Ragged, Settings, VideoBatch
from bench_dense.context import SegmentEncoder
from bench_dense.loss import aggregate, matching_loss, mean_directions
from bench_torch.candidates import candidates, caption_loss
from bench_torch.captioner import Captioner
from bench_torch.captioning import ConditionedNetwork
from bench_torch.decoding import WordDecoder, grid_log_likelihood
from bench_torch.dual_encoder import DualEncoder
from bench_torch.losses import cosines
from bench_torch.lstm import LSTM, Memory
from bench_torch.network_model import VideoTextModel
from bench_torch.pair_scorer import PairScorer, ScoringNetwork
from bench_torch.text import Text, WordVectors, select
from bench_torch.training import MatchingNetwork, TrainableNetwork


@dataclass(frozen=True)
class DenseShape:
    """The settings that the network depends on; see the plugin for what they mean."""

    hidden: int
    context: str
    attention: bool
    margin: float
    aligned: bool


@dataclass(frozen=True)
class TextAndPrior:
    """Paragraphs of a tile: their words, and (sentences,) float32, what the language model says of each; or zeros."""

    text: Text
    prior: Tensor


class MatchedSides(nn.Module):
    """What matches: segments in context through a linear map, sentences through an LSTM, into one space."""

    def __init__(self, dim: int, words: WordVectors, shape: DenseShape) -> None:
        super().__init__()
        self.segments = SegmentEncoder(dim, shape.hidden, shape.context, attention=shape.attention)
        self.map = nn.Linear(self.segments.size, shape.hidden)
        self.sentences = LSTM(words.dim, shape.hidden)

    def of_videos(self, videos: VideoBatch) -> Ragged:
        """Returns B sequences of (segments, hidden)."""
        described = self.segments(videos)
        return Ragged(self.map(described.values), described.lengths)

    def of_text(self, text: Text, words: WordVectors) -> Ragged:
        """Returns n sequences of (sentences, hidden)."""
        _, memory = self.sentences(words(text.sentences))
        return Ragged(memory.hidden, text.counts)


class SidedNetwork(TrainableNetwork):
    """What compares the two sides, and learns from a ranking loss."""

    def __init__(self, dim: int, vectors: Tensor, shape: DenseShape) -> None:
        super().__init__(dim)
        self.shape = shape
        self.words = WordVectors(vectors)
        self.sides = MatchedSides(dim, self.words, shape)

    def similarities(self, segments: Ragged, sentences: Ragged) -> Tensor:
        """Returns (B, n): how alike whole videos and whole paragraphs are."""
        raise NotImplementedError

    def loss(self, videos: VideoBatch, text: Text) -> Tensor:
        """Returns the ranking loss of whole videos, and that of segments where each belongs to a sentence."""
        segments, sentences = self.sides.of_videos(videos), self.sides.of_text(text, self.words)
        whole, same = self.similarities(segments, sentences), videos.same()
        return matching_loss(whole, segments, sentences, self.shape.margin, aligned=self.shape.aligned, same=same)


class DenseMatching(SidedNetwork, MatchingNetwork):
    """One vector a side: score=embedding."""

    def similarities(self, segments: Ragged, sentences: Ragged) -> Tensor:
        """Returns (B, n): the cosine of mean directions."""
        return cosines(mean_directions(segments), mean_directions(sentences))

    def embed_videos(self, videos: VideoBatch) -> Tensor:
        """Returns (B, hidden)."""
        return mean_directions(self.sides.of_videos(videos))

    def embed_text(self, text: Text) -> Tensor:
        """Returns (n, hidden)."""
        return mean_directions(self.sides.of_text(text, self.words))


class DenseAlignment(SidedNetwork, ScoringNetwork):
    """The best segment of each sentence: score=alignment."""

    def similarities(self, segments: Ragged, sentences: Ragged) -> Tensor:
        """Returns (B, n): what `score` says of every pair."""
        return self.score(segments, sentences).t()

    def encode_videos(self, videos: VideoBatch) -> Ragged:
        """Returns B sequences of (segments, hidden)."""
        return self.sides.of_videos(videos)

    def encode_text(self, text: Text) -> Ragged:
        """Returns n sequences of (sentences, hidden)."""
        return self.sides.of_text(text, self.words)

    def score(self, videos: Ragged, text: Ragged) -> Tensor:
        """Returns (n, B): mean over sentences of the greatest cosine over segments."""
        return aggregate(cosines(text.values, videos.values), text.lengths, videos.lengths)


class DenseLikelihood(ScoringNetwork):
    """The captioner of the paper, and beside it a language model that never sees a video: score=likelihood."""

    def __init__(self, dim: int, vectors: Tensor, shape: DenseShape, *, prior: bool) -> None:
        super().__init__(dim)
        self.shape, self.prior = shape, prior
        self.words = WordVectors(vectors)
        self.segments = SegmentEncoder(dim, shape.hidden, shape.context, attention=shape.attention)
        self.decoder = WordDecoder(self.words, shape.hidden, self.segments.size)
        self.prior_words = WordVectors(vectors)  # its own, so that the captioner learns from captioning alone
        self.language = WordDecoder(self.prior_words, shape.hidden, 0)

    def loss(self, videos: VideoBatch, text: Text) -> Tensor:
        """Returns the captioning loss and that of the language model, which share no weight."""
        segments = self.segments(videos)
        pairs = candidates(segments.lengths, text.counts, aligned=self.shape.aligned)
        told = self.decoder.log_likelihood(
            select(text.sentences, pairs.sentences), self.words, segments.values[segments.beside(pairs.segments)]
        )
        unseen = self.language.log_likelihood(text.sentences, self.prior_words)
        return caption_loss(pairs.mixture(told), text.sentences) + caption_loss(unseen, text.sentences)

    def encode_videos(self, videos: VideoBatch) -> Ragged:
        """Returns B sequences of (segments, size)."""
        segments: Ragged = self.segments(videos)
        return segments

    def encode_text(self, text: Text) -> TextAndPrior:
        """Returns the text, with what the language model says of its sentences."""
        if self.prior:
            return TextAndPrior(text, self.language.log_likelihood(text.sentences, self.prior_words))
        return TextAndPrior(text, self.words.weight.new_zeros(len(text.sentences)))

    def score(self, videos: Ragged, text: TextAndPrior) -> Tensor:
        """Returns (n, B): mean over sentences of log p per word under the best segment."""
        sentences = text.text.sentences
        start = Memory.empty(len(videos.values), self.decoder.lstm)
        told = grid_log_likelihood(self.decoder, sentences, self.words, lambda: repeat(videos.values), start)
        per_word = (told - text.prior[:, None]) / sentences.beside(sentences.lengths + 1)[:, None]
        return aggregate(per_word, text.text.counts, videos.lengths)


class DenseCaptioning(ConditionedNetwork):
    """The captioner of the paper: score=captioning."""

    def __init__(self, dim: int, vectors: Tensor, shape: DenseShape) -> None:
        super().__init__(dim, vectors, aligned=shape.aligned)
        self.segments = SegmentEncoder(dim, shape.hidden, shape.context, attention=shape.attention)
        self.decoder = WordDecoder(self.words, shape.hidden, self.segments.size)

    def watch(self, videos: VideoBatch) -> Tensor:
        """Returns (S, size) of the segments in context."""
        described: Ragged = self.segments(videos)
        return described.values


def shape_of(model: VideoTextModel[Any]) -> DenseShape:
    """Returns what a model's settings ask for; with ground-truth segments, segment i is trained on sentence i."""
    return DenseShape(
        hidden=model.setting("hidden", int),
        context=model.setting("context", str),
        attention=model.setting("attention", bool),
        margin=model.setting("margin", float),
        aligned=model.aligned,
    )


class DenseEncoder(DualEncoder[DenseMatching]):
    """The model `dense` with score=embedding."""

    def build(self, dim: int, vectors: Tensor) -> DenseMatching:
        """Returns a fresh network."""
        return DenseMatching(dim, vectors, shape_of(self))


class DenseAligner(PairScorer[DenseAlignment]):
    """The model `dense` with score=alignment."""

    def build(self, dim: int, vectors: Tensor) -> DenseAlignment:
        """Returns a fresh network."""
        return DenseAlignment(dim, vectors, shape_of(self))


class DenseScorer(PairScorer[DenseLikelihood]):
    """The model `dense` with score=likelihood."""

    says_words = True

    def build(self, dim: int, vectors: Tensor) -> DenseLikelihood:
        """Returns a fresh network."""
        return DenseLikelihood(dim, vectors, shape_of(self), prior=self.setting("prior", bool))


class DenseCaptioner(Captioner[DenseCaptioning]):
    """The model `dense` with score=captioning."""

    def build(self, dim: int, vectors: Tensor) -> DenseCaptioning:
        """Returns a fresh network."""
        return DenseCaptioning(dim, vectors, shape_of(self))


KINDS: dict[str, type[DenseEncoder | DenseAligner | DenseScorer | DenseCaptioner]] = {
    "embedding": DenseEncoder,
    "alignment": DenseAligner,
    "likelihood": DenseScorer,
    "captioning": DenseCaptioner,
}


def load(settings: Settings, execution: Execution) -> DenseEncoder | DenseAligner | DenseScorer | DenseCaptioner:
    """Returns the model that the setting `score` asks for."""
    return KINDS[str(settings["score"])](settings, execution)
