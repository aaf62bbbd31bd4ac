"""What models share that read videos and paragraphs by one trained network: fitting, saving, restoring."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar, cast

import torch
from torch import Tensor

from bench.api import (
    Execution,
    InvalidData,
    ModelError,
    Paragraph,
    Settings,
    State,
    Training,
    TrainingData,
    Value,
    VideoBatch,
)
from bench_torch.checkpoints import module_arrays, restore_module
from bench_torch.text import Text
from bench_torch.training import NETWORK, Examples, Schedule, TrainableNetwork, autocast, train
from bench_torch.vocabulary import Vocabulary, start_vectors

T = TypeVar("T", bound=Value)


class NetworkModel:
    """Base of models with one network for videos and paragraphs; it is built when the data is known."""

    def __init__(self, settings: Settings, execution: Execution) -> None:
        self.settings, self.execution = settings, execution
        self.aligned = True  # whether segment i belonged to sentence i in training; known before `build` is called
        self._network: TrainableNetwork | None = None
        self._vocabulary = Vocabulary(())

    def build(self, dim: int, vectors: Tensor) -> TrainableNetwork:
        """Returns a fresh network for features of `dim` numbers and words that start from `vectors` (words, d)."""
        raise NotImplementedError

    def setting(self, name: str, kind: type[T]) -> T:
        """Returns a setting, known to be of type `kind`."""
        return cast("T", self.settings[name])

    def schedule(self) -> Schedule:
        """Returns the training schedule that the settings describe."""
        return Schedule(
            epochs=self.setting("epochs", int),
            batch=self.setting("batch", int),
            lr=self.setting("lr", float),
            lr_drop=self.setting("lr_drop", int),
            selection=self.setting("selection", str),
        )

    def fit(self, data: TrainingData, training: Training) -> None:
        """Trains on `data`, or goes on with an interrupted fit."""
        schedule = self.schedule()
        held_out = schedule.selection == "held-out"
        if held_out and not data.heldout:
            raise ModelError("selection=held-out needs held-out training videos; there are none. Use selection=fixed.")
        fitting, heldout = data.split() if held_out else (data, None)
        with self.seeded():
            self.start(fitting, training)
            train(
                self.network,
                self.examples(fitting),
                None if heldout is None else self.examples(heldout),
                schedule,
                training,
            )

    def start(self, data: TrainingData, training: Training) -> None:
        """Builds vocabulary and network afresh for `data`; words come from its paragraphs only."""
        self.aligned = data.aligned
        words = Vocabulary.of(data.paragraphs)
        self._vocabulary, vectors = start_vectors(words, self.setting("word_dim", int), training.word_vectors)
        self._network = self.build(data.videos.dim, vectors).to(self.execution.device)

    def examples(self, data: TrainingData) -> Examples:
        """Returns `data` with its paragraphs encoded, once."""
        return Examples(data.videos, self._vocabulary.encode(data.paragraphs))

    @contextmanager
    def seeded(self) -> Iterator[None]:
        """Runs its body on generators seeded by the execution's seed, and leaves the process's own as they were."""
        device = torch.device(self.execution.device)
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            torch.manual_seed(self.execution.seed)
            yield

    @property
    def vocabulary(self) -> Vocabulary:
        """The words of the training paragraphs."""
        return self._vocabulary

    @property
    def network(self) -> TrainableNetwork:
        """The network. Raises: ModelError before `fit` or `load_state`."""
        if self._network is None:
            raise ModelError("the model has no weights yet. Fit it, or load a checkpoint, before it predicts.")
        return self._network

    def state(self) -> State:
        """Returns weights, vocabulary and feature dimension."""
        arrays = module_arrays(self.network, NETWORK)
        return State(arrays, {"dim": self.network.dim, "words": list(self._vocabulary.words)})

    def load_state(self, state: State) -> None:
        """Restores what `state` returned."""
        self._vocabulary = Vocabulary(state.values["words"])
        vectors = torch.zeros(len(self._vocabulary), self.setting("word_dim", int))
        network = self.build(int(state.values["dim"]), vectors)
        restore_module(network, state.arrays, NETWORK)
        self._network = network.to(self.execution.device).eval()

    def encode(self, paragraphs: Sequence[Paragraph]) -> Text:
        """Returns paragraphs as word numbers on the model's device; words it never trained on are unknown."""
        return self._vocabulary.encode(paragraphs).to(self.execution.device)

    @contextmanager
    def predicting(self) -> Iterator[None]:
        """Runs its body without gradients, in the precision that was asked for."""
        self.network.eval()
        with torch.inference_mode(), autocast(self.execution):
            yield

    def check_dim(self, videos: VideoBatch) -> None:
        """Raises InvalidData unless the features have the dimension that the model was trained on."""
        found = videos.frames.values.shape[1]
        if found != self.network.dim:
            raise InvalidData(
                f"features have {found} numbers per row; the model was trained on {self.network.dim}. "
                "Use the features it was trained on, or fit it on these."
            )
