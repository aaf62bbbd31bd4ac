"""TSN over frame features: a few snippets of a video, one from each part of it, agree on its class.

In training a video is cut into equal parts and one row of features is drawn from each; in prediction rows stand at
equal distances. One linear layer scores every class for every snippet, and the video's scores are what the snippets
agree on, before any softmax: their mean, their greatest, or the mean of the greatest few for each class.

Source: Wang et al., ECCV 2016 and TPAMI 2018, and the released tsn-pytorch. Departures: the features are frozen, so
what is left of the network is its last layer; Adam instead of SGD with momentum, and no gradient clipping; a video with
several classes is trained on all of them in equal parts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench.api import Ragged, State, Training, TrainingData, VideoBatch
from bench_torch.labels import Labels
from bench_torch.network_model import NetworkModel
from bench_torch.training import Examples, TrainableNetwork


@dataclass(frozen=True)
class TSNShape:
    """The settings that the network depends on; see the plugin for what they mean."""

    segments: int
    test_snippets: int
    consensus: str
    top: int
    dropout: float


class TSNNetwork(TrainableNetwork):
    """A linear layer over snippets, and their consensus."""

    def __init__(self, dim: int, classes: int, shape: TSNShape) -> None:
        super().__init__(dim)
        self.shape = shape
        self.dropout = nn.Dropout(shape.dropout)
        self.scores = nn.Linear(dim, classes)
        nn.init.normal_(self.scores.weight, std=0.001)
        nn.init.zeros_(self.scores.bias)

    def loss(self, videos: VideoBatch, labels: Labels, /) -> Tensor:
        """Returns the cross-entropy of the classes of videos; in training of snippets drawn anew."""
        if not self.training:
            return functional.cross_entropy(self.classify(videos), labels.shares)
        draws = torch.rand(len(videos), self.shape.segments, device=videos.frames.values.device)
        return functional.cross_entropy(self.consensus(snippets(videos.frames, draws)), labels.shares)

    def classify(self, videos: VideoBatch) -> Tensor:
        """Returns (B, classes) from snippets at equal distances."""
        middles = videos.frames.values.new_full((len(videos), self.shape.test_snippets), 0.5)
        return self.consensus(snippets(videos.frames, middles))

    def consensus(self, chosen: Tensor) -> Tensor:
        """Returns (B, classes) float32: what the snippets (B, K, dim) agree on."""
        scores = self.scores(self.dropout(chosen)).float()
        if self.shape.consensus == "average":
            return cast("Tensor", scores.mean(dim=1))
        top = 1 if self.shape.consensus == "max" else min(self.shape.top, scores.shape[1])
        return cast("Tensor", scores.topk(top, dim=1).values.mean(dim=1))


def snippets(frames: Ragged, places: Tensor) -> Tensor:
    """Returns (B, K, dim): of each of K equal parts of a video the row at `places` (B, K), from 0 to below 1 of it.

    Parts lie between whole rows; a part that would be empty is the row where it begins.
    """
    parts = torch.arange(places.shape[1] + 1, device=places.device)
    bounds = parts * frames.beside(frames.lengths)[:, None] // places.shape[1]
    first, count = bounds[:, :-1], (bounds[:, 1:] - bounds[:, :-1]).clamp(min=1)
    rows = first + (places * count).long().clamp(max=count - 1)
    return frames.values[frames.offsets()[:, None] + rows]


class TSN(NetworkModel[TSNNetwork]):
    """The model `tsn`."""

    def start(self, data: TrainingData, training: Training) -> None:
        """Builds the network for the classes of `data`. Raises: InvalidData for a video without one."""
        self.use(self.build(data.videos.dim, Labels.of(data).classes))

    def build(self, dim: int, classes: int) -> TSNNetwork:
        """Returns a fresh network."""
        shape = TSNShape(
            segments=self.setting("segments", int),
            test_snippets=self.setting("test_snippets", int),
            consensus=self.setting("consensus", str),
            top=self.setting("top", int),
            dropout=self.setting("dropout", float),
        )
        return TSNNetwork(dim, classes, shape)

    def examples(self, data: TrainingData) -> Examples:
        """Returns videos and their classes."""
        return Examples(data.videos, Labels.of(data))

    def state(self) -> State:
        """Returns the weights, the feature dimension and the number of classes."""
        state = super().state()
        return State(state.arrays, {**state.values, "classes": self.network.scores.out_features})

    def rebuild(self, state: State) -> TSNNetwork:
        """Returns a network of the shapes that `state` was saved with."""
        return self.build(int(state.values["dim"]), int(state.values["classes"]))

    def classify(self, videos: VideoBatch) -> Tensor:
        """Returns (B, classes) float32. Raises: InvalidData for features of another dimension."""
        self.check_dim(videos)
        with self.predicting():
            return self.network.classify(videos.to(self.execution.device))
