"""What models share that describe segments by one trained network.

A model built on it says what its network is, and has the settings `beam` and `max_words` beside those of training.
"""

from __future__ import annotations

from itertools import islice
from typing import TypeVar

import torch
from torch import Tensor, nn

from bench.api import Execution, ModelError, Paragraph, Settings, State, Training, TrainingData, VideoBatch
from bench_torch.captioning import CaptioningNetwork, ConditionedNetwork
from bench_torch.network_model import VideoTextModel
from bench_torch.search import Beam
from bench_torch.training import Examples
from bench_torch.watched import WatchedBatch, watched

C = TypeVar("C", bound=CaptioningNetwork)


class Captioner(VideoTextModel[C]):
    """Base of models that say a sentence of each segment.

    Trained on pairs of a segment and its sentence, where segments belong to sentences. Where they do not, a sentence
    is learnt as one of any segment of its video; of whole videos with several captions each (video, caption) is a pair.
    """

    says_words = True

    def caption(self, videos: VideoBatch) -> list[Paragraph]:
        """Returns B paragraphs: a sentence for each segment. Raises: InvalidData for features of another dimension."""
        self.check_dim(videos)
        beam = Beam(self.setting("beam", int), self.setting("max_words", int))
        with self.predicting():
            said = self.network.say(self.network.watch(videos.to(self.execution.device)), beam)
        sentences = iter(self.vocabulary.decode(said.tolist()))
        return [tuple(islice(sentences, count)) for count in videos.segments.lengths.tolist()]


class EncodingNetwork(ConditionedNetwork):
    """A captioner that reads segments by the encoder of another network; `frozen` keeps that as it was fitted."""

    encoder: nn.Module
    frozen: bool

    def adopt(self, base: nn.Module) -> None:
        """Takes the weights of the encoder over from the network of the base."""
        raise NotImplementedError

    def freeze(self) -> None:
        """Leaves the encoder out of training, if it is to be frozen."""
        self.encoder.requires_grad_(not self.frozen)

    def encode(self, videos: VideoBatch) -> Tensor:
        """Returns (S, condition): what the encoder makes of the segments."""
        raise NotImplementedError

    def watch(self, videos: VideoBatch) -> Tensor:
        """Returns (S, condition): what was made of the segments before, or is now, without gradients if frozen."""
        if isinstance(videos, WatchedBatch):
            return videos.vectors
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            return self.encode(videos)

    def prepared(self, examples: Examples, batch: int, execution: Execution) -> Examples:
        """Returns the examples with what a frozen encoder makes of them, which is the same in every epoch."""
        return watched(examples, self.watch, batch, execution) if self.frozen else examples


E = TypeVar("E", bound=EncodingNetwork)


class CaptionerOnBase(Captioner[E]):
    """Base of captioners that encode segments as another fitted model does, the one that `ModelSpec.base` names.

    Attributes:
        needed: names of those settings of the base that its encoder depends on.
        base: their values; they and the encoder's weights are part of the captioner's own state.
    """

    needed: tuple[str, ...]

    def __init__(self, settings: Settings, execution: Execution) -> None:
        super().__init__(settings, execution)
        self.base: Settings = {}

    def start(self, data: TrainingData, training: Training) -> None:
        """Builds vocabulary and network afresh, with the encoder of the base. Raises: ModelError without a base."""
        if training.base is None:
            raise ModelError("this captioner builds on a fitted model, and was given none. Fit it by `bench run`.")
        self.base = {name: training.base.settings[name] for name in self.needed}
        super().start(data, training)
        self.network.adopt(training.base.network)
        self.network.freeze()

    def state(self) -> State:
        """Returns weights, vocabulary, feature dimension, and what is needed of the base."""
        state = super().state()
        return State(state.arrays, {**state.values, "base": dict(self.base)})

    def rebuild(self, state: State) -> E:
        """Returns a network of the shapes that `state` was saved with."""
        self.base = state.values["base"]
        return super().rebuild(state)
