"""HSE: clips and sentences are encoded first, then the sequence of clips and the sequence of sentences.

One low encoder reads the frames of each clip and, in the same pass, those of the whole video; likewise for words. The
high encoders start from the flat embedding of the whole. Embeddings are raw: losses and scoring normalise them.
Source: Zhang, Hu, Sha, ECCV 2018, and its released code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from bench.api import ModelError, Paragraph, Ragged, VideoBatch
from bench_hse.loss import Side, Terms, matching_loss
from bench_torch.dual_encoder import DualEncoder
from bench_torch.encoder import SequenceEncoder
from bench_torch.gru import GRU
from bench_torch.losses import reconstruction_loss
from bench_torch.ranks import same_videos
from bench_torch.text import Text, WordVectors, join
from bench_torch.training import MatchingNetwork


@dataclass(frozen=True)
class HSEShape:
    """What the network is like.

    Attributes:
        hidden, pooling: of all encoders.
        context: whether the high encoders start from the flat embedding, or from zero.
        flat: whether the flat embeddings are compared instead of those of sequences.
    """

    hidden: int
    pooling: str
    context: bool = True
    flat: bool = False


class Hierarchy(nn.Module):
    """The two encoders of one side, and with `decoders` the two that undo them.

    The low decoder unrolls what the high decoder gave back, not the original: a two-storey decode.
    """

    def __init__(self, inputs: int, hidden: int, pooling: str, *, decoders: bool) -> None:
        super().__init__()
        self.low = SequenceEncoder(inputs, hidden, pooling)
        self.high = SequenceEncoder(hidden, hidden, pooling)
        if decoders:
            self.high_decoder = GRU(hidden, hidden)
            self.low_decoder = GRU(hidden, inputs)

    def encode(self, sequences: Ragged, counts: Tensor, *, context: bool) -> Side:
        """Encodes S part sequences followed by B whole ones; `counts` (B,) says how many parts each whole has."""
        pooled: Tensor = self.low(sequences)
        parts = Ragged(pooled[: -len(counts)], counts)
        flat = pooled[-len(counts) :]
        return Side(parts, flat, self.high(parts, flat if context else None))

    def reconstruct(self, side: Side, rows: Ragged, terms: Terms) -> Tensor:
        """Returns the weighted reconstruction loss of the parts and of the S sequences `rows` they were made from."""
        parts = self.high_decoder.repeat(side.sequence, side.parts.lengths).ragged()
        below = self.low_decoder.repeat(parts.values, rows.lengths)
        upper_loss = reconstruction_loss(parts.values, side.parts.values)
        lower_loss = reconstruction_loss(below.packed, below.packing.pack(rows.values))
        return terms.tau * upper_loss + terms.tau_low * lower_loss


class HSENetwork(MatchingNetwork):
    """One hierarchy over frames and clips, one over words and sentences."""

    def __init__(self, dim: int, vectors: Tensor, terms: Terms, shape: HSEShape) -> None:
        super().__init__(dim)
        self.terms = terms
        self.context, self.flat = shape.context, shape.flat
        self.words = WordVectors(vectors)
        self.video = Hierarchy(dim, shape.hidden, shape.pooling, decoders=terms.tau > 0)
        self.text = Hierarchy(self.words.dim, shape.hidden, shape.pooling, decoders=terms.tau > 0)

    def loss(self, videos: VideoBatch, text: Text) -> Tensor:
        """Returns all terms of the paper's loss."""
        of_videos, of_text = self.encode_videos(videos), self.encode_text(text)
        total = matching_loss(of_videos.gathered(), of_text.gathered(), self.terms, same_videos(videos))
        if self.terms.tau > 0:
            total = total + self.video.reconstruct(of_videos, videos.clip_frames, self.terms)
            total = total + self.text.reconstruct(of_text, self.words(text.sentences), self.terms)
        return total

    def sequences(self, videos: VideoBatch, text: Text) -> Sequence[Tensor]:
        """Returns the lengths of what encoders and decoders read."""
        clips, sentences, words = videos.clip_frames.lengths, text.sentences.lengths, text.paragraphs().lengths
        encoded = [torch.cat([clips, videos.frames.lengths]), torch.cat([sentences, words])]
        return [*encoded, videos.segments.lengths, text.counts, *([clips, sentences] if self.terms.tau > 0 else [])]

    def encode_videos(self, videos: VideoBatch) -> Side:
        """Encodes clips and whole videos in one pass."""
        sequences = join(videos.clip_frames, videos.frames)
        return self.video.encode(sequences, videos.segments.lengths, context=self.context)

    def encode_text(self, text: Text) -> Side:
        """Encodes sentences and whole paragraphs in one pass."""
        sequences = self.words(join(text.sentences, text.paragraphs()))
        return self.text.encode(sequences, text.counts, context=self.context)

    def embed_videos(self, videos: VideoBatch) -> Tensor:
        """Returns (B, hidden): the sequence embedding, or the flat one."""
        return self.flat_videos(videos) if self.flat else self.encode_videos(videos).sequence

    def embed_text(self, text: Text) -> Tensor:
        """Returns (n, hidden): the sequence embedding, or the flat one."""
        return self.flat_text(text) if self.flat else self.encode_text(text).sequence

    def flat_videos(self, videos: VideoBatch) -> Tensor:
        """Returns (B, hidden): whole videos by the low encoder in one go."""
        embeddings: Tensor = self.video.low(videos.frames)
        return embeddings

    def flat_text(self, text: Text) -> Tensor:
        """Returns (n, hidden): whole paragraphs by the low encoder in one go."""
        embeddings: Tensor = self.text.low(self.words(text.paragraphs()))
        return embeddings


