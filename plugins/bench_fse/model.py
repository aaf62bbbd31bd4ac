"""FSE: all frames of a video through one GRU, all words of its paragraph through another, matched by cosine.

It looks at `VideoBatch.frames` only, so its predictions are the same under every segment source.
Source: Zhang, Hu, Sha, ECCV 2018: the flat branch of HSE trained alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from bench.api import VideoBatch
from bench_fse.loss import flat_loss
from bench_torch.dual_encoder import DualEncoder
from bench_torch.encoder import SequenceEncoder
from bench_torch.ranks import gathered, same_videos
from bench_torch.text import Text, WordVectors
from bench_torch.training import MatchingNetwork


@dataclass(frozen=True)
class FSEShape:
    """The settings that the network depends on; see the plugin for what they mean."""

    hidden: int
    pooling: str
    margin: float
    hardest: bool


class FSENetwork(MatchingNetwork):
    """A GRU over frames and a GRU over words."""

    def __init__(self, dim: int, vectors: Tensor, shape: FSEShape) -> None:
        super().__init__(dim)
        self.shape = shape
        self.words = WordVectors(vectors)
        self.video_encoder = SequenceEncoder(dim, shape.hidden, shape.pooling)
        self.text_encoder = SequenceEncoder(self.words.dim, shape.hidden, shape.pooling)

    def loss(self, videos: VideoBatch, text: Text) -> Tensor:
        """Returns the flat ranking loss."""
        margin, hardest = self.shape.margin, self.shape.hardest
        embedded = gathered(self.embed_videos(videos)), gathered(self.embed_text(text))
        return flat_loss(*embedded, margin, hardest=hardest, same=same_videos(videos))

    def sequences(self, videos: VideoBatch, text: Text) -> Sequence[Tensor]:
        """Returns the lengths of what the encoders read."""
        return videos.frames.lengths, text.paragraphs().lengths

    def embed_videos(self, videos: VideoBatch) -> Tensor:
        """Returns (B, hidden)."""
        embeddings: Tensor = self.video_encoder(videos.frames)
        return embeddings

    def embed_text(self, text: Text) -> Tensor:
        """Returns (n, hidden)."""
        embeddings: Tensor = self.text_encoder(self.words(text.paragraphs()))
        return embeddings


class FSE(DualEncoder[FSENetwork]):
    """The model `fse`."""

    def build(self, dim: int, vectors: Tensor) -> FSENetwork:
        """Returns a fresh network."""
        shape = FSEShape(
            hidden=self.setting("hidden", int),
            pooling=self.setting("pooling", str),
            margin=self.setting("margin", float),
            hardest=self.setting("hardest", bool),
        )
        return FSENetwork(dim, vectors, shape)
