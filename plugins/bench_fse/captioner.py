"""FSE as a captioner: an LSTM says of each segment what FSE's video encoder makes of its frames.

FSE learns from whole videos; here its encoder reads the frames of one segment. The HSE paper's table 4 has such a row;
how its decoder looks, how it is fed, and whether the encoder stays as it was, is not known here: all of that is ours.
Source: Zhang, Hu, Sha, ECCV 2018, table 4, for the idea.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from torch import Tensor, nn

from bench.api import VideoBatch
from bench_fse.model import FSENetwork
from bench_torch.captioner import CaptionerOnBase, EncodingNetwork
from bench_torch.decoding import WordDecoder
from bench_torch.encoder import SequenceEncoder


@dataclass(frozen=True)
class FSECaptionerShape:
    """What the network is made of: FSE's encoder of videos, the size of its vectors, the decoder's hidden size."""

    encoder: SequenceEncoder
    size: int
    hidden: int


class FSECaptioning(EncodingNetwork):
    """FSE's video encoder over the frames of each segment, and a decoder that reads its vector at each word."""

    encoder: SequenceEncoder

    def __init__(self, dim: int, vectors: Tensor, parts: FSECaptionerShape, *, aligned: bool, frozen: bool) -> None:
        super().__init__(dim, vectors, aligned=aligned)
        self.frozen = frozen
        self.encoder = parts.encoder
        self.decoder = WordDecoder(self.words, parts.hidden, parts.size)

    def adopt(self, base: nn.Module) -> None:
        """Takes the weights of FSE's video encoder over."""
        self.encoder.load_state_dict(cast("FSENetwork", base).video_encoder.state_dict())

    def encode(self, videos: VideoBatch) -> Tensor:
        """Returns (S, size) of the segments."""
        vectors: Tensor = self.encoder(videos.clip_frames)
        return vectors


class FSECaptioner(CaptionerOnBase[FSECaptioning]):
    """The model `fse-captioner`."""

    needed = ("hidden", "pooling")

    def build(self, dim: int, vectors: Tensor) -> FSECaptioning:
        """Returns a fresh network."""
        size = int(self.base["hidden"])
        encoder = SequenceEncoder(dim, size, str(self.base["pooling"]))
        parts = FSECaptionerShape(encoder, size, self.setting("hidden", int))
        return FSECaptioning(dim, vectors, parts, aligned=self.aligned, frozen=self.setting("frozen", bool))