class HSE(DualEncoder[HSENetwork]):
    """The model `hse`."""

    def build(self, dim: int, vectors: Tensor) -> HSENetwork:
        """Returns a fresh network. Raises: ModelError for low=strong where clips are not aligned to sentences."""
        low = self.setting("low", str)
        if low == "strong" and not self.aligned:
            raise ModelError(
                "low=strong needs clips that belong to sentences, which only ground-truth segments do. "
                "Use segments=gt, or low=weak, or low=auto."
            )
        terms = Terms(
            low=("strong" if self.aligned else "weak") if low == "auto" else low,
            cluster=self.setting("cluster", bool),
            margin=self.setting("margin", float),
            hardest=self.setting("hardest", bool),
            tau=self.setting("tau", float),
            tau_low=self.setting("tau_low", float),
        )
        shape = HSEShape(
            hidden=self.setting("hidden", int),
            pooling=self.setting("pooling", str),
            context=self.setting("level2_init", str) == "context",
            flat=self.setting("embedding", str) == "flat",
        )
        return HSENetwork(dim, vectors, terms, shape)

    def embed_flat_videos(self, videos: VideoBatch) -> Tensor:
        """Returns (B, hidden) float32 on the model's device."""
        self.check_dim(videos)
        with self.predicting():
            return self.network.flat_videos(videos.to(self.execution.device)).float()

    def embed_flat_paragraphs(self, paragraphs: Sequence[Paragraph]) -> Tensor:
        """Returns (n, hidden) float32 on the model's device."""
        with self.predicting():
            return self.network.flat_text(self.encode(paragraphs)).float()

    def embed_clips(self, videos: VideoBatch) -> Ragged:
        """Returns B sequences of (segments, hidden) float32."""
        self.check_dim(videos)
        videos = videos.to(self.execution.device)
        with self.predicting():
            return Ragged(self.network.video.low(videos.clip_frames).float(), videos.segments.lengths)

    def embed_sentences(self, paragraphs: Sequence[Paragraph]) -> Ragged:
        """Returns n sequences of (sentences, hidden) float32."""
        text = self.encode(paragraphs)
        with self.predicting():
            words = self.network.words(text.sentences)
            return Ragged(self.network.text.low(words).float(), text.counts)
