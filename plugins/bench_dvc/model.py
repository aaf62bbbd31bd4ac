"""DVC where segments are given: frames weighted by how descriptive they are, attributes, and a decoder of words.

Each frame has a descriptiveness between 0 and 1; a segment is the mean of its frames weighted by it. From that come
attributes: for each of the most frequent training words, how likely the sentence has it. The decoder reads both at each
word.

Source: Li et al., CVPR 2018, and a third-party re-implementation of it. Departures: segments are given, so the heads
that propose, shift and widen them are left out. Descriptiveness is learnt through the sentences alone, not from the
METEOR of what was said, and belongs to frames instead of anchors over them; attributes are words of the training
captions, learnt together with the sentences and not before them; Adam and batches of videos.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from bench.api import Ragged, Training, TrainingData, VideoBatch
from bench_dvc.attributes import attribute_loss, frequent_words
from bench_torch.candidates import candidates, caption_loss
from bench_torch.captioner import Captioner
from bench_torch.captioning import ConditionedNetwork
from bench_torch.decoding import WordDecoder
from bench_torch.text import Text, select


@dataclass(frozen=True)
class DVCShape:
    """The settings that the network depends on; see the plugin for what they mean."""

    hidden: int
    attributes: int
    attribute_weight: float


class DescriptivePooling(nn.Module):
    """n sequences of (rows, dim) -> (n, dim): means weighted by a descriptiveness of each row."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.descriptiveness = nn.Sequential(nn.Linear(dim, hidden), nn.Tanh(), nn.Linear(hidden, 1))

    def forward(self, frames: Ragged) -> Tensor:
        """Returns (n, dim) float32."""
        weights = torch.sigmoid(self.descriptiveness(frames.values).float())
        owners, rows = frames.owners(), frames.values.float()
        total = rows.new_zeros(len(frames), rows.shape[1]).index_add(0, owners, weights * rows)
        return total / rows.new_zeros(len(frames), 1).index_add(0, owners, weights)


class DVCNetwork(ConditionedNetwork):
    """Descriptive frames, attributes, and a decoder that reads both."""

    places: Tensor

    def __init__(self, dim: int, vectors: Tensor, shape: DVCShape, *, aligned: bool) -> None:
        super().__init__(dim, vectors, aligned=aligned)
        self.attribute_weight = shape.attribute_weight
        count = min(shape.attributes, len(vectors) - 1)
        self.register_buffer("places", torch.full((len(vectors),), count))
        self.pooling = DescriptivePooling(dim, shape.hidden)
        self.event = nn.Sequential(nn.Linear(dim, shape.hidden), nn.ReLU())
        self.attributes = nn.Linear(shape.hidden, count)
        self.decoder = WordDecoder(self.words, shape.hidden, shape.hidden + count)

    def choose_attributes(self, text: Text) -> None:
        """Makes the most frequent words of the training text the attributes."""
        count = self.attributes.out_features
        chosen = frequent_words(text, len(self.places), count).to(self.places.device)
        self.places[chosen] = torch.arange(count, device=chosen.device)

    def watch(self, videos: VideoBatch) -> Tensor:
        """Returns (S, hidden + attributes): each segment, and its attributes."""
        return self.describe(videos.clip_frames)[0]

    def describe(self, clips: Ragged) -> tuple[Tensor, Tensor]:
        """Returns what the decoder reads of S segments, (S, hidden + attributes), and logits of their attributes."""
        events = self.event(self.pooling(clips)).float()
        logits = self.attributes(events).float()
        return torch.cat([events, torch.sigmoid(logits)], dim=1), logits

    def loss(self, videos: VideoBatch, text: Text) -> Tensor:
        """Returns the captioning loss and that of the attributes."""
        pairs = candidates(videos.segments.lengths, text.counts, aligned=self.aligned)
        watched, logits = self.describe(videos.clip_frames)
        told = self.log_likelihood(watched, pairs.segments, select(text.sentences, pairs.sentences))
        present = attribute_loss(logits, pairs, text.sentences, self.places)
        return caption_loss(pairs.mixture(told), text.sentences) + self.attribute_weight * present


class DVC(Captioner[DVCNetwork]):
    """The model `dvc`."""

    def build(self, dim: int, vectors: Tensor) -> DVCNetwork:
        """Returns a fresh network."""
        shape = DVCShape(
            hidden=self.setting("hidden", int),
            attributes=self.setting("attributes", int),
            attribute_weight=self.setting("attribute_weight", float),
        )
        return DVCNetwork(dim, vectors, shape, aligned=self.aligned)

    def start(self, data: TrainingData, training: Training) -> None:
        """Builds vocabulary and network afresh, with the most frequent words as attributes."""
        super().start(data, training)
        self.network.choose_attributes(self.vocabulary.encode(data.paragraphs))
