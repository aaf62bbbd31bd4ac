"""A light head on frozen vectors: a linear map of each side, and for frames a transformer before their mean.

A map between equal sizes starts as the identity and the transformer adds to what it reads, so on the features of a dual
encoder training starts near that encoder's own cosine. Sides of different encoders start apart and have to meet.
Source: Luo et al., CLIP4Clip, 2022: meanP, and seqTransf with its residual, position vectors and 4 layers. Departures:
the encoders stay frozen, the temperature is a setting, layers are PyTorch's (pre-norm, GELU), positions start at 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench.api import Execution, Ragged, Settings, UsageError, VideoBatch
from bench_torch.dual_encoder import DualEncoder
from bench_torch.encoder import means
from bench_torch.losses import contrastive_loss
from bench_torch.text import Text, WordVectors
from bench_torch.training import MatchingNetwork

LONGEST = 512
"""Positions that have a vector of their own; later frames share the last one."""


@dataclass(frozen=True)
class HeadShape:
    """The settings that the network depends on; see the plugin. `layers` is 0 for the mean of frames."""

    size: int
    layers: int
    heads: int
    temperature: float


class FrozenHeadNetwork(MatchingNetwork):
    """Linear maps of frames and of sentences, and layers of a transformer over frames."""

    def __init__(self, dim: int, vectors: Tensor, shape: HeadShape) -> None:
        super().__init__(dim)
        self.temperature = shape.temperature
        self.words = WordVectors(vectors)
        self.video_map = linear(dim, shape.size)
        self.text_map = linear(self.words.dim, shape.size)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                shape.size, shape.heads, 4 * shape.size, 0.0, "gelu", batch_first=True, norm_first=True
            )
            for _ in range(shape.layers)
        )
        self.positions = nn.Parameter(torch.zeros(LONGEST if shape.layers else 0, shape.size))

    def loss(self, videos: VideoBatch, text: Text) -> Tensor:
        """Returns symmetric InfoNCE."""
        return contrastive_loss(self.embed_videos(videos), self.embed_text(text), self.temperature, same=videos.same())

    def embed_videos(self, videos: VideoBatch) -> Tensor:
        """Returns (B, size)."""
        frames = Ragged(self.video_map(functional.normalize(videos.frames.values, dim=1)), videos.frames.lengths)
        if len(self.layers):
            frames = self.in_sequence(frames)
        return means(Ragged(functional.normalize(frames.values, dim=1), frames.lengths))

    def in_sequence(self, frames: Ragged) -> Ragged:
        """Returns B sequences of (rows, size): each frame with what the transformer adds to it."""
        mask, padded = frames.mask(), frames.padded()
        places = torch.arange(padded.shape[1], device=padded.device).clamp(max=LONGEST - 1)
        states = padded + self.positions[places]
        for layer in self.layers:
            states = layer(states, src_key_padding_mask=~mask)
        return Ragged(frames.values + states.flatten(0, 1)[frames.places()].to(frames.values.dtype), frames.lengths)

    def embed_text(self, text: Text) -> Tensor:
        """Returns (n, size): the mean of the sentences, or of the words."""
        read = self.words(text.paragraphs())
        mapped = self.text_map(functional.normalize(read.values, dim=1))
        return means(Ragged(functional.normalize(mapped, dim=1), read.lengths))


def linear(inputs: int, outputs: int) -> nn.Linear:
    """Returns a linear map, the identity where sizes are equal."""
    made = nn.Linear(inputs, outputs, bias=False)
    if inputs == outputs:
        nn.init.eye_(made.weight)
    return made


class FrozenHead(DualEncoder[FrozenHeadNetwork]):
    """The model `frozen-head`."""

    def __init__(self, settings: Settings, execution: Execution) -> None:
        super().__init__(settings, execution)
        if self.setting("size", int) % self.setting("heads", int):
            raise UsageError(f"heads={settings['heads']} do not divide size={settings['size']}. Choose others.")

    def build(self, dim: int, vectors: Tensor) -> FrozenHeadNetwork:
        """Returns a fresh network."""
        shape = HeadShape(
            size=self.setting("size", int),
            layers=self.setting("layers", int) if self.setting("frames", str) == "transformer" else 0,
            heads=self.setting("heads", int),
            temperature=self.setting("temperature", float),
        )
        return FrozenHeadNetwork(dim, vectors, shape)
