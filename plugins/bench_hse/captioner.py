"""HSE as a captioner: an LSTM says of each segment what HSE's encoders make of it and of the video it lies in.

The decoder reads the clip embedding of the segment and the sequence embedding of its video, side by side. The HSE
paper's table 4 has such a row; how its decoder looks, how it is fed, and whether the encoders stay as they were, is not
known here: all of that is ours. Source: Zhang, Hu, Sha, ECCV 2018, table 4, for the idea.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from bench.api import VideoBatch
from bench_hse.model import Hierarchy, HSENetwork
from bench_torch.captioner import CaptionerOnBase, EncodingNetwork
from bench_torch.decoding import WordDecoder
from bench_torch.text import join


@dataclass(frozen=True)
class HSECaptionerShape:
    """What the network is made of.

    Attributes:
        encoder: HSE's encoders of clips and videos.
        context: whether the high encoder starts from the flat embedding.
        size: of the vectors of clips and of videos, each.
        hidden: of the decoder.
    """

    encoder: Hierarchy
    context: bool
    size: int
    hidden: int


class HSECaptioning(EncodingNetwork):
    """HSE's video side, and a decoder that reads a clip's vector and its video's at each word."""

    encoder: Hierarchy

    def __init__(self, dim: int, vectors: Tensor, parts: HSECaptionerShape, *, aligned: bool, frozen: bool) -> None:
        super().__init__(dim, vectors, aligned=aligned)
        self.frozen, self.context = frozen, parts.context
        self.encoder = parts.encoder
        self.decoder = WordDecoder(self.words, parts.hidden, 2 * parts.size)

    def adopt(self, base: nn.Module) -> None:
        """Takes the weights of HSE's encoders of clips and videos over, not those of its decoders."""
        video = cast("HSENetwork", base).video
        self.encoder.low.load_state_dict(video.low.state_dict())
        self.encoder.high.load_state_dict(video.high.state_dict())

    def encode(self, videos: VideoBatch) -> Tensor:
        """Returns (S, 2 size): each segment's vector beside its video's."""
        sequences = join(videos.clip_frames, videos.frames)
        side = self.encoder.encode(sequences, videos.segments.lengths, context=self.context)
        return torch.cat([side.parts.values, side.sequence[side.parts.owners()]], dim=1)


class HSECaptioner(CaptionerOnBase[HSECaptioning]):
    """The model `hse-captioner`."""

    needed = ("hidden", "pooling", "level2_init")

    def build(self, dim: int, vectors: Tensor) -> HSECaptioning:
        """Returns a fresh network."""
        size = int(self.base["hidden"])
        encoder = Hierarchy(dim, size, str(self.base["pooling"]), decoders=False)
        parts = HSECaptionerShape(encoder, self.base["level2_init"] == "context", size, self.setting("hidden", int))
        return HSECaptioning(dim, vectors, parts, aligned=self.aligned, frozen=self.setting("frozen", bool))
