"""What models share that read videos and paragraphs by one trained network: a vocabulary and its first vectors."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from bench.api import Execution, Paragraph, Settings, State, Training, TrainingData
from bench_torch.network_model import NetworkModel
from bench_torch.text import Text
from bench_torch.training import Examples, TrainableNetwork
from bench_torch.vocabulary import Vocabulary, start_vectors


class VideoTextModel(NetworkModel):
    """Base of models with one network for videos and paragraphs.

    Attributes:
        vocabulary: the words of the training paragraphs.
        aligned: whether segment i belonged to sentence i in training; known when `fit` calls `build`.
    """

    def __init__(self, settings: Settings, execution: Execution) -> None:
        super().__init__(settings, execution)
        self.vocabulary = Vocabulary(())
        self.aligned = True

    def build(self, dim: int, vectors: Tensor) -> TrainableNetwork:
        """Returns a fresh network for features of `dim` numbers and words that start from `vectors` (words, d)."""
        raise NotImplementedError

    def start(self, data: TrainingData, training: Training) -> None:
        """Builds vocabulary and network afresh for `data`; words come from its paragraphs only."""
        self.aligned = data.aligned
        words = Vocabulary.of(data.paragraphs)
        self.vocabulary, vectors = start_vectors(words, self.setting("word_dim", int), training.word_vectors)
        self.use(self.build(data.videos.dim, vectors))

    def examples(self, data: TrainingData) -> Examples:
        """Returns `data` with its paragraphs encoded, once."""
        return Examples(data.videos, self.vocabulary.encode(data.paragraphs))

    def state(self) -> State:
        """Returns weights, vocabulary and feature dimension."""
        state = super().state()
        return State(state.arrays, {**state.values, "words": list(self.vocabulary.words)})

    def rebuild(self, state: State) -> TrainableNetwork:
        """Returns a network of the shapes that `state` was saved with."""
        self.vocabulary = Vocabulary(state.values["words"])
        vectors = torch.zeros(len(self.vocabulary), self.setting("word_dim", int))
        return self.build(int(state.values["dim"]), vectors)

    def encode(self, paragraphs: Sequence[Paragraph]) -> Text:
        """Returns paragraphs as word numbers on the model's device; words it never trained on are unknown."""
        return self.vocabulary.encode(paragraphs).to(self.execution.device)
